"""Files on their way up: whatever their size, however they are cut, and however short memory is."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgbridge.errors import PoolExhausted
from tgbridge.telegram.transfer.parts import KIB, MIB
from tgbridge.telegram.transfer.upload.ways import SMALL_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.telegram.conftest import Until
    from tests.telegram.transfer.conftest import MakeWriter, Writer

PART = 512 * KIB
SMALL, BIG = "upload.saveFilePart", "upload.saveBigFilePart"
NOISE = random.Random(5).randbytes(SMALL_FILE_BYTES + PART)
SIZES = [1, PART - 1, PART, PART + 1, 2 * PART, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1]

# What may be known of a length beforehand, by the length that turns out.
KNOWN: dict[str, Any] = {
    "exactly": lambda size: {"size": size},
    "closely bounded": lambda size: {"at_most": size + 300},
    "bounded": lambda _size: {"at_most": 500 * MIB, "likely_big": True},
    "not at all": lambda _size: {},
}


class Meter:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.progress: list[tuple[int, int]] = []
        self.waits: list[float] = []

    def progressed(self, received: int, stored: int) -> None:
        self.progress.append((received, stored))

    def waiting(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.mark.parametrize("known", KNOWN)
async def test_any_size_arrives_whole_by_the_way_that_is_its(writer: Writer, known: str) -> None:
    """Up to 10 MB a file goes by saveFilePart with its MD5, beyond without, whatever was known beforehand."""
    for size in SIZES:
        stored = await writer.store(NOISE[:size], **KNOWN[known](size))
        assert writer.content(stored) == NOISE[:size], size
        assert (stored.size, stored.parts) == (size, -(-size // PART))
        assert (stored.md5 is None) is (size > SMALL_FILE_BYTES)


@pytest.fixture
async def fine_writer(make_writer: MakeWriter) -> Writer:
    """A writer whose parts are as small as Telegram allows."""
    return await make_writer(upload={"part_bytes": KIB})


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    size=st.sampled_from([1, KIB - 1, KIB, KIB + 1, 2 * KIB, 5 * KIB - 1, 9 * KIB + 7]),
    cuts=st.lists(st.floats(0, 1), max_size=6),
    known=st.sampled_from(sorted(KNOWN)),
)
async def test_any_cut_of_the_writes_makes_the_same_file(
    fine_writer: Writer, size: int, cuts: list[float], known: str
) -> None:
    """Bytes may come in any pieces, empty ones too."""
    writer = fine_writer
    borders = sorted({0, size, *(round(cut * size) for cut in cuts)})
    async with writer.open(**KNOWN[known](size)) as upload:
        for start, stop in zip([0, *borders], [*borders, size], strict=True):
            await upload.write(memoryview(NOISE)[start:stop])
            assert upload.received == stop
        assert writer.content(await upload.finish()) == NOISE[:size]


@pytest.mark.parametrize(
    ("known", "parts", "wasted"),
    [
        ({"size": 3 * PART}, 3, 0),
        ({"size": 21 * PART}, 21, 0),
        ({"at_most": 9 * MIB}, 3, 0),
        ({"at_most": 50 * MIB, "likely_big": True}, 21, 0),
        ({}, 3, 0),
        # The guess was wrong: what was sent already goes once more, the other way.
        ({"at_most": 50 * MIB, "likely_big": True}, 3, 2),
        ({}, 21, 20),
    ],
)
async def test_what_is_sent_twice_is_bounded(
    writer: Writer, known: dict[str, Any], parts: int, wasted: int
) -> None:
    """With a length known, or guessed rightly, each part is sent once; else at most 10 MB are sent twice."""
    stored = await writer.store(NOISE[: parts * PART], **known)
    assert writer.content(stored) == NOISE[: parts * PART]
    right, wrong = (SMALL, BIG) if parts <= 20 else (BIG, SMALL)
    assert writer.calls(right) == parts
    assert writer.calls(wrong) <= wasted


@pytest.mark.parametrize(("known", "total"), [({"size": 22 * PART}, 22), ({}, -1)])
async def test_the_number_of_parts_is_told_as_soon_as_it_is_known(
    writer: Writer, known: dict[str, Any], total: int
) -> None:
    """With an exact length all parts tell it; without one, it is -1 until the last part."""
    data = NOISE[: 20 * PART] + NOISE[: 2 * PART]
    async with writer.open(**known) as upload:
        await upload.write(data)
        await upload.pause()
        (kept,) = [one for key, one in writer.sandbox.state.uploads._uploads.items() if key[3]]
        assert kept.total_parts == total
        assert writer.content(await upload.finish()) == data
        assert kept.total_parts == 22


async def test_several_parts_travel_at_once_within_the_window(make_writer: MakeWriter, until: Until) -> None:
    """While Telegram is slow, the window fills and the writer waits; nothing beyond it is held."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB, "window_bytes_per_upload": MIB})
    hold = writer.sandbox.faults.hold(SMALL)
    async with writer.open(size=4 * MIB) as upload:
        writing = asyncio.create_task(upload.write(NOISE[: 4 * MIB]))
        await hold.reached(16)
        await until(lambda: writer.uploader.budget.held == MIB)
        assert (upload.received, hold.held, writing.done()) == (MIB, 16, False)
        hold.release()
        await writing
        assert writer.content(await upload.finish()) == NOISE[: 4 * MIB]


async def test_one_upload_does_not_take_it_all(make_writer: MakeWriter) -> None:
    """An account's uploads share its window: who comes later gets his share as the first one's parts land."""
    window = {"window_bytes_per_upload": MIB, "window_bytes_per_account": MIB}
    writer = await make_writer(upload={"part_bytes": 64 * KIB, **window})
    size = 6 * MIB
    stored = await asyncio.gather(*(writer.store(NOISE[:size], size=size) for _ in range(5)))
    assert [writer.content(one) == NOISE[:size] for one in stored] == [True] * 5


def shuffled(data: bytes, seed: int) -> Iterable[bytes]:
    """Cut data into pieces of all sizes up to 20 KB."""
    chance, at = random.Random(seed), 0
    while at < len(data):
        size = chance.randrange(20_000)
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("known", KNOWN)
async def test_fifty_slow_uploads_stay_within_the_process_budget(make_writer: MakeWriter, known: str) -> None:
    """Bytes that trickle in for fifty files at once fit into the budget at every moment; all files end."""
    budget = dict.fromkeys(("window_bytes_per_account", "window_bytes_per_process"), 4 * MIB)
    writer = await make_writer(upload={"part_bytes": 64 * KIB, "window_bytes_per_upload": MIB, **budget})
    least_left: list[int] = []
    writer.uploader.budget.relieve = least_left.append
    size = 200_000

    async def trickle(number: int) -> bool:
        data = NOISE[number : number + size]
        upload = writer.uploader.open(writer.client, number % 3, **KNOWN[known](size))
        async with upload:
            for piece in shuffled(data, number):
                await upload.write(piece)
                await asyncio.sleep(0)
            return writer.content(await upload.finish()) == data

    assert await asyncio.gather(*map(trickle, range(50))) == [True] * 50
    assert min(least_left) >= 0


async def test_stalled_uploads_hold_one_part_each_and_others_get_on(make_writer: MakeWriter) -> None:
    """Seven senders that have stalled inside a part leave the eighth the last room, by which it completes."""
    windows = {f"window_bytes_per_{name}": MIB for name in ("upload", "account", "process")}
    writer = await make_writer(upload={"part_bytes": 128 * KIB, **windows})
    stalled = [writer.open() for _ in range(7)]
    for upload in stalled:
        await upload.__aenter__()
        await upload.write(NOISE[: 300 * KIB])
        await upload.pause()
        await upload.write(b"x")
    assert writer.uploader.budget.left == 128 * KIB
    assert writer.content(await writer.store(NOISE[:MIB])) == NOISE[:MIB]
    for upload in stalled:
        assert writer.content(await upload.finish()) == NOISE[: 300 * KIB] + b"x"
        await upload.aclose()


async def test_who_finds_no_room_at_all_is_told(make_writer: MakeWriter) -> None:
    """Beyond what the process may hold, an upload waits for admission, and is refused; nothing is left."""
    windows = {f"window_bytes_per_{name}": MIB for name in ("upload", "account", "process")}
    writer = await make_writer(admission_seconds=0.01, upload=windows)
    async with writer.open() as first, writer.open() as second:
        assert writer.content(await writer.store(b"alone")) == b"alone"
        await first.write(b"x")
        await second.write(b"x")
        with pytest.raises(PoolExhausted):
            await writer.store(b"late")
        await first.aclose()
        assert writer.content(await writer.store(b"in time")) == b"in time"


@pytest.mark.parametrize("size", [900 * KIB, SMALL_FILE_BYTES + 1])
@pytest.mark.parametrize("likely_big", [False, True])
async def test_what_is_kept_gives_way_to_others(
    make_writer: MakeWriter, until: Until, size: int, likely_big: bool
) -> None:
    """A file of unknown length is sent both ways when memory runs short, and is whole on either."""
    windows = {f"window_bytes_per_{name}": MIB for name in ("upload", "account", "process")}
    writer = await make_writer(upload={"part_bytes": 64 * KIB, **windows})
    async with writer.open(likely_big=likely_big) as undecided:
        await undecided.write(NOISE[: 700 * KIB])
        await until(lambda: undecided.held == 11 * 64 * KIB)  # all of it, whether it has arrived or not
        assert writer.content(await writer.store(NOISE[:MIB], size=MIB)) == NOISE[:MIB]
        await undecided.write(NOISE[700 * KIB : size])
        assert writer.content(await undecided.finish()) == NOISE[:size]


async def test_a_pause_holds_no_more_than_is_short_of_a_part(make_writer: MakeWriter) -> None:
    """Between two requests of a resumable upload only the last bytes stay, on whichever client they go on."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB})
    other = await make_writer()
    async with writer.open(size=3 * MIB) as upload:
        for end in (100 * KIB, 128 * KIB, 128 * KIB, MIB + 1, 3 * MIB):
            await upload.write(NOISE[upload.received : end])
            await upload.pause()
            assert upload.held == (end % (64 * KIB) or 64 * KIB)
            assert upload.stored == end - upload.held
            upload.client = other.client if upload.client is writer.client else writer.client
        assert writer.content(await upload.finish()) == NOISE[: 3 * MIB]


async def test_giving_up_leaves_nothing(make_writer: MakeWriter) -> None:
    """Leaving in the middle ends what is in flight at once, and gives all memory back."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB})
    hold = writer.sandbox.faults.hold("upload.*")
    async with writer.open() as upload:
        await upload.write(NOISE[:MIB])
        await hold.reached(15)
    assert writer.idle()
    assert writer.client.files.stats.calls == 0
    hold.release()


async def test_a_cancelled_write_has_counted_exactly_what_it_took(make_writer: MakeWriter) -> None:
    """A sender that is cut off can go on from `received`."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB, "window_bytes_per_upload": MIB})
    hold = writer.sandbox.faults.hold(SMALL)
    async with writer.open(size=3 * MIB) as upload:
        writing = asyncio.create_task(upload.write(NOISE[: 2 * MIB]))
        await hold.reached(16)
        writing.cancel()
        await asyncio.wait({writing})
        assert writing.cancelled()
        assert upload.received == MIB
        hold.release()
        await upload.write(NOISE[MIB : 3 * MIB])
        assert writer.content(await upload.finish()) == NOISE[: 3 * MIB]


async def test_progress_is_told(make_writer: MakeWriter) -> None:
    """An observer hears of every step, and in the end of all bytes."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB})
    meter = Meter()
    await writer.store(NOISE[:MIB], size=MIB, observer=meter)
    received, stored = (list(steps) for steps in zip(*meter.progress, strict=True))
    assert received == sorted(received)
    assert stored == sorted(stored)
    assert meter.progress[-1] == (MIB, MIB)
    assert meter.waits == []


async def test_a_wrong_length_is_a_mistake_of_the_caller(writer: Writer) -> None:
    """More or fewer bytes than announced, or none, or more after the end, are refused."""
    async with writer.open(size=5) as upload:
        with pytest.raises(ValueError, match="beyond"):
            await upload.write(b"123456")
        await upload.write(b"1234")
        with pytest.raises(ValueError, match="shorter"):
            await upload.finish()
        await upload.write(b"5")
        upload.end()
        upload.end()
        with pytest.raises(ValueError, match="beyond"):
            await upload.write(b"6")
        assert writer.content(await upload.finish()) == b"12345"
    async with writer.open() as empty:
        with pytest.raises(ValueError, match="empty"):
            await empty.finish()
