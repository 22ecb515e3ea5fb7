"""Sounds: a plucked tune, the sea, a synthetic voice; all mono, as 16-bit WAV for ffmpeg to encode."""

from __future__ import annotations

import subprocess
import wave
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from .canvas import Array

RATE = 44_100


def save(target: Path, samples: Array) -> Path:
    """Write samples of -1..1."""
    peak = max(float(np.abs(samples).max()), 1e-9)
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples / peak * 0.8 * 32767).astype("<i2").tobytes())
    return target


def pluck(frequency: float, seconds: float, rng: np.random.Generator) -> Array:
    """A string by Karplus and Strong: a noise burst in a loop that loses its highs."""
    period = int(RATE / frequency)
    loop = rng.uniform(-1, 1, period)
    turns = []
    for _ in range(int(seconds * RATE / period) + 1):
        turns.append(loop)
        loop = 0.4985 * (loop + np.roll(loop, 1))
    return np.concatenate(turns)[: int(seconds * RATE)]


def tune(seconds: float = 12.0) -> Array:
    """Broken chords: A minor, F, C, G."""
    rng = np.random.default_rng(4)
    out = np.zeros(int((seconds + 2) * RATE))
    chords = ((45, 57, 60, 64, 69), (41, 57, 60, 65, 69), (48, 55, 60, 64, 72), (43, 55, 59, 62, 71))
    order = (0, 1, 2, 3, 4, 3, 2, 1)
    step = 0.1875
    for beat in range(int((seconds - 1.5) / step)):
        note = chords[beat // 16 % 4][order[beat % 8]]
        string = pluck(440 * 2 ** ((note - 69) / 12), 1.8, rng) * np.linspace(1, 0, int(1.8 * RATE))
        start = int(beat * step * RATE)
        out[start : start + len(string)] += string * (1.0 if beat % 8 == 0 else 0.6)
    out = out[: int(seconds * RATE)]
    out[-RATE:] *= np.linspace(1, 0, RATE)
    return out


def surf(seconds: float) -> Array:
    """Waves on a beach: noise without its highs that swells and falls."""
    rng = np.random.default_rng(9)
    spectrum = np.fft.rfft(rng.normal(0, 1, int(seconds * RATE)))
    frequency = np.fft.rfftfreq(int(seconds * RATE), 1 / RATE)
    noise = np.fft.irfft(spectrum / (1 + (frequency / 350) ** 1.2), int(seconds * RATE))
    time = np.arange(len(noise)) / RATE
    return noise * (0.35 + 0.65 * (0.5 + 0.5 * np.sin(6.283 * time / 6.5 - 1.2)) ** 2)


def voice(text: str, target: Path) -> Path:
    """Speak, by espeak-ng."""
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", str(target), text], check=True)
    return target


def waveform(sound: Path, samples: int = 100) -> bytes:
    """Loudness in steps of 5 bits, as documentAttributeAudio.waveform carries it, lowest bits first."""
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(sound), "-f", "s16le", "-ac", "1", "-ar", "16000", "-"],
        check=True,
        capture_output=True,
    ).stdout
    peaks = [
        np.abs(part.astype(np.int32)).max() for part in np.array_split(np.frombuffer(raw, "<i2"), samples)
    ]
    levels = [int(peak * 31 // max(*peaks, 1)) for peak in peaks]
    packed = sum(level << 5 * place for place, level in enumerate(levels))
    return packed.to_bytes((samples * 5 + 7) // 8, "little")
