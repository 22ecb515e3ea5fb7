"""Pictures in the sizes and encodings in which Telegram sends them.

Sources: https://core.telegram.org/api/files#image-thumbnail-types, #stripped-thumbnails
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

# Longer side in pixels by the size's letter.
SIDES = {"s": 100, "m": 320, "x": 800, "y": 1280}
# After which of libjpeg's ten scans a progressive picture is worth showing.
SCANS = (1, 4, 5, 7, 10)


def fit(image: Image.Image, side: int) -> Image.Image:
    """Scale down so that the longer side has `side` pixels."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def jpeg(image: Image.Image, *, progressive: bool = False) -> bytes:
    """Encode with 4:2:0 chroma, without metadata."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78, subsampling=2, optimize=True, progressive=progressive)
    return out.getvalue()


def stripped(image: Image.Image) -> bytes:
    """Make a photoStrippedSize: 1, height, width, and of a JPEG what is not the same in all of them."""
    out = io.BytesIO()
    small = fit(image, 40)
    small.save(out, "JPEG", quality=20, subsampling=2, optimize=False)
    data = out.getvalue()
    return bytes((1, small.height, small.width)) + data[data.index(b"\xff\xda") + 14 : -2]


def scan_ends(data: bytes) -> list[int]:
    """Find where each scan of a JPEG ends."""
    ends, place, in_scan = [], 2, False
    while place < len(data) - 1:
        marker = data[place + 1]
        if data[place] != 0xFF or marker == 0 or 0xD0 <= marker <= 0xD7:
            place += 1
            continue
        if in_scan:
            ends.append(place)
        if marker == 0xD9:
            break
        in_scan = marker == 0xDA
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return ends


def photo(
    directory: Path, name: str, image: Image.Image, *, letters: str, progressive: bool = False
) -> dict[str, Any]:
    """Write a photo's sizes and describe them; with `progressive` the largest is a progressive JPEG."""
    sizes = []
    for letter in letters:
        scaled = fit(image, SIDES[letter])
        last = progressive and letter == letters[-1]
        data = jpeg(scaled, progressive=last)
        size: dict[str, Any] = {"letter": letter, "file": f"{name}-{letter}.jpg"}
        size |= {"width": scaled.width, "height": scaled.height}
        if last:
            ends = scan_ends(data)
            size["progressive"] = [*(ends[scan - 1] for scan in SCANS[:-1]), len(data)]
        (directory / size["file"]).write_bytes(data)
        sizes.append(size)
    return {"stripped": stripped(image).hex(), "sizes": sizes}


def thumbnail(directory: Path, name: str, image: Image.Image) -> dict[str, Any]:
    """Write a document's thumbnail and describe it as a photo's sizes are."""
    return photo(directory, name, image, letters="m")
