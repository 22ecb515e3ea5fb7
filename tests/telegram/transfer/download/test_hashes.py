from __future__ import annotations

import hashlib

import pytest
from telethon.tl import types

from tgbridge.errors import FileCorrupted
from tgbridge.telegram.transfer.download.hashes import HashBook

BODY = bytes(range(256)) * 2


def blocks(*spans: tuple[int, int]) -> list[types.FileHash]:
    return [
        types.FileHash(start, stop - start, hashlib.sha256(BODY[start:stop]).digest())
        for start, stop in spans
    ]


def test_intact_bytes_pass() -> None:
    """Bytes over several blocks are checked block by block, the shorter last one too."""
    book = HashBook(blocks((0, 128), (128, 256), (256, 300)))
    book.check(0, memoryview(BODY[:300]))
    book.check(128, memoryview(BODY[128:256]))


@pytest.mark.parametrize("position", [0, 127, 128, 255])
def test_one_wrong_byte_is_found(position: int) -> None:
    """Wherever it is."""
    altered = bytearray(BODY[:256])
    altered[position] ^= 1
    with pytest.raises(FileCorrupted):
        HashBook(blocks((0, 128), (128, 256))).check(0, memoryview(altered))


def test_a_block_that_reaches_beyond_the_bytes_is_an_error() -> None:
    """Nothing passes unchecked."""
    with pytest.raises(FileCorrupted):
        HashBook(blocks((0, 128))).check(0, memoryview(BODY[:100]))


@pytest.mark.parametrize(
    ("start", "stop", "missing"),
    [
        (0, 128, None),
        (0, 256, None),
        (0, 257, 256),
        (256, 300, 256),
        (300, 400, 300),
        (384, 500, None),
        (9, 9, None),
    ],
)
def test_what_is_missing(start: int, stop: int, missing: int | None) -> None:
    """The first gap is told, so that Telegram can be asked from there."""
    assert HashBook(blocks((0, 128), (128, 256), (384, 512))).missing(start, stop) == missing


def test_an_empty_block_is_not_believed() -> None:
    """It would cover nothing, and be looked at for ever."""
    assert HashBook([types.FileHash(0, 0, b"")]).missing(0, 10) == 0
