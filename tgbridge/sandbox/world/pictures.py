"""What Telegram makes of a picture: a JPEG of each size, and a stripped preview.

Pillow is the extra "sandbox" of pyproject.toml. Without it nothing is made, and a photo keeps its own bytes
as its only size. Decoding takes up to a second: not for the event loop.

Sources: https://core.telegram.org/api/files#image-thumbnail-types, #stripped-thumbnails
"""

from __future__ import annotations

import colorsys
import hashlib
import io
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tgbridge.sandbox.world.builders import Variant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL import Image

    from tgbridge.sandbox.world.images import Picture

SIDES = {"s": 100, "m": 320, "x": 800, "y": 1280, "w": 2560}
"""The longer side in pixels that a picture of a size has at most."""

_STRIPPED_SIDE = 40
_STRIPPED_QUALITY = 20  # whose tables are those that clients put back
_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT = 1
_GREYS = frozenset({"1", "I", "F", "I;16", "I;16B"})


@dataclass(frozen=True, slots=True)
class Made:
    """A picture's sizes, ascending, and the content of its photoStrippedSize."""

    sizes: tuple[Variant, ...] = ()
    stripped: bytes | None = field(default=None, repr=False)


def available() -> bool:
    """Tell whether pictures can be made."""
    return find_spec("PIL") is not None


def letter_of(longer: int) -> str:
    """Name the size of a picture by its longer side in pixels."""
    return next((letter for letter, side in SIDES.items() if longer <= side), "w")


def of_photo(content: bytes, probed: Picture) -> Made | None:
    """Make the sizes of a photo. None without Pillow, and for what it cannot read.

    Telegram makes the largest one anew as well. Here a JPEG that is upright and no larger than the largest
    size stays as it is, so that what was uploaded can be compared with what comes back.
    """
    image = _open(content)
    if image is None:
        return None
    longer = max(probed.width, probed.height)
    may_stay = probed.mime_type == "image/jpeg" and longer <= SIDES["w"]
    may_stay = may_stay and image.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
    image = _prepared(image, SIDES["w"])
    if image is None:
        return None
    largest = letter_of(max(image.size))
    smaller = list(SIDES)[: list(SIDES).index(largest)]
    sizes = list(_scaled(image, smaller))
    sizes.append(
        Variant(largest, content, probed.width, probed.height)
        if may_stay
        else Variant(largest, _jpeg(image), *image.size)
    )
    return Made(tuple(sizes), _stripped(image))


def of_file(content: bytes) -> Made:
    """Make the thumbnail of a picture that is a file. Nothing of what cannot be read."""
    image = _open(content)
    image = None if image is None else _prepared(image, SIDES["m"])
    return Made() if image is None else Made((Variant("m", _jpeg(image), *image.size),), _stripped(image))


def preview(content: bytes) -> bytes | None:
    """Make a stripped preview of a thumbnail that a client has sent."""
    image = _open(content)
    image = None if image is None else _prepared(image, SIDES["m"])
    return None if image is None else _stripped(image)


def poster(width: int, height: int, head: bytes) -> Made:
    """Paint the thumbnail of a video, which is not decoded: its proportions, coloured by its first bytes."""
    if not available():
        return Made()
    from PIL import Image, ImageDraw, ImageOps  # noqa: PLC0415 - the sandbox does without

    wide, high = (width, height) if width > 0 and height > 0 else (16, 9)
    scale = SIDES["m"] / max(wide, high)
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    hue = hashlib.sha256(head).digest()[0] / 256
    dark, light = (_rgb(hue, brightness) for brightness in (0.25, 0.75))
    image = ImageOps.colorize(Image.linear_gradient("L").resize(size), dark, light)
    reach, (middle, centre) = min(size) / 6, (size[0] / 2, size[1] / 2)
    corners = [(middle - reach, centre - reach), (middle - reach, centre + reach), (middle + reach, centre)]
    ImageDraw.Draw(image).polygon(corners, fill="white")
    return Made((Variant("m", _jpeg(image), *size),), _stripped(image))


def _open(content: bytes) -> Image.Image | None:
    if not available():
        return None
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - the sandbox does without

    try:
        return Image.open(io.BytesIO(content))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _prepared(image: Image.Image, side: int) -> Image.Image | None:
    """Decode, scale down, turn upright, and put on white: what JPEG can hold."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - the sandbox does without

    try:
        # As few bytes as will do before the scaling; a JPEG is decoded smaller at once.
        if image.has_transparency_data:
            image = image.convert("RGBA")
        elif image.mode not in {"RGB", "L"}:
            image = image.convert("L" if image.mode in _GREYS else "RGB")
        image.thumbnail((side, side), reducing_gap=2.0)
        image = ImageOps.exif_transpose(image)
        if image.mode == "RGBA":
            white = Image.new("RGB", image.size, "white")
            white.paste(image, mask=image.getchannel("A"))
            image = white
        return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None


def _scaled(image: Image.Image, letters: Iterable[str]) -> Iterable[Variant]:
    for letter in letters:
        scaled = _fit(image, SIDES[letter])
        yield Variant(letter, _jpeg(scaled), *scaled.size)


def _fit(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    if scale >= 1:
        return image
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78)
    return out.getvalue()


def _stripped(image: Image.Image) -> bytes:
    """Make the content of a photoStrippedSize: 1, height, width, and of a JPEG what differs from others."""
    small, out = _fit(image, _STRIPPED_SIDE), io.BytesIO()
    small.save(out, "JPEG", quality=_STRIPPED_QUALITY, subsampling=2, optimize=False)
    data = out.getvalue()
    return bytes((1, small.height, small.width)) + data[data.index(b"\xff\xda") + 14 : -2]


def _rgb(hue: float, brightness: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.5, brightness)
    return round(red * 255), round(green * 255), round(blue * 255)
