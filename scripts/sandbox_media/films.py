"""Films: frames painted one by one, piped through ffmpeg."""

from __future__ import annotations

import io
import subprocess
from itertools import chain
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RATE = 24  # frames per second


def encode(
    target: Path,
    frames: Iterator[Image.Image],
    *,
    video_bits: int,
    sound: Path | None = None,
    audio_bits: int = 32_000,
    moov_first: bool = True,
) -> None:
    """Write H.264 and, given a WAV, AAC into an MP4; `moov_first` is what players on the web like."""
    first = next(frames)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{first.width}x{first.height}", "-r", str(RATE), "-i", "-"]
    command += ["-i", str(sound), "-shortest", "-c:a", "aac", "-b:a", str(audio_bits)] if sound else ["-an"]
    command += ["-c:v", "libx264", "-preset", "veryslow", "-pix_fmt", "yuv420p", "-profile:v", "high"]
    command += ["-b:v", str(video_bits), "-g", str(2 * RATE), "-threads", "2"]
    command += ["-movflags", "+faststart"] if moov_first else []
    command += [
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-flags:a",
        "+bitexact",
    ]
    process = subprocess.Popen([*command, str(target)], stdin=subprocess.PIPE)
    with process:
        for frame in chain([first], frames):
            process.stdin.write(frame.tobytes())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "ffmpeg")


def shoot(
    paint: Callable[[float], Image.Image], *, seconds: float, clock: bool = False
) -> Iterator[Image.Image]:
    """Paint each frame; with `clock` its time stands in the corner, so that a seek can be checked by eye."""
    font = ImageFont.load_default(size=22)
    for number in range(int(seconds * RATE)):
        frame = paint(number / RATE)
        if clock:
            text = f"{number // RATE // 60:02d}:{number // RATE % 60:02d}"
            pen = ImageDraw.Draw(frame)
            pen.text((frame.width - 16, frame.height - 14), text, font=font, anchor="rs", fill="#fff2dc")
        yield frame


def still(film: Path, seconds: float) -> Image.Image:
    """Take one frame out of a film."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-ss",
        str(seconds),
        "-i",
        str(film),
        "-frames:v",
        "1",
        "-f",
        "image2pipe",
    ]
    png = subprocess.run([*command, "-c:v", "png", "-"], check=True, capture_output=True).stdout
    return Image.open(io.BytesIO(png)).convert("RGB")
