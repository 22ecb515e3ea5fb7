#!/usr/bin/env python3
"""Make the files that the sandbox seeds an account with: `scripts/make_sandbox_media.py [directory]`.

Everything is painted, played or written here, so nobody else's licence holds. The results are committed, and
the project itself needs none of this. To make them again: Debian's ffmpeg, espeak-ng, librsvg2-bin and
poppler-utils, and from PyPI numpy and pillow. It takes five minutes, most of them for painting films.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sandbox_media import derived, films, motifs, papers, pictures, scenes, sound
from sandbox_media.canvas import to_image

if TYPE_CHECKING:
    from collections.abc import Callable

MEDIA = Path(__file__).resolve().parent.parent / "tgbridge" / "sandbox" / "media"


def probe(path: Path) -> dict[str, Any]:
    """Measure a film or sound: its duration in seconds, and width and height where it has them."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    facts: dict[str, Any] = {"duration": round(float(found["format"]["duration"]), 3)}
    for stream in found["streams"]:
        if stream["codec_type"] == "video" and not stream["disposition"]["attached_pic"]:
            facts |= {"width": stream["width"], "height": stream["height"]}
    return facts


def encode(source: list[Any], target: list[Any]) -> None:
    """Run ffmpeg so that the same input gives the same output."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        *source,
        "-fflags",
        "+bitexact",
        "-flags:a",
        "+bitexact",
        *target,
    ]
    subprocess.run([str(word) for word in command], check=True)


def photos(out: Path) -> dict[str, Any]:
    """Paint the photos; the sea is a progressive JPEG, the city lacks the smallest size."""
    painted = {
        "dawn": scenes.valley(1280, 960, scenes.DAWN),
        "sea": scenes.sunset_sea(1280, 960),
        "aurora": scenes.aurora(960, 1280),
        "city": scenes.city_lights(1280, 853),
        "noon": scenes.valley(1280, 720, scenes.NOON, seed=8),
        "dusk": scenes.valley(960, 1280, scenes.DUSK, seed=14),
        "swell": scenes.sunset_sea(1000, 1000, time=9, seed=3),
    }
    letters = {"city": "mxy", "swell": "smx"}
    return {
        name: pictures.photo(
            out, name, to_image(scene), letters=letters.get(name, "smxy"), progressive=name == "sea"
        )
        for name, scene in painted.items()
    }


def films_and_notes(out: Path, scratch: Path) -> dict[str, Any]:
    """Shoot the films: two plain ones, one with its index at the end, the loop and the round note."""
    tune = sound.save(scratch / "tune.wav", sound.tune())
    surf = sound.save(scratch / "surf.wav", sound.surf(30))
    speech = sound.voice("Here is our little blue planet, seen from the sandbox.", scratch / "speech.wav")

    def valley(time: float) -> Image.Image:
        return to_image(scenes.valley(640, 360, scenes.DAWN, seed=5, time=time), grain=0)

    def lights(time: float) -> Image.Image:
        return to_image(scenes.aurora(480, 270, time=time * 4, seed=23), grain=0)

    def sea(time: float) -> Image.Image:
        return to_image(scenes.sunset_sea(640, 360, time=time), grain=0)

    def planet(time: float) -> Image.Image:
        return to_image(motifs.planet(time * 0.7), grain=0, vignette=0)

    def dots(time: float) -> Image.Image:
        return to_image(motifs.dots(time / 2), grain=0, vignette=0)

    def film(name: str, paint: Callable[[float], Image.Image], seconds: float, **options: Any) -> None:
        films.encode(out / f"{name}.mp4", films.shoot(paint, seconds=seconds, clock=seconds > 10), **options)

    film("valley", valley, 5, video_bits=260_000, sound=tune, audio_bits=48_000)
    film("lights", lights, 4, video_bits=160_000, sound=tune)
    film("sea-moov-last", sea, 30, video_bits=255_000, sound=surf, moov_first=False)
    film("planet", planet, 4, video_bits=140_000, sound=speech)
    film("dots", dots, 2, video_bits=160_000)
    made = {}
    for name, moment in (("valley", 1), ("lights", 2), ("sea-moov-last", 3), ("planet", 1), ("dots", 0.5)):
        path = out / f"{name}.mp4"
        thumbs = pictures.thumbnail(out, f"{name}-thumb", films.still(path, moment))
        made[name] = {"file": path.name, "mime_type": "video/mp4", **probe(path), **thumbs}
    return made


def sounds(out: Path, scratch: Path) -> dict[str, Any]:
    """Encode the tune with its cover, and the voice message."""
    cover = to_image(scenes.city_lights(600, 600, seed=12))
    cover_file = scratch / "cover.jpg"
    cover_file.write_bytes(pictures.jpeg(pictures.fit(cover, 320)))
    tags = {"title": "Morning over the valley", "performer": "The Sandbox Players"}
    wav = sound.save(scratch / "tune.wav", sound.tune())
    tagged = ["-metadata", f"title={tags['title']}", "-metadata", f"artist={tags['performer']}"]
    encode(
        ["-i", wav, "-i", cover_file, "-map", "0", "-map", "1", "-c:v", "copy", "-b:a", "48k", *tagged],
        ["-id3v2_version", "3", out / "tune.mp3"],
    )
    text = "Hello! This is a voice message out of the sandbox. Nobody spoke it, and still you hear it."
    speech = sound.voice(text, scratch / "voice.wav")
    opus = ["-c:a", "libopus", "-b:a", "20k", "-ar", "48000", "-ac", "1"]
    encode(["-i", speech, *opus], ["-map_metadata", "-1", out / "voice.ogg"])
    thumbs = pictures.thumbnail(out, "tune-thumb", cover)
    return {
        "tune": {"file": "tune.mp3", "mime_type": "audio/mpeg", **probe(out / "tune.mp3"), **tags, **thumbs},
        "voice": {
            "file": "voice.ogg",
            "mime_type": "audio/ogg",
            **probe(out / "voice.ogg"),
            "waveform": sound.waveform(out / "voice.ogg").hex(),
        },
    }


def documents(out: Path) -> dict[str, Any]:
    """Write the sticker and the papers."""
    cat = motifs.sticker()
    cat.save(out / "cat.webp", quality=80, method=6)
    small = pictures.fit(cat, 128)
    small.save(out / "cat-thumb-m.webp", quality=75, method=6)
    thumb = {"letter": "m", "file": "cat-thumb-m.webp", "width": small.width, "height": small.height}
    made: dict[str, Any] = {
        "cat": {
            "file": "cat.webp",
            "mime_type": "image/webp",
            "width": cat.width,
            "height": cat.height,
            "outline": motifs.outline().hex(),
            "sizes": [thumb],
        }
    }
    photo = Image.open(out / "dawn-x.jpg")
    (out / "field-notes.pdf").write_bytes(papers.pdf((out / "dawn-x.jpg").read_bytes(), *photo.size))
    page = papers.pdf_page(out / "field-notes.pdf")
    made["field-notes"] = {
        "file": "field-notes.pdf",
        "mime_type": "application/pdf",
        **pictures.thumbnail(out, "field-notes-thumb", page),
    }
    for name, content, mime_type in (
        ("notes.txt", papers.NOTES.encode(), "text/plain"),
        ("expenses.csv", papers.EXPENSES.encode(), "text/csv"),
        ("page.html", papers.PAGE.encode(), "text/html"),
        ("drawing.svg", papers.DRAWING.encode(), "image/svg+xml"),
        ("archive.zip", papers.archive(), "application/zip"),
    ):
        (out / name).write_bytes(content)
        made[name.split(".")[0]] = {"file": name, "mime_type": mime_type}
    return made


def derivatives(out: Path) -> dict[str, Any]:
    """Make what others are needed for."""
    return {
        "ball": derived.animated_sticker(out / "ball.tgs", out / "ball-thumb-m.webp"),
        "nod": derived.video_sticker(out / "nod.webm", out / "cat.webp", out / "cat-thumb-m.webp"),
        "noon-motion": derived.motion(out / "noon-motion.mp4", out / "noon-y.jpg", 640, 360),
        "valley-small": derived.smaller(out / "valley-small.mp4", out / "valley.mp4", 320, 180, 5.016),
    }


def main() -> None:
    """Make them all and the manifest that describes them."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else MEDIA
    np.seterr(all="raise", under="ignore")
    with tempfile.TemporaryDirectory() as scratch:
        described = {
            "photos": photos(out),
            "documents": films_and_notes(out, Path(scratch)) | sounds(out, Path(scratch)) | documents(out),
        }
    described["documents"] |= derivatives(out)
    (out / "manifest.json").write_text(
        json.dumps(described, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
