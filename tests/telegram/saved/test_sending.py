"""A file on its way: how large it may be, what is checked of it before it is sent, and what is read of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tgbridge.errors import FileTooLarge
from tgbridge.inspection import inspector_for
from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.telegram.saved.outgoing import Hints
from tgbridge.telegram.saved.sending import Sending
from tgbridge.telegram.transfer.upload.uploader import Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.telegram.conftest import MakePool, SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.client import BridgeClient

PLAIN, PREMIUM = "+9996610001", "+9996619009"
KIB = 1024
PART = 512 * KIB
NO_HINTS = Hints()


class Refused(Exception):
    """The check's own."""


class Open(Protocol):
    """Opens sendings, which hold nothing when the test ends."""

    async def __call__(self, phone: str = PLAIN, **options: Any) -> Sending: ...


@pytest.fixture
async def open_sending(make_pool: MakePool, sign_in: SignIn) -> AsyncIterator[Open]:
    pool = make_pool()
    settings = pool._settings.upload
    uploader = Uploader(settings, pool._settings.telegram)
    lent: list[Any] = []

    async def make(phone: str = PLAIN, **options: Any) -> Sending:
        borrowed = pool.borrow(await sign_in(pool, phone))
        lent.append(borrowed)
        client: BridgeClient = await borrowed.__aenter__()
        defaults: dict[str, Any] = {
            "name": "a.bin",
            "mime_type": "application/octet-stream",
            "head_bytes": 4096,
        }
        claim = options.get("mime_type", defaults["mime_type"])
        defaults["check"] = lambda _: claim
        return Sending(client, uploader, phone, settings, **defaults | options)

    yield make
    assert (uploader.budget.held, uploader.budget.streams) == (0, 0)
    for borrowed in lent:
        await borrowed.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("phone", "size", "fits"),
    [
        (PLAIN, 4000 * PART, True),
        (PLAIN, 4000 * PART + 1, False),
        (PREMIUM, 4000 * PART + 1, True),
        (PREMIUM, 8000 * PART, True),
        (PREMIUM, 8000 * PART + 1, False),
    ],
)
async def test_a_size_that_is_known_is_checked_before_the_first_byte(
    sandbox: Sandbox, open_sending: Open, phone: str, size: int, *, fits: bool
) -> None:
    """4000 parts of 512 KiB, 8000 with Premium: who announces more is refused at once."""
    sending = await open_sending(phone, size=size)
    if fits:
        async with sending:
            await sending.write(b"x")
    else:
        with pytest.raises(FileTooLarge) as caught:
            await sending.__aenter__()
        assert caught.value.limit == (8000 if phone == PREMIUM else 4000) * PART
    assert sandbox.counters.of("upload.saveBigFilePart") == 0


async def test_whoever_needs_no_premium_is_not_asked(sandbox: Sandbox, open_sending: Open) -> None:
    """Telegram is asked who that is only when it makes a difference, and once."""
    async with await open_sending(PREMIUM) as sending:
        calls = sandbox.counters.of("users.getUsers")
        await sending.write(b"x")
        assert sandbox.counters.of("users.getUsers") == calls
        for _ in range(3):
            await sending.allow(4000 * PART + 1)
        assert sandbox.counters.of("users.getUsers") == calls + 1
    async with await open_sending(PLAIN) as sending:
        calls = sandbox.counters.of("users.getUsers")
        for _ in range(3):
            with pytest.raises(FileTooLarge):
                await sending.allow(4000 * PART + 1)
        assert sandbox.counters.of("users.getUsers") == calls + 1


@pytest.mark.parametrize("pieces", [[b"0123456789"], [b"0", b"123", b"456789"], [b"01234", b"", b"56789"]])
async def test_the_check_sees_the_first_bytes_once(open_sending: Open, pieces: list[bytes]) -> None:
    """It is shown as many as it wants, however they come, before anything is sent."""
    seen: list[bytes] = []

    def check(head: bytes) -> str:
        seen.append(head)
        return "application/octet-stream"

    async with await open_sending(check=check, head_bytes=5) as sending:
        for piece in pieces:
            await sending.write(piece)
        assert seen == [b"01234"]
        assert sending.received == 10
        assert (await sending.finish(hints=NO_HINTS)).stored.size == 10
    assert seen == [b"01234"]


@pytest.mark.parametrize("data", [b"", b"short", b"longer than the head"])
async def test_what_the_check_refuses_is_never_sent(
    sandbox: Sandbox, open_sending: Open, data: bytes
) -> None:
    """A short file is checked at its end; nothing of it reaches Telegram."""

    def refuse(_head: bytes) -> None:
        raise Refused

    async def try_it() -> None:
        async with await open_sending(check=refuse, head_bytes=8) as sending:
            await sending.write(data)
            await sending.end()

    with pytest.raises(Refused):
        await try_it()
    assert sandbox.counters.of("upload.saveFilePart") == 0


async def test_names(open_sending: Open) -> None:
    """A file without a name has one by its type."""
    assert (await open_sending(name="", mime_type="image/png")).name == "file.png"
    assert (await open_sending(name="", mime_type="x/unheard-of")).name == "file"
    assert (await open_sending(name="отчёт.pdf")).name == "отчёт.pdf"
    assert (await open_sending(name="blob", mime_type="video/webm")).name == "blob.webm"
    assert (await open_sending(name="blob", mime_type="x/unheard-of")).name == "blob"


async def test_what_the_check_finds_counts(open_sending: Open) -> None:
    """A file of another type than it claims is sent as what it is, is read as that, and named after it."""
    picture = DOCUMENTS["cat"].blob.read(0, 1 << 20)
    async with await open_sending(name="", mime_type="image/jpeg", check=lambda _: "image/webp") as sending:
        await sending.write(picture)
        file = await sending.finish(hints=NO_HINTS)
    assert (file.mime_type, file.name, file.facts.width) == ("image/webp", "file.webp", 512)
    film = DOCUMENTS["valley"].blob.read(0, 1 << 20)
    async with await open_sending(mime_type="video/webm", check=lambda _: "video/mp4") as sending:
        await sending.write(film)
        assert (await sending.finish(hints=NO_HINTS)).facts.width == 640


async def test_what_a_cut_off_write_has_taken_is_read_once(sandbox: Sandbox, open_sending: Open) -> None:
    """A sender that goes on after a loss, from the byte that was received, is understood all the same."""
    film = DOCUMENTS["sea-moov-last"].blob.read(0, 1 << 21)
    hold = sandbox.faults.hold("upload.saveFilePart")
    async with await open_sending(mime_type="video/mp4", size=len(film)) as sending:
        await sending.write(film[: PART + 1])
        sending._upload._rooms._budget.stream_bytes = PART  # as if memory were short
        writing = asyncio.create_task(sending.write(film[PART + 1 :]))
        await hold.reached(1)
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait({writing})
        assert PART < sending.received < len(film)
        hold.release()
        await sending.write(film[sending.received :])
        found = (await sending.finish(hints=NO_HINTS)).facts
        assert (found.duration, found.width) == (30.0, 640)


async def test_what_was_kept_for_reading_goes_when_the_file_is_whole(open_sending: Open) -> None:
    """A picture's beginning counts as held up to its end, and not while others of its album come."""
    async with await open_sending(mime_type="image/jpeg") as sending:
        await sending.write(DOCUMENTS["dawn-original"].blob.read(0, 1 << 20))
        assert sending.held == PART + inspector_for("image/jpeg").keeps
        assert (await sending.finish(hints=NO_HINTS)).facts.width == 1280
        assert sending.held == 0
        assert (await sending.finish(hints=NO_HINTS)).facts.width == 1280
