"""What is made of files that are there already: moving stickers, motion of a photo, a smaller rendition."""

from __future__ import annotations

import gzip
import json
import subprocess
from math import cos, pi
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from pathlib import Path

_FRAMES = 60
_RATE = 30
_SIDE = 512  # pixels, of all stickers (https://core.telegram.org/stickers)
_EXACT = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-an"]


def animated_sticker(path: Path, thumb: Path) -> dict[str, Any]:
    """Draw a ball that jumps: Lottie's JSON, gzipped, and a WebP of how it looks at first."""
    colour = [0.96, 0.55, 0.2, 1]

    def at(frame: int, y: int) -> dict[str, Any]:
        ease = {"i": {"x": [0.6], "y": [1]}, "o": {"x": [0.4], "y": [0]}}
        return {"t": frame, "s": [256, y], **ease}

    still = {"a": 0, "k": 100}
    layer = {
        "ty": 4,
        "ip": 0,
        "op": _FRAMES,
        "st": 0,
        "ks": {
            "o": still,
            "r": {"a": 0, "k": 0},
            "p": {"a": 1, "k": [at(0, 380), at(30, 130), at(_FRAMES, 380)]},
            "a": {"a": 0, "k": [0, 0]},
            "s": {"a": 0, "k": [100, 100]},
        },
        "shapes": [
            {"ty": "el", "p": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [200, 200]}},
            {"ty": "fl", "c": {"a": 0, "k": colour}, "o": still},
        ],
    }
    size = {"w": _SIDE, "h": _SIDE}
    lottie = {"tgs": 1, "v": "5.5.2", "fr": _RATE, "ip": 0, "op": _FRAMES, **size, "layers": [layer]}
    path.write_bytes(gzip.compress(json.dumps(lottie, separators=(",", ":")).encode(), mtime=0))
    first = Image.new("RGBA", (_SIDE, _SIDE))
    ImageDraw.Draw(first).ellipse((156, 280, 356, 480), fill=tuple(round(255 * part) for part in colour))
    first.resize((128, 128), Image.Resampling.LANCZOS).save(thumb, quality=75, method=6)
    preview = {"letter": "m", "file": thumb.name, "width": 128, "height": 128}
    return {
        "file": path.name,
        "mime_type": "application/x-tgsticker",
        "width": _SIDE,
        "height": _SIDE,
        "sizes": [preview],
    }


def video_sticker(path: Path, still: Path, thumb: Path) -> dict[str, Any]:
    """Let a sticker nod: VP9 with an alpha channel, in WebM."""
    picture = Image.open(still).convert("RGBA")
    seconds = 2
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgba"]
    command += ["-s", f"{_SIDE}x{_SIDE}", "-r", str(_RATE), "-i", "-", "-c:v", "libvpx-vp9"]
    command += ["-pix_fmt", "yuva420p", "-b:v", "120k", "-threads", "1", *_EXACT, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    with process:
        for frame in range(seconds * _RATE):
            angle = 12 * (1 - cos(2 * pi * frame / (seconds * _RATE)))
            process.stdin.write(picture.rotate(angle, Image.Resampling.BICUBIC).tobytes())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "ffmpeg")
    preview = {"letter": "m", "file": thumb.name, "width": 128, "height": 128}
    return {
        "file": path.name,
        "mime_type": "video/webm",
        "width": _SIDE,
        "height": _SIDE,
        "duration": float(seconds),
        "sizes": [preview],
    }


def motion(path: Path, still: Path, width: int, height: int) -> dict[str, Any]:
    """Make the motion of a live photo: for a second and a half, the camera comes closer."""
    zoom = f"zoompan=z='1+on/300':d=36:s={width}x{height}:fps=24:x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
    _h264(["-i", str(still), "-vf", zoom, "-frames:v", "36"], path, bits=150_000)
    return _film(path, width, height, 1.5)


def smaller(path: Path, film: Path, width: int, height: int, seconds: float) -> dict[str, Any]:
    """Encode a film anew, smaller."""
    _h264(["-i", str(film), "-vf", f"scale={width}:{height}"], path, bits=60_000)
    return _film(path, width, height, seconds)


def _film(path: Path, width: int, height: int, seconds: float) -> dict[str, Any]:
    size = {"width": width, "height": height}
    return {"file": path.name, "mime_type": "video/mp4", **size, "duration": seconds}


def _h264(source: list[str], path: Path, *, bits: int) -> None:
    command = ["ffmpeg", "-v", "error", "-y", *source, "-c:v", "libx264", "-preset", "veryslow"]
    command += ["-pix_fmt", "yuv420p", "-b:v", str(bits), "-threads", "1", "-movflags", "+faststart"]
    subprocess.run([*command, *_EXACT, str(path)], check=True)
