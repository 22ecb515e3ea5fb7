"""Films whose index comes last: what the player asks for second is on its way already."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.errors import TelegramFailure
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.telegram.transfer.download import ahead
from tgbridge.telegram.transfer.download.ahead import behind_the_pictures, span_behind
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import MakeReader, Reader
    from tgbridge.telegram.transfer.remote_file import RemoteFile

SIZE = 24 * MIB
INDEX = SIZE - 300_000


def box(kind: bytes, length: int, *, large: bool = False) -> bytes:
    """The beginning of a box."""
    return (b"\0\0\0\1" + kind + length.to_bytes(8)) if large else length.to_bytes(4) + kind


FTYP = box(b"ftyp", 24) + b"isom" + bytes(12)
PICTURES = box(b"mdat", INDEX - len(FTYP))


@dataclass(frozen=True)
class Film:
    """A head, and whatever bytes behind it."""

    head: bytes
    size: int = SIZE

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on."""
        return self.head[offset : offset + limit] + Synthetic(self.size).read(
            max(offset, len(self.head)), limit - len(self.head[offset : offset + limit])
        )


HEADS = {
    "pictures first": (FTYP + PICTURES, INDEX),
    "without ftyp, as old QuickTime": (box(b"wide", 8) + box(b"mdat", INDEX - 8), INDEX),
    "of more than 4 GiB": (FTYP + box(b"free", 8) + box(b"mdat", 2**33, large=True), 2**33 + 32),
    "a large box before": (FTYP + box(b"free", 1000) + bytes(992) + box(b"mdat", 2**23), 2**23 + 1024),
    "index first": (FTYP + box(b"moov", 5000) + bytes(4992) + box(b"mdat", 2**23), None),
    "in fragments": (FTYP + box(b"styp", 24) + bytes(16) + box(b"moof", 100), None),
    "pictures to the end": (FTYP + box(b"mdat", 0), None),
    "nothing behind the pictures": (FTYP + box(b"mdat", 2**34 - len(FTYP), large=True), None),
    "pictures beyond the end": (FTYP + box(b"mdat", 2**40, large=True), None),
    "pictures within the head": (FTYP + box(b"mdat", 100), None),
    "a box of no length": (FTYP + box(b"free", 0) + PICTURES, None),
    "a box within itself": (FTYP + box(b"free", 7) + PICTURES, None),
    "a box beyond the head": (FTYP + box(b"free", 2**20) + PICTURES, None),
    "no film": (b"\x89PNG\r\n\x1a\n" + bytes(100), None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize(("head", "position"), HEADS.values(), ids=HEADS)
def test_where_the_index_is(head: bytes, position: int | None) -> None:
    """The head tells where the pictures end, if they come first and something is behind them."""
    padded = memoryview(head + b"\xee" * (128 * KIB - len(head)))
    assert behind_the_pictures(padded, 2**34) == position


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_any_bytes(head: bytes, size: int) -> None:
    """Whatever the bytes are, what is read ahead is behind the head and within the file."""
    for start in (b"", FTYP, FTYP + b"\0\0\0\1mdat", FTYP + b"\xff\0\0\0mdat"):
        span = span_behind(memoryview(start + head), size)
        assert span is None or len(start + head) <= span[0] < span[1] <= size


@pytest.fixture
async def film(reader: Reader) -> RemoteFile:
    return await reader.file(SIZE, blob=Film(FTYP + PICTURES), dc_id=3)


async def landed(reader: Reader) -> None:
    await reader.until(lambda: not reader.downloader._ahead)


@pytest.mark.parametrize("first", [2, 64 * KIB, SIZE], ids=["Safari's 0-1", "64 KiB", "Chromium's 0-"])
@pytest.mark.parametrize("early", [0, 1, 32 * KIB, 64 * KIB], ids=lambda early: f"{early} early")
async def test_what_a_player_asks_for(reader: Reader, film: RemoteFile, first: int, early: int) -> None:
    """The head, the tail, the head again: the last two cost no request, and no byte is another."""
    async with reader.open(film, 0, first) as download:
        head = bytes(await anext(download))
        await landed(reader)
    calls = reader.calls()
    start = INDEX - early
    assert await reader.read(film, start, SIZE) == reader.expected(film, start, SIZE)
    assert await reader.read(film, 0, len(head)) == head == reader.expected(film, 0, len(head))
    assert reader.calls() == calls
    assert calls <= 12


async def test_only_once_and_only_at_the_beginning(reader: Reader, film: RemoteFile) -> None:
    """A player that seeks reads nothing ahead; nor does one that comes again."""
    await reader.read(film, 5 * MIB, 5 * MIB + 10)
    assert reader.calls() == 1
    await reader.read(film, 0, 10)
    await landed(reader)
    calls = reader.calls()
    await reader.read(film, 0, 10)
    assert not reader.downloader._ahead
    assert reader.calls() == calls


@pytest.mark.parametrize("head", [b"", HEADS["index first"][0]], ids=["no film", "index first"])
async def test_other_files(reader: Reader, head: bytes) -> None:
    """All other files are read as before."""
    file = await reader.file(SIZE, blob=Film(head))
    await reader.read(file, 0, 10)
    assert reader.calls() == 1


async def test_the_player_that_does_not_wait(reader: Reader, film: RemoteFile) -> None:
    """Who asks for the tail while it is on its way waits for the same requests."""
    async with reader.open(film, 0, 2) as download:
        await anext(download)
        calls = reader.calls()
        held = reader.sandbox.faults.hold("upload.getFile")
        await held.reached(1)
        tail = asyncio.create_task(reader.read(film, INDEX, SIZE))
        await reader.until(lambda: reader.downloader.budget.streams == 3)
    held.release()
    assert await tail == reader.expected(film, INDEX, SIZE)
    assert reader.calls() - calls <= 3


async def test_nobody_waits(reader: Reader, film: RemoteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody asks for within a moment after the reader has left is given up."""
    monkeypatch.setattr(ahead, "LINGER_SECONDS", 0.01)
    async with reader.open(film, 0, 2) as download:
        await anext(download)
        held = reader.sandbox.faults.hold("upload.getFile")
        await held.reached(1)
    await landed(reader)
    assert reader.idle()
    held.release()
    assert await reader.read(film, INDEX, SIZE) == reader.expected(film, INDEX, SIZE)


async def test_it_fails(reader: Reader, film: RemoteFile) -> None:
    """That it can't be read ahead is told to nobody but who asks for it."""
    async with reader.open(film, 0, SIZE) as download:
        await anext(download)
        reader.sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID", times=None)
        with pytest.raises(TelegramFailure):
            await reader.read(film, INDEX, SIZE)
    await landed(reader)


@pytest.mark.parametrize(
    "files",
    [{"cache_bytes_per_account": 0}, {"window_bytes_per_process": MIB, "window_bytes_per_account": MIB}],
    ids=["nothing is kept", "no memory"],
)
async def test_no_room(make_reader: MakeReader, files: dict[str, int]) -> None:
    """Where nothing is kept, or others need the memory, nothing is read ahead."""
    if "window_bytes_per_process" in files:
        files = {**files, "window_bytes_per_stream": MIB}
    reader = await make_reader(files=files)
    film = await reader.file(SIZE, blob=Film(FTYP + PICTURES))
    async with reader.open(film) as download:
        await anext(download)
        assert not reader.downloader._ahead


async def test_closing(reader: Reader, film: RemoteFile) -> None:
    """A service that stops gives it up at once."""
    async with reader.open(film, 0, 2) as download:
        await anext(download)
        held = reader.sandbox.faults.hold("upload.getFile")
        await held.reached(1)
    assert reader.downloader._ahead
    await reader.downloader.close()
    assert reader.idle()
    held.release()
