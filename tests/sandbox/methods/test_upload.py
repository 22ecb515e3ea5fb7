"""Parts on their way in, and the files that they make up."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import errors, functions, types

from tests.sandbox.conftest import for_media
from tgbridge.sandbox.media import PHOTOS
from tgbridge.sandbox.world.uploads import Uploads

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn, Telegram
    from tgbridge.sandbox import Sandbox

KIB = 1024
PREMIUM = "+9996629009"


def refused(name: str) -> Any:
    return pytest.raises(errors.rpcerrorlist.rpc_errors_dict[name])


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


async def save(client: TelegramClient, part: int, data: bytes, file_id: int = 7) -> bool:
    saved: bool = await client(functions.upload.SaveFilePartRequest(file_id, part, data))
    return saved


async def save_big(client: TelegramClient, part: int, total: int, data: bytes, file_id: int = 7) -> bool:
    saved: bool = await client(functions.upload.SaveBigFilePartRequest(file_id, part, total, data))
    return saved


def document(parts: int, *, big: bool = False, md5: str = "", file_id: int = 7) -> Any:
    file = (
        types.InputFileBig(file_id, parts, "file.bin")
        if big
        else types.InputFile(file_id, parts, "file.bin", md5)
    )
    return types.InputMediaUploadedDocument(file, "application/octet-stream", [])


async def send(client: TelegramClient, media: Any) -> types.Message:
    updates = await client(functions.messages.SendMediaRequest("me", media, ""))
    return updates.updates[-1].message


@pytest.mark.parametrize("size", [1, 1023, 128 * KIB, 512 * KIB + 1, 10 * KIB * KIB, 10 * KIB * KIB + 1])
async def test_a_file_comes_back_byte_for_byte(sign_in: SignIn, size: int) -> None:
    """Telethon's own send_file and download_media, on both sides of the border between small and big."""
    client = await sign_in()
    data = content(size)
    sent = await client.send_file("me", data, attributes=[types.DocumentAttributeFilename("some.bin")])
    assert (sent.file.size, sent.file.name, sent.document.dc_id) == (size, "some.bin", 2)
    assert hashlib.sha256(await client.download_media(sent, bytes)).digest() == hashlib.sha256(data).digest()


async def test_parts_come_in_any_order_over_several_connections_and_again(
    sandbox: Sandbox, telegram: Telegram, sign_in: SignIn
) -> None:
    """The file is what its parts are, however they came."""
    client = await sign_in()
    other = await telegram(session=for_media(sandbox, client))
    data = content(5 * 512 * KIB + 77)
    parts = [data[start : start + 512 * KIB] for start in range(0, len(data), 512 * KIB)]
    order = [5, 2, 0, 2, 4, 1, 5, 3, 0]
    await asyncio.gather(
        *(save_big((client, other)[i % 2], part, len(parts), parts[part]) for i, part in enumerate(order))
    )
    sent = await send(client, document(len(parts), big=True))
    assert await client.download_media(sent, bytes) == data


async def test_the_last_part_may_come_first_and_look_like_any_other(sign_in: SignIn) -> None:
    """A short last part of a regular size is told from the others by its number alone."""
    client = await sign_in()
    data = content(3 * KIB)
    await save(client, 1, data[2 * KIB :])
    await save(client, 0, data[: 2 * KIB])
    assert await client.download_media(await send(client, document(2)), bytes) == data


async def test_an_upload_of_unknown_length(sign_in: SignIn) -> None:
    """file_total_parts is -1 until the last part, which names it."""
    client = await sign_in()
    data = content(2 * 512 * KIB + 5)
    await save_big(client, 0, -1, data[: 512 * KIB])
    await save_big(client, 1, -1, data[512 * KIB : 1024 * KIB])
    with pytest.raises(errors.FilePartsInvalidError):
        await send(client, document(2, big=True))
    with refused("FILE_PART_SIZE_INVALID"):
        await save_big(client, 2, -1, data[1024 * KIB :])
    await save_big(client, 2, 3, data[1024 * KIB :])
    assert await client.download_media(await send(client, document(3, big=True)), bytes) == data


@pytest.mark.parametrize(
    ("part", "size", "error"),
    [
        (-1, KIB, "FILE_PART_INVALID"),
        (4000, KIB, "FILE_PART_INVALID"),
        (0, 0, "FILE_PART_EMPTY"),
        (0, 512 * KIB + 1, "FILE_PART_TOO_BIG"),
    ],
)
async def test_a_part_that_can_be_none(sign_in: SignIn, part: int, size: int, error: str) -> None:
    """Its number and its size have bounds."""
    client = await sign_in()
    with refused(error):
        await save(client, part, bytes(size))
    with refused(error):
        await save_big(client, part, -1, bytes(size))


async def test_premium_accounts_may_send_twice_as_many_parts(sign_in: SignIn) -> None:
    """8000 instead of 4000."""
    client = await sign_in(PREMIUM)
    assert await save(client, 7999, bytes(KIB))
    assert await save_big(client, 7999, 8000, bytes(KIB))
    with pytest.raises(errors.FilePartsInvalidError):
        await save_big(client, 0, 8001, bytes(KIB), file_id=8)
    client = await sign_in()
    with pytest.raises(errors.FilePartsInvalidError):
        await save_big(client, 0, 4001, bytes(KIB), file_id=8)


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        ((0, 1000), (1, KIB), "FILE_PART_SIZE_INVALID"),  # 1000 bytes can only be the last
        ((0, 3 * KIB), (1, KIB), "FILE_PART_SIZE_INVALID"),  # does not divide 512 KiB
        ((1, KIB), (0, 1000), "FILE_PART_SIZE_INVALID"),
        ((0, KIB), (1, 2 * KIB), "FILE_PART_SIZE_CHANGED"),  # the last is never longer
        ((1, 2 * KIB), (0, KIB), "FILE_PART_SIZE_CHANGED"),
    ],
)
async def test_parts_have_one_size(
    sign_in: SignIn, first: tuple[int, int], second: tuple[int, int], error: str
) -> None:
    """It divides 512 KiB and is a multiple of 1 KiB; the last part alone may be shorter."""
    client = await sign_in()
    await save(client, first[0], bytes(first[1]))
    with refused(error):
        await save(client, second[0], bytes(second[1]))


async def test_part_sizes_do_not_change_within_a_file(sign_in: SignIn) -> None:
    """A part in the middle of another size is refused."""
    client = await sign_in()
    await save(client, 0, bytes(2 * KIB))
    await save(client, 1, bytes(2 * KIB))
    await save(client, 3, bytes(2 * KIB))
    with refused("FILE_PART_SIZE_CHANGED"):
        await save(client, 2, bytes(4 * KIB))


@pytest.mark.parametrize(
    ("total", "part", "error"),
    [(0, 0, "FILE_PARTS_INVALID"), (-2, 0, "FILE_PARTS_INVALID"), (2, 2, "FILE_PART_INVALID")],
)
async def test_totals_that_are_none(sign_in: SignIn, total: int, part: int, error: str) -> None:
    """file_total_parts is positive, or -1, and more than any part's number."""
    client = await sign_in()
    with refused(error):
        await save_big(client, part, total, bytes(KIB))


async def test_a_total_does_not_change(sign_in: SignIn) -> None:
    """Once it was said, it stays."""
    client = await sign_in()
    await save_big(client, 0, 2, bytes(KIB))
    with pytest.raises(errors.FilePartsInvalidError):
        await save_big(client, 1, 3, bytes(KIB))


async def test_a_file_is_sent_when_it_is_whole(sign_in: SignIn) -> None:
    """A missing part is named; a number of parts that is not theirs is refused."""
    client = await sign_in()
    await save(client, 0, bytes(KIB))
    await save(client, 2, bytes(KIB))
    with pytest.raises(errors.FilePartMissingError) as caught:
        await send(client, document(3))
    assert caught.value.which == 1
    for parts in (0, 2):
        with pytest.raises(errors.FilePartsInvalidError):
            await send(client, document(parts))
    await save(client, 1, bytes(KIB))
    with pytest.raises(errors.FilePartMissingError):
        await send(client, document(4))
    assert (await send(client, document(3))).file.size == 3 * KIB


async def test_a_checksum_is_checked(sign_in: SignIn) -> None:
    """MD5_CHECKSUM_INVALID for a wrong one, none is fine."""
    client = await sign_in()
    await save(client, 0, b"hello")
    with pytest.raises(errors.Md5ChecksumInvalidError):
        await send(client, document(1, md5="0" * 32))
    right = hashlib.md5(b"hello").hexdigest()
    assert (await send(client, document(1, md5=right.upper()))).file.size == 5
    assert (await send(client, document(1))).file.size == 5


async def test_an_upload_is_its_owners_its_data_centres_and_its_methods(
    telegram: Telegram, sign_in: SignIn
) -> None:
    """Another account, another data centre or the other method has no such file."""
    client, stranger = await sign_in(), await sign_in("+9996620002")
    await save(client, 0, b"mine")
    with pytest.raises(errors.FilePart0MissingError):
        await send(stranger, document(1))
    with pytest.raises(errors.FilePart0MissingError):
        await send(client, document(1, big=True))
    abroad = await telegram(3)
    exported = await client(functions.auth.ExportAuthorizationRequest(3))
    await abroad(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    await save(abroad, 0, b"abroad", file_id=9)
    with pytest.raises(errors.FilePart0MissingError):
        await send(client, document(1, file_id=9))
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await save(await telegram(), 0, b"nobody's")


async def test_parts_are_forgotten_after_a_while(sign_in: SignIn, sandbox: Sandbox) -> None:
    """An upload that waits too long is gone, and its bytes with it."""
    client = await sign_in()
    await save(client, 0, b"old")
    sandbox.state.uploads.lifetime = 0.0
    with pytest.raises(errors.FilePart0MissingError):
        await send(client, document(1))
    sandbox.state.expire_uploads()
    assert len(sandbox.state.uploads) == 0
    assert list((sandbox.state.directory / "uploads").iterdir()) == []


async def test_what_was_sent_stays_when_its_upload_goes(sign_in: SignIn, sandbox: Sandbox) -> None:
    """A message's bytes do not depend on the upload, nor on later parts under the same id."""
    client = await sign_in()
    await save(client, 0, b"first")
    sent = await send(client, document(1))
    assert await save(client, 0, b"first")
    again = await send(client, document(1))
    await save(client, 0, b"other")
    other = await send(client, document(1))
    sandbox.state.expire_uploads()
    found = [await client.download_media(message, bytes) for message in (sent, again, other)]
    assert found == [b"first", b"first", b"other"]


async def test_a_small_file_has_ten_mebibytes_at_most(sign_in: SignIn) -> None:
    """What is larger has to come by saveBigFilePart."""
    client = await sign_in()
    part = bytes(512 * KIB)
    await asyncio.gather(*(save(client, number, part) for number in range(21)))
    with pytest.raises(errors.FilePartsInvalidError):
        await send(client, document(21))


async def test_attributes_and_thumbnail_are_kept(sign_in: SignIn) -> None:
    """A document has the attributes and the picture that it was sent with."""
    client = await sign_in()
    small: Any = PHOTOS["noon"].sizes[1]
    jpeg = small.source.read(0, 1 << 20)
    sent = await client.send_file(
        "me",
        io.BytesIO(b"not really a video"),
        thumb=jpeg,
        attributes=[
            types.DocumentAttributeVideo(3.5, 64, 48, supports_streaming=True),
            types.DocumentAttributeFilename("видео 🎬.mp4"),
        ],
        mime_type="video/mp4",
    )
    assert sent.media.video
    assert (sent.file.name, sent.file.mime_type, sent.file.duration) == ("видео 🎬.mp4", "video/mp4", 3.5)
    stripped, thumb = sent.document.thumbs
    assert isinstance(stripped, types.PhotoStrippedSize)
    assert (thumb.type, thumb.w, thumb.h, thumb.size) == ("m", small.width, small.height, len(jpeg))
    assert await client.download_media(sent, bytes, thumb=-1) == jpeg


@given(
    size=st.integers(1, 40 * KIB),
    part_size=st.sampled_from([KIB, 2 * KIB, 8 * KIB]),
    order=st.randoms(use_true_random=False),
    reads=st.lists(st.tuples(st.integers(0, 40 * KIB), st.integers(1, 20 * KIB)), max_size=3),
)
def test_any_order_of_parts_makes_the_same_file(
    tmp_path_factory: pytest.TempPathFactory,
    size: int,
    part_size: int,
    order: random.Random,
    reads: list[tuple[int, int]],
) -> None:
    """Parts shuffled, some of them twice, small or big: what is read is what was cut up."""
    uploads, data = Uploads(tmp_path_factory.mktemp("parts"), lambda: 0.0), content(size)
    parts = [data[start : start + part_size] for start in range(0, size, part_size)]
    numbers = [*range(len(parts)), *order.sample(range(len(parts)), len(parts) // 2)]
    order.shuffle(numbers)
    for number in numbers:
        uploads.save_small((1, 2, 3), number, parts[number], limit=4000)
        uploads.save_big((1, 2, 3), number, len(parts), parts[number], limit=4000)
    for file in (types.InputFile(3, len(parts), "", ""), types.InputFileBig(3, len(parts), "")):
        blob = uploads.finish(1, 2, file)
        assert blob.read(0, size + 1) == data
        for offset, limit in reads:
            assert blob.read(offset, limit) == data[offset : offset + limit]
