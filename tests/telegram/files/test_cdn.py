"""Files by way of the sandbox's CDN data centre, which is trusted with nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from tgbridge.errors import TelegramUnavailable
from tgbridge.telegram.files.cdn import decrypt
from tgbridge.telegram.files.parts import MIB

if TYPE_CHECKING:
    from tests.telegram.files.conftest import Reader

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


async def test_a_file_that_the_cdn_dropped_is_handed_over_again(reader: Reader) -> None:
    """In the middle of a download, for all parts that wait."""
    file = await reader.file(8 * MIB, cdn=True)
    async with reader.open(file) as download:
        body = bytearray(await anext(download))
        reader.sandbox.state.cdn.evict()
        async for chunk in download:
            body += chunk
    assert body == reader.expected(file)


async def test_tokens_that_have_expired(reader: Reader) -> None:
    """The origin is asked again."""
    file = await reader.file(8 * MIB, cdn=True)
    async with reader.open(file) as download:
        body = bytearray(await anext(download))
        reader.sandbox.state.cdn.expire_tokens()
        async for chunk in download:
            body += chunk
    assert body == reader.expected(file)


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


async def test_neither_the_cdn_nor_the_origin(reader: Reader) -> None:
    """Where nobody serves the file, the download fails."""
    file = await reader.file(MIB, cdn=True)
    reader.sandbox.faults.error("upload.getCdnFile", 400, "CDN_METHOD_INVALID", times=None)
    reader.sandbox.faults.internal_error("upload.getFile", times=None, skip=1)
    with pytest.raises(TelegramUnavailable):
        await reader.read(file, 0, 10)
