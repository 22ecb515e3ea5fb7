"""Files by way of the sandbox's CDN data centre, which is trusted with nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from tgbridge.errors import FloodWait, TelegramUnavailable
from tgbridge.telegram.transfer.download.cdn import decrypt
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.telegram.transfer.conftest import MakeReader, Reader
    from tgbridge.telegram.transfer.remote_file import RemoteFile

pytestmark = pytest.mark.swift_time

SIZE = 3 * MIB + 4321
KEY, IV = bytes(range(32)), bytes(range(100, 116))


@pytest.mark.parametrize("offset", [0, 16, 4096, 131072, 5 * MIB])
def test_a_part_is_decrypted_wherever_it_lies(offset: int) -> None:
    """The counter begins with the number of blocks before the part, in the IV's last four bytes."""
    iv = IV[:12] + bytes(4)
    plain = bytes(offset) + b"the part's own bytes, not a whole number of blocks"
    encrypted = Cipher(AES(KEY), CTR(iv)).encryptor().update(plain)
    assert decrypt(memoryview(encrypted)[offset:], offset, key=KEY, iv=IV) == plain[offset:]


async def test_a_file_comes_from_the_cdn(reader: Reader) -> None:
    """Redirected once, handed over once, and every part decrypted and verified."""
    file = await reader.file(SIZE, cdn=True)
    assert await reader.read(file) == reader.expected(file)
    assert reader.calls() <= 4  # those that were on their way before the redirect was known
    assert reader.calls("upload.reuploadCdnFile") >= 1
    assert reader.calls("upload.getCdnFile") >= 6


async def test_the_next_range_goes_to_the_cdn_at_once(reader: Reader) -> None:
    """The redirect is remembered, and so are the hashes."""
    file = await reader.file(20 * MIB, cdn=True)
    await reader.read(file, 0, 1000)
    calls = reader.calls(), reader.calls("upload.getCdnFileHashes")
    assert await reader.read(file, 600_000, 700_000) == reader.expected(file, 600_000, 700_000)
    assert (reader.calls(), reader.calls("upload.getCdnFileHashes")) == calls


async def test_ten_streams_from_the_cdn(reader: Reader) -> None:
    """Each is its own file's."""
    files = [await reader.file(MIB + number, cdn=True) for number in range(10)]
    bodies = await asyncio.gather(*(reader.read(file) for file in files))
    assert bodies == [reader.expected(file) for file in files]


async def handed_over(reader: Reader, size: int) -> RemoteFile:
    """A file that the CDN has, so that each of its parts is asked for once."""
    file = await reader.file(size, cdn=True)
    stored, cdn = reader.sandbox.state.files.get(file.file_id), reader.sandbox.state.cdn
    assert stored is not None
    cdn.redirect(stored)
    cdn._by_id[file.file_id].stored = True
    return file


SMALL, PARTS = MIB + 4321, 5  # of 128, 128, 256 and 512 KiB, and the rest
GET_CDN_FILE = "upload.getCdnFile"
MENDED: dict[str, Callable[..., Any]] = {
    "token refused": lambda faults, **scope: faults.error(GET_CDN_FILE, 400, "FILE_TOKEN_INVALID", **scope),
    "refused": lambda faults, **scope: faults.error(GET_CDN_FILE, 400, "CDN_METHOD_INVALID", **scope),
    "internal error": lambda faults, **scope: faults.internal_error(GET_CDN_FILE, **scope),
    "connection dropped": lambda faults, **scope: faults.drop(GET_CDN_FILE, **scope),
    "altered": lambda faults, **scope: faults.alter(GET_CDN_FILE, **scope),
    "short": lambda faults, **scope: faults.short(GET_CDN_FILE, **scope),
    "nothing": lambda faults, **scope: faults.short(GET_CDN_FILE, keep=0, **scope),
}


@pytest.mark.parametrize("streams", [1, 10])
@pytest.mark.parametrize("fault", MENDED)
async def test_what_is_mended(reader: Reader, fault: str, streams: int) -> None:
    """Whatever the CDN does, at whichever part, and however many read: the bytes are the file's."""
    for where in (0, PARTS // 2, PARTS - 1):
        files = [await handed_over(reader, SMALL + number) for number in range(streams)]
        rule = MENDED[fault](reader.sandbox.faults, skip=where * streams)
        bodies = await asyncio.gather(*(reader.read(file) for file in files))
        assert rule.applied == 1
        assert bodies == [reader.expected(file) for file in files]


@pytest.mark.parametrize("streams", [1, 10])
@pytest.mark.parametrize("loss", ["evict", "expire_tokens"])
async def test_what_the_cdn_loses(reader: Reader, loss: str, streams: int) -> None:
    """Files that have to be handed over anew, under the same token or another, before any of their parts."""
    for where in (0, PARTS // 2, PARTS - 1):
        files = [await handed_over(reader, SMALL + number) for number in range(streams)]
        held = reader.sandbox.faults.hold(GET_CDN_FILE, skip=where * streams, times=1)
        reading = asyncio.gather(*(reader.read(file) for file in files))
        await held.reached(1)
        getattr(reader.sandbox.state.cdn, loss)()
        held.release()
        assert await reading == [reader.expected(file) for file in files]


async def test_a_cdn_that_wants_us_to_wait(reader: Reader) -> None:
    """The origin does not."""
    file = await handed_over(reader, SIZE)
    reader.sandbox.faults.flood_wait(GET_CDN_FILE, 100, skip=3)
    assert await reader.read(file) == reader.expected(file)


@pytest.mark.parametrize("name", ["FILE_TOKEN_INVALID", "REQUEST_TOKEN_INVALID"])
@pytest.mark.parametrize("method", ["upload.reuploadCdnFile", "upload.getCdnFileHashes", "upload.getCdnFile"])
async def test_tokens_that_are_refused(reader: Reader, method: str, name: str) -> None:
    """Whoever refuses them, the bytes come in the end."""
    file = await reader.file(SIZE, cdn=True)
    reader.sandbox.faults.error(method, 400, name, times=2)
    assert await reader.read(file) == reader.expected(file)


async def test_a_cdn_that_alters_bytes_is_not_asked_again(reader: Reader) -> None:
    """What does not match its hash is thrown away, and the origin asked for the file itself."""
    file = await reader.file(SIZE, cdn=True)
    await reader.read(file, 0, 1000)
    reader.sandbox.state.cdn._by_id[file.file_id].iv = bytes(16)
    calls = reader.calls()
    assert await reader.read(file, 2 * MIB, file.size) == reader.expected(file, 2 * MIB, file.size)
    assert reader.calls() > calls
    asked = reader.calls("upload.getCdnFile")
    assert await reader.read(file, MIB, 2 * MIB) == reader.expected(file, MIB, 2 * MIB)
    assert reader.calls("upload.getCdnFile") == asked


async def test_a_cdn_that_fails_for_good(reader: Reader) -> None:
    """It is no reason to fail: the origin has the file as well."""
    file = await reader.file(SIZE, cdn=True)
    reader.sandbox.faults.error("upload.getCdnFile", 400, "CDN_METHOD_INVALID", times=None)
    assert await reader.read(file) == reader.expected(file)


@pytest.mark.parametrize("error", [(500, "CDN_UPLOAD_TIMEOUT"), (400, "RSA_DECRYPT_FAILED")])
@pytest.mark.parametrize("method", ["upload.reuploadCdnFile", "upload.getCdnFileHashes"])
async def test_a_file_that_cannot_be_handed_over(reader: Reader, method: str, error: tuple[int, str]) -> None:
    """The origin can send it itself."""
    file = await reader.file(SIZE, cdn=True)
    reader.sandbox.faults.error(method, *error, times=None)
    assert await reader.read(file) == reader.expected(file)


async def test_a_wait_at_the_origin_is_told(reader: Reader) -> None:
    """It is the account's, whichever method it is for."""
    file = await reader.file(SIZE, cdn=True)
    reader.sandbox.faults.flood_wait("upload.reuploadCdnFile", 30)
    with pytest.raises(FloodWait):
        await reader.read(file)


async def test_parts_too_small_to_be_verified_come_from_the_origin(make_reader: MakeReader) -> None:
    """Their bytes would have to be believed; the larger ones come from the CDN all the same."""
    reader = await make_reader(files={"first_part_bytes": 4 * KIB})
    file = await handed_over(reader, 12 * MIB)
    for start, parts in ((0, 4), (8 * MIB, 4), (MIB + 8 * KIB, 0)):
        asked = reader.calls(GET_CDN_FILE)
        stop = start + (2 * MIB if parts else 4 * KIB)
        assert await reader.read(file, start, stop) == reader.expected(file, start, stop)
        assert reader.calls(GET_CDN_FILE) - asked == parts  # of 128, 256 and 512 KiB, and 1 MiB


async def test_neither_the_cdn_nor_the_origin(reader: Reader) -> None:
    """Where nobody serves the file, the download fails."""
    file = await reader.file(MIB, cdn=True)
    reader.sandbox.faults.error("upload.getCdnFile", 400, "CDN_METHOD_INVALID", times=None)
    reader.sandbox.faults.internal_error("upload.getFile", times=None, skip=1)
    with pytest.raises(TelegramUnavailable):
        await reader.read(file, 0, 10)
