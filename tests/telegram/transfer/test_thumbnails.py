"""Thumbnails in memory: read once, whole, and each account's own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import FloodWait
from tgbridge.settings import FilesSettings
from tgbridge.telegram.transfer.thumbnails import Thumbnails

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import MakeReader, Reader
    from tgbridge.telegram.transfer.remote_file import RemoteFile

KIB = 1024
GET_FILE = "upload.getFile"


@pytest.fixture
async def reader(make_reader: MakeReader) -> Reader:
    # So that nothing comes from the memory of parts.
    return await make_reader(files={"cache_bytes_per_account": 0})


def thumbnails(reader: Reader, account_kib: int = 100, process_kib: int = 150) -> Thumbnails:
    settings = FilesSettings.model_validate(
        {
            "thumbnail_bytes_per_account": account_kib * KIB,
            "thumbnail_bytes_per_process": process_kib * KIB,
        }
    )
    return Thumbnails(reader.downloader, settings)


async def fetch(reader: Reader, kept: Thumbnails, file: RemoteFile) -> RemoteFile:
    return await kept.fetch(reader.client, file, partial(reader.look_up, file.message_id))


async def test_it_is_read_once(reader: Reader) -> None:
    """By ten who want it at the same time, and by those who come later not at all."""
    kept, file = thumbnails(reader), await reader.file(30 * KIB)
    account = reader.client.files.account
    assert kept.known(account, file) is None
    found = await asyncio.gather(*(fetch(reader, kept, file) for _ in range(10)))
    assert {one.content for one in found} == {reader.expected(file)}
    assert reader.calls() == 1
    known = kept.known(account, file)
    assert known is not None
    assert (known.content, known.size, known.etag) == (reader.expected(file), 30 * KIB, file.etag)
    assert kept.held == 30 * KIB


async def test_another_message_with_the_same_file(reader: Reader) -> None:
    """It has a name of its own, and the same bytes."""
    kept, file = thumbnails(reader), await reader.file(1000)
    await fetch(reader, kept, file)
    known = kept.known(reader.client.files.account, replace(file, name="other.jpg", stem="", message_id=7))
    assert known is not None
    assert (known.name, known.message_id, known.content) == ("other.jpg", 7, reader.expected(file))


async def test_a_type_that_is_guessed(reader: Reader) -> None:
    """What is in memory tells it."""
    kept, file = thumbnails(reader), await reader.file(1000)
    guessed = replace(file, is_guessed=True)
    assert (await fetch(reader, kept, guessed)).is_guessed is False
    known = kept.known(reader.client.files.account, guessed)
    assert known is not None
    assert known.is_guessed is False


async def test_accounts_are_never_mixed(reader: Reader) -> None:
    """Another account has to read it itself, though it knows the very file."""
    kept, file = thumbnails(reader), await reader.file(1000)
    await fetch(reader, kept, file)
    assert kept.known("somebody else", file) is None


async def test_bounds(reader: Reader) -> None:
    """An account keeps so many bytes, those it has looked at last; what it forgets is read again."""
    kept, account = thumbnails(reader), reader.client.files.account
    files = [await reader.file(40 * KIB) for _ in range(4)]
    for file in files:
        await fetch(reader, kept, file)
    assert kept.held == 80 * KIB
    assert [kept.known(account, file) is not None for file in files] == [False, False, True, True]
    kept.forget(account)
    assert (kept.held, kept.known(account, files[3])) == (0, None)


async def test_nothing_is_kept_of_what_has_failed(reader: Reader) -> None:
    """Each who waits is told, and the next one reads it."""
    kept, file = thumbnails(reader), await reader.file(1000)
    reader.sandbox.faults.flood_wait(GET_FILE, 33, times=1)
    ends = await asyncio.gather(*(fetch(reader, kept, file) for _ in range(2)), return_exceptions=True)
    assert [type(end) for end in ends] == [FloodWait, FloodWait]
    assert (kept.held, len(kept._fetching)) == (0, 0)


async def test_one_who_gives_up_does_not_harm_others(reader: Reader) -> None:
    """The reading goes on for those who wait, and nothing is left of it when nobody does."""
    kept, file = thumbnails(reader), await reader.file(1000)
    held = reader.sandbox.faults.hold(GET_FILE)
    impatient, patient = (asyncio.create_task(fetch(reader, kept, file)) for _ in range(2))
    await held.reached(1)
    impatient.cancel()
    await asyncio.wait((impatient,))
    held.release()
    assert (await patient).content == reader.expected(file)
    assert len(kept._fetching) == 0
