"""What goes wrong in downloads: at the first, a middle and the last part, with one and ten streams."""

from __future__ import annotations

import asyncio
import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from tests.telegram.transfer.conftest import PHONE
from tgbridge.errors import (
    FileCorrupted,
    FloodWait,
    InternalError,
    MediaNotFound,
    TelegramFailure,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.sandbox.world.builders import Variant
from tgbridge.telegram.saved.items import remote_file, remote_thumbnail
from tgbridge.telegram.transfer.download import hedging
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.telegram.transfer.conftest import MakeReader, Reader
    from tgbridge.sandbox import Faults
    from tgbridge.telegram.transfer.remote_file import RemoteFile

SIZE = MIB + 4321
PARTS = 5  # of 128, 128, 256 and 512 KiB, and the rest
IMPATIENT = {"request_timeout_seconds": 0.3}

MENDED: dict[str, Callable[..., Any]] = {
    "migrated": lambda faults, **scope: faults.error("upload.getFile", 303, "FILE_MIGRATE_3", dc=1, **scope),
    "reference expired": lambda faults, **scope: faults.error(
        "upload.getFile", 400, "FILE_REFERENCE_EXPIRED", **scope
    ),
    "reference invalid": lambda faults, **scope: faults.error(
        "upload.getFile", 400, "FILE_REFERENCE_INVALID", **scope
    ),
    "reference empty": lambda faults, **scope: faults.error(
        "upload.getFile", 400, "FILE_REFERENCE_EMPTY", **scope
    ),
    "flood wait": lambda faults, **scope: faults.flood_wait("upload.getFile", 0, **scope),
    "flood wait for want of Premium": lambda faults, **scope: faults.flood_wait(
        "upload.getFile", 0, premium=True, **scope
    ),
    "short": lambda faults, **scope: faults.short(**scope),
    "empty": lambda faults, **scope: faults.short(keep=0, **scope),
    "internal error": lambda faults, **scope: faults.internal_error("upload.getFile", **scope),
    "timeout there": lambda faults, **scope: faults.internal_error(
        "upload.getFile", code=-503, message="Timeout", **scope
    ),
    "connection dropped": lambda faults, **scope: faults.drop("upload.getFile", **scope),
    "connection silent": lambda faults, **scope: faults.silence("upload.getFile", connection=True, **scope),
    "connection slow": lambda faults, **scope: faults.throttle("upload.getFile", 100, **scope),
}


@pytest.mark.parametrize("streams", [1, 10])
@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("fault", MENDED)
@pytest.mark.swift_time
async def test_what_is_mended(
    make_reader: MakeReader, fault: str, where: str, streams: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong, wherever, and however many read: the bytes are the file's."""
    monkeypatch.setattr(hedging, "SHORTEST_PATIENCE", 0.1)
    monkeypatch.setattr(hedging, "FIRST_PATIENCE", 0.2)
    reader = await make_reader(telegram=IMPATIENT if "silent" in fault else {})
    files = [await reader.file(SIZE + number) for number in range(streams)]
    skip = {"first": 0, "middle": PARTS // 2, "last": PARTS - 1}[where] * streams
    rule = MENDED[fault](reader.sandbox.faults, skip=skip)
    bodies = await asyncio.gather(*(reader.read(file) for file in files))
    assert rule.applied == 1
    assert bodies == [reader.expected(file) for file in files]


@pytest.mark.parametrize("streams", [1, 10])
@pytest.mark.parametrize("where", [0, PARTS // 2, PARTS - 1], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (
            lambda faults, skip: faults.error("upload.getFile", 400, "LOCATION_INVALID", skip=skip),
            TelegramRefused,
        ),
        (lambda faults, skip: faults.flood_wait("upload.getFile", 200, skip=skip), FloodWait),
        (lambda faults, skip: faults.short(skip=skip, times=None), FileCorrupted),
        (lambda faults, skip: faults.short(skip=skip, times=None, keep=0), FileCorrupted),
        (lambda faults, skip: faults.drop("upload.getFile", skip=skip, times=None), TelegramUnavailable),
        (
            lambda faults, skip: faults.internal_error("upload.getFile", skip=skip, times=None),
            InternalError,
        ),
    ],
    ids=["refused", "long flood wait", "half a part", "no part", "always dropped", "always failing"],
)
@pytest.mark.swift_time
async def test_what_is_not_mended(
    reader: Reader,
    refusal: Callable[[Faults, int], Any],
    kind: type[TelegramFailure],
    where: int,
    streams: int,
) -> None:
    """Reading raises, after bytes that are right; whoever it does not concern has the whole file."""
    files = [await reader.file(SIZE + number) for number in range(streams)]
    refusal(reader.sandbox.faults, where * streams)
    await expect_failures(reader, files, kind)
    reader.sandbox.faults.clear()


async def expect_failures(reader: Reader, files: list[RemoteFile], kind: type[TelegramFailure]) -> None:
    bodies = [bytearray() for _ in files]
    reading = (reader.read_into(body, reader.open(file)) for file, body in zip(files, bodies, strict=True))
    outcomes = await asyncio.gather(*reading, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} - {type(None)} == {kind}
    for file, body, outcome in zip(files, bodies, outcomes, strict=True):
        assert body == reader.expected(file, 0, len(body))
        assert (len(body) == file.size) is (outcome is None)
    assert reader.idle()


async def test_before_the_first_byte_entering_raises(reader: Reader) -> None:
    """So that there can be a status; after it, reading does."""
    file = await reader.file(SIZE)
    reader.sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID")
    with pytest.raises(TelegramRefused):
        await reader.open(file).__aenter__()
    assert reader.idle()
    reader.sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID", skip=1)
    async with reader.open(file) as download:
        assert len(await anext(download)) == 128 * KIB
        with pytest.raises(TelegramRefused):
            await anext(download)


async def test_expired_references_are_renewed_once_for_all_parts(reader: Reader) -> None:
    """Many parts in flight, one request for the message; the next download knows the new reference."""
    file = await reader.file(12 * MIB)
    async with reader.open(file) as download:
        body = bytearray(bytes(await anext(download)))
        reader.sandbox.faults.expire_file_references()
        async for chunk in download:
            body += bytes(chunk)
    assert body == reader.expected(file)
    assert reader.refetched == [file.message_id]
    await reader.read(await reader.look_up(file.message_id), 5 * MIB)
    assert reader.refetched == [file.message_id]


@pytest.mark.parametrize("kind", ["photo", "thumbnail"])
async def test_references_of_photos_and_thumbnails_are_renewed_as_well(reader: Reader, kind: str) -> None:
    """Once for all parts that wait, at the first part and in the middle."""
    account, blob = reader.sandbox.state.account_of(PHONE), Synthetic(6 * MIB)
    large = Variant("y", blob, 1280, 960)
    media: Any
    if kind == "photo":
        media = types.MessageMediaPhoto(photo=account.photo([large]))
    else:
        made = account.document(b"a video", mime_type="video/mp4", thumbs=[large])
        media = types.MessageMediaDocument(document=made)
    message_id = account.add_message(media=media).id
    reader.blobs[message_id] = blob
    reader.find = remote_file if kind == "photo" else partial(remote_thumbnail, fit="large")
    file = await reader.look_up(message_id)
    reader.sandbox.faults.expire_file_references()
    async with reader.open(file) as download:
        assert reader.refetched == [message_id]
        body = bytearray(bytes(await anext(download)))
        reader.sandbox.faults.expire_file_references()
        async for chunk in download:
            body += bytes(chunk)
    assert body == blob.read(0, blob.size)
    assert reader.refetched == [message_id] * 2


async def test_ten_streams_of_a_file_renew_its_reference_once(reader: Reader) -> None:
    """All streams of a file share what one of them learns."""
    file = await reader.file(8 * MIB)
    reader.sandbox.faults.expire_file_references()
    spans = [(number * 700_000, number * 700_000 + 900_000) for number in range(10)]
    bodies = await asyncio.gather(*(reader.read(file, *span) for span in spans))
    assert bodies == [reader.expected(file, *span) for span in spans]
    assert reader.refetched == [file.message_id]


async def test_the_one_who_renews_may_leave(reader: Reader) -> None:
    """The message is fetched for all who wait, not for the first alone."""
    file = await reader.file(MIB)
    reader.sandbox.faults.expire_file_references()
    held = reader.sandbox.faults.hold("messages.getMessages")
    leaving, staying = (
        asyncio.create_task(reader.read(file, start, start + 1000)) for start in (0, 512 * KIB)
    )
    await held.reached(1)
    leaving.cancel()
    await asyncio.wait((leaving,))
    held.release()
    assert await staying == reader.expected(file, 512 * KIB, 512 * KIB + 1000)


async def test_a_message_that_is_gone_when_its_reference_expires(reader: Reader) -> None:
    """Its absence is told as such."""
    file = await reader.file(MIB)
    reader.sandbox.state.account_of(PHONE).history.delete([file.message_id])
    reader.sandbox.faults.expire_file_references()
    with pytest.raises(MediaNotFound):
        await reader.read(file)


async def test_one_of_two_messages_with_a_file_is_gone(reader: Reader) -> None:
    """Who reads the file by the other one notices nothing, though both streams share what they learn."""
    file = await reader.file(2 * MIB)
    account = reader.sandbox.state.account_of(PHONE)
    message = account.history.get(file.message_id)
    assert message is not None
    again = account.add_message(media=message.media).id
    reader.blobs[again] = reader.blobs[file.message_id]
    other = await reader.look_up(again)
    account.history.delete([file.message_id])
    reader.sandbox.faults.expire_file_references()
    held = reader.sandbox.faults.hold("messages.getMessages")
    gone = asyncio.create_task(reader.read(file))
    await held.reached(1)
    there = asyncio.create_task(reader.read(other, MIB))
    await reader.until(lambda: reader.calls() >= 5)
    held.release()
    assert await there == reader.expected(other, MIB)
    with pytest.raises(MediaNotFound):
        await gone


async def test_a_message_that_holds_another_file_by_now(reader: Reader) -> None:
    """Its bytes are not taken for the rest of the first one."""
    file, other = await reader.file(MIB), await reader.file(MIB)
    reader.sandbox.faults.expire_file_references()
    moved = dataclasses.replace(file, message_id=other.message_id)
    with pytest.raises(MediaNotFound, match="another file"):
        await reader.read(moved)


async def test_a_reference_that_never_works(reader: Reader) -> None:
    """Telegram's refusal is passed on after some attempts."""
    file = await reader.file(MIB)
    reader.sandbox.faults.error("upload.getFile", 400, "FILE_REFERENCE_EXPIRED", times=None)
    with pytest.raises(TelegramRefused, match="FILE_REFERENCE_EXPIRED"):
        await reader.read(file)


async def test_the_data_centre_is_remembered(reader: Reader) -> None:
    """A file that is elsewhere than its message says is found, and the next download goes there."""
    file = dataclasses.replace(await reader.file(20 * MIB, dc_id=3), dc_id=1)
    assert await reader.read(file, 0, 1000) == reader.expected(file, 0, 1000)
    assert reader.sandbox.calls[1, "upload.getFile"] == 1
    assert await reader.read(file, 10 * MIB, 11 * MIB) == reader.expected(file, 10 * MIB, 11 * MIB)
    assert reader.sandbox.calls[1, "upload.getFile"] == 1


async def test_data_centres_that_send_us_to_each_other(reader: Reader) -> None:
    """The chase ends."""
    file = await reader.file(MIB)
    reader.sandbox.faults.error("upload.getFile", 303, "FILE_MIGRATE_3", dc=1, times=None)
    reader.sandbox.faults.error("upload.getFile", 303, "FILE_MIGRATE_1", dc=3, times=None)
    with pytest.raises(TelegramRefused, match="FILE_MIGRATE"):
        await reader.read(file)


@pytest.mark.parametrize("told", [SIZE - 1, SIZE + 1, SIZE + MIB])
async def test_a_file_of_another_length_than_told(reader: Reader, told: int) -> None:
    """Neither a shorter nor a longer file passes for whole."""
    file = dataclasses.replace(await reader.file(SIZE), size=told)
    with pytest.raises(FileCorrupted, match="length"):
        await reader.read(file)


async def test_hashes_are_verified_where_the_setting_asks(make_reader: MakeReader) -> None:
    """Intact parts pass, and each block's hash is asked for."""
    reader = await make_reader(files={"verify_hashes": True})
    file = await reader.file(SIZE)
    assert await reader.read(file) == reader.expected(file)
    assert reader.calls("upload.getFileHashes") >= 2


@pytest.mark.parametrize("streams", [1, 10])
@pytest.mark.parametrize("where", [0, PARTS // 2, PARTS - 1], ids=["first", "middle", "last"])
async def test_an_altered_byte_is_found_wherever_it_is(
    make_reader: MakeReader, where: int, streams: int
) -> None:
    """The part that does not match ends its own download, and no other."""
    reader = await make_reader(files={"verify_hashes": True})
    files = [await reader.file(SIZE + number) for number in range(streams)]
    altered = reader.sandbox.faults.alter(skip=where * streams)
    await expect_failures(reader, files, FileCorrupted)
    assert altered.applied == 1


async def test_without_the_setting_no_hashes_are_asked_for(reader: Reader) -> None:
    """MTProto's own checks suffice by default."""
    file = await reader.file(MIB)
    await reader.read(file)
    assert reader.calls("upload.getFileHashes") == 0
