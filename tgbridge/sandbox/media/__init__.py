"""The media files that new accounts are seeded with, as `manifest.json` describes them.

They were painted, played and written by this project's own `scripts/make_sandbox_media.py`. The description
is read when the module is imported, the bytes are read from these files whenever somebody asks for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgbridge.sandbox.media.mp4 import stretch
from tgbridge.sandbox.world.blobs import DiskBlob, Synthetic
from tgbridge.sandbox.world.builders import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.sandbox.world.blobs import Blob

DIRECTORY = Path(__file__).parent
# Neither is a multiple of any part size, so that the last part is always a short one.
LARGE_BYTES = 300_000_000
NAMELESS_BYTES = 70_001
STRETCHED_BYTES = 24_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo: its sizes, ascending, and the content of its photoStrippedSize."""

    sizes: tuple[Variant, ...]
    stripped: bytes = field(repr=False)

    @property
    def largest(self) -> Variant:
        """Give the size that is sent where the whole photo is asked for."""
        return self.sizes[-1]


@dataclass(frozen=True, slots=True)
class Asset:
    """A document's bytes with what is true of them, and what Telegram shows in its stead.

    ``width`` and ``height`` are in pixels, ``duration`` in seconds. ``waveform`` is a voice message's
    loudness in steps of 5 bits, ``outline`` a sticker's path as photoPathSize packs it.
    """

    blob: Blob
    mime_type: str
    width: int = 0
    height: int = 0
    duration: float = 0.0
    title: str | None = None
    performer: str | None = None
    waveform: bytes | None = field(default=None, repr=False)
    outline: bytes | None = field(default=None, repr=False)
    stripped: bytes | None = field(default=None, repr=False)
    thumbs: tuple[Variant, ...] = ()


def _variants(described: list[dict[str, Any]]) -> tuple[Variant, ...]:
    return tuple(
        Variant(
            letter=size["letter"],
            source=DiskBlob.of(DIRECTORY / size["file"]),
            width=size["width"],
            height=size["height"],
            progressive=tuple(size.get("progressive", ())),
        )
        for size in described
    )


def _asset(described: dict[str, Any]) -> Asset:
    facts = dict(described)
    for name in ("waveform", "outline", "stripped"):
        if name in facts:
            facts[name] = bytes.fromhex(facts[name])
    return Asset(
        blob=DiskBlob.of(DIRECTORY / facts.pop("file")), thumbs=_variants(facts.pop("sizes", [])), **facts
    )


_manifest = json.loads((DIRECTORY / "manifest.json").read_text(encoding="utf-8"))

PHOTOS: Mapping[str, Picture] = {
    name: Picture(_variants(described["sizes"]), bytes.fromhex(described["stripped"]))
    for name, described in _manifest["photos"].items()
}
_files = {name: _asset(described) for name, described in _manifest["documents"].items()}
_dawn = PHOTOS["dawn"]
DOCUMENTS: Mapping[str, Asset] = {
    **_files,
    # Each of its seconds lies most of a mebibyte from the next, its index after 24 MB.
    "sea-stretched": replace(
        _files["sea-moov-last"], blob=stretch(_files["sea-moov-last"].blob, STRETCHED_BYTES)
    ),
    # A photo as it is when it was sent as a file.
    "dawn-original": Asset(
        blob=DiskBlob.of(DIRECTORY / _manifest["photos"]["dawn"]["sizes"][-1]["file"]),
        mime_type="image/jpeg",
        width=_dawn.largest.width,
        height=_dawn.largest.height,
        stripped=_dawn.stripped,
        thumbs=tuple(size for size in _dawn.sizes if size.letter == "m"),
    ),
    "nameless": Asset(Synthetic(NAMELESS_BYTES, seed=70), "application/octet-stream"),
    "large": Asset(Synthetic(LARGE_BYTES, seed=300), "application/octet-stream"),
}
