"""Files on their way out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import errors, functions, types

from tgbridge.sandbox.dispatch import RpcError
from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.methods.upload import check_range
from tgbridge.sandbox.seeds import IDS
from tgbridge.sandbox.world.blobs import BLOCK, Synthetic

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn, Telegram
    from tgbridge.sandbox import Sandbox

KIB = 1024


def refused(name: str) -> Any:
    return pytest.raises(errors.rpcerrorlist.rpc_errors_dict[name])


async def seeded(client: TelegramClient, key: str) -> types.Message:
    return await client.get_messages("me", ids=IDS[key])


def whole(blob: Any) -> bytes:
    content: bytes = blob.read(0, blob.size)
    return content


def location(file: Any, letter: str = "", **changes: Any) -> Any:
    kind = types.InputPhotoFileLocation if isinstance(file, types.Photo) else types.InputDocumentFileLocation
    fields = {
        "id": file.id,
        "access_hash": file.access_hash,
        "file_reference": file.file_reference,
        "thumb_size": letter,
    }
    return kind(**{**fields, **changes})


async def get(client: TelegramClient, place: Any, offset: int = 0, limit: int = 4 * KIB, **flags: Any) -> Any:
    return await client(functions.upload.GetFileRequest(place, offset, limit, **flags))


@pytest.mark.parametrize("key", ["video", "video_moov_last", "pdf", "nameless"])
async def test_documents_come_as_they_are(sign_in: SignIn, key: str) -> None:
    """Telethon's own download, from the home data centre and from another one."""
    client = await sign_in()
    message = await seeded(client, key)
    found = await client.download_media(message, bytes)
    assert len(found) == message.file.size


async def test_every_size_of_a_photo_has_its_letter(sign_in: SignIn) -> None:
    """The sizes are those that the message tells, and their type is that of their bytes."""
    client = await sign_in()
    photo = (await seeded(client, "photo")).photo
    for variant in PHOTOS["sea"].sizes:
        file = await get(client, location(photo, variant.letter), limit=BLOCK)
        assert file.bytes == whole(variant.source)
        assert isinstance(file.type, types.storage.FileJpeg)


async def test_thumbnails_of_documents_have_letters_too(sign_in: SignIn) -> None:
    """A document's thumbnail is a file of its own under the same id."""
    client = await sign_in()
    document = (await seeded(client, "video")).document
    file = await get(client, location(document, "m"), limit=BLOCK)
    assert file.bytes == whole(DOCUMENTS["valley"].thumbs[0].source)
    main = await get(client, location(document), limit=BLOCK)
    assert isinstance(main.type, types.storage.FileMp4)


async def test_the_end_of_a_file(sign_in: SignIn) -> None:
    """What goes beyond it is cut off, what begins beyond it is empty."""
    client = await sign_in()
    document = (await seeded(client, "video")).document
    last = document.size // (4 * KIB) * 4 * KIB
    assert len((await get(client, location(document), last)).bytes) == document.size - last
    assert (await get(client, location(document), last + 4 * KIB)).bytes == b""


@pytest.mark.parametrize(
    ("offset", "limit", "precise", "error"),
    [
        (0, 4 * KIB, False, None),
        (0, BLOCK, False, None),
        (BLOCK, BLOCK, False, None),
        (512 * KIB, 512 * KIB, False, None),
        (KIB, 4 * KIB, False, "OFFSET_INVALID"),
        (-4 * KIB, 4 * KIB, False, "OFFSET_INVALID"),
        (0, 0, False, "LIMIT_INVALID"),
        (0, KIB, False, "LIMIT_INVALID"),
        (0, 12 * KIB, False, "LIMIT_INVALID"),  # does not divide a mebibyte
        (0, 2 * BLOCK, False, "LIMIT_INVALID"),
        (4 * KIB, BLOCK, False, "LIMIT_INVALID"),  # crosses a border
        (768 * KIB, 512 * KIB, False, "LIMIT_INVALID"),
        (KIB, KIB, True, None),
        (0, 12 * KIB, True, None),
        (512, KIB, True, "OFFSET_INVALID"),
        (0, 512, True, "LIMIT_INVALID"),
        (0, BLOCK + KIB, True, "LIMIT_INVALID"),
        (1020 * KIB, 8 * KIB, True, "LIMIT_INVALID"),
    ],
)
def test_offsets_and_limits(offset: int, limit: int, precise: bool, error: str | None) -> None:
    """Telegram's rules, https://core.telegram.org/api/files#downloading-files."""
    if error is None:
        check_range(offset, limit, precise=precise)
        return
    with pytest.raises(RpcError, match=error):
        check_range(offset, limit, precise=precise)


async def test_rules_are_kept_over_the_wire(sign_in: SignIn) -> None:
    """getFile answers with their errors."""
    client = await sign_in()
    place = location((await seeded(client, "video")).document)
    with refused("OFFSET_INVALID"):
        await get(client, place, KIB)
    with refused("LIMIT_INVALID"):
        await get(client, place, 0, KIB)
    assert len((await get(client, place, KIB, KIB, precise=True)).bytes) == KIB


async def test_a_file_elsewhere_is_named_so(telegram: Telegram, sign_in: SignIn) -> None:
    """FILE_MIGRATE at home; abroad nobody gets it who did not bring an authorization."""
    client, abroad = await sign_in(), await telegram(3)
    photo = (await seeded(client, "photo_abroad")).photo
    assert photo.dc_id == 3
    with pytest.raises(errors.FileMigrateError) as caught:
        await get(client, location(photo, "m"))
    assert caught.value.new_dc == 3
    with refused("AUTH_KEY_UNREGISTERED"):
        await get(abroad, location(photo, "m"))
    exported = await client(functions.auth.ExportAuthorizationRequest(3))
    await abroad(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    file = await get(abroad, location(photo, "m"), limit=BLOCK)
    assert file.bytes == whole(PHOTOS["city"].sizes[0].source)


async def test_a_file_is_known_by_all_that_names_it(sign_in: SignIn) -> None:
    """Id, access hash, kind, size letter and reference have to be right, each has its error."""
    client = await sign_in()
    document, photo = (await seeded(client, "video")).document, (await seeded(client, "photo")).photo
    other = (await seeded(client, "pdf")).document
    for place, error in (
        (location(document, id=1), "FILE_ID_INVALID"),
        (location(document, access_hash=1), "FILE_ID_INVALID"),
        (location(photo, "m", id=document.id, access_hash=document.access_hash), "FILE_ID_INVALID"),
        (location(photo, ""), "LOCATION_INVALID"),
        (location(photo, "i"), "LOCATION_INVALID"),
        (location(document, "w"), "LOCATION_INVALID"),
        (location(document, file_reference=b""), "FILE_REFERENCE_EMPTY"),
        (location(document, file_reference=b"\x01" * 25), "FILE_REFERENCE_INVALID"),
        (location(document, file_reference=other.file_reference), "FILE_REFERENCE_INVALID"),
        (types.InputTakeoutFileLocation(), "LOCATION_INVALID"),
    ):
        with refused(error):
            await get(client, place)


async def test_files_are_their_owners(sign_in: SignIn) -> None:
    """Whoever knows another account's id, hash and reference still gets nothing."""
    client, stranger = await sign_in(), await sign_in("+9996620002")
    document = (await seeded(client, "video")).document
    with refused("FILE_ID_INVALID"):
        await get(stranger, location(document))


async def test_references_expire_and_are_renewed_with_the_message(sign_in: SignIn, sandbox: Sandbox) -> None:
    """After an expiry the old ones are refused, the message fetched anew has a good one."""
    client = await sign_in()
    for key, letter in (("video", ""), ("video", "m"), ("photo", "m")):
        held = await seeded(client, key)
        sandbox.state.expire_file_references()
        with refused("FILE_REFERENCE_EXPIRED"):
            await get(client, location(held.photo or held.document, letter))
        fresh = await seeded(client, key)
        assert (await get(client, location(fresh.photo or fresh.document, letter))).bytes


async def test_hashes_are_those_of_the_file(sign_in: SignIn, sandbox: Sandbox) -> None:
    """upload.getFileHashes gives SHA-256 of pieces of 128 KiB, from the one on that holds the offset."""
    client = await sign_in()
    account = sandbox.state.account_of("+9996620001")
    made = account.document(Synthetic(BLOCK + 77_777), mime_type="application/octet-stream")
    added = account.add_message(media=types.MessageMediaDocument(document=made))
    document = (await client.get_messages("me", ids=added.id)).document
    data = await client.download_media(document, bytes)
    found = await client(functions.upload.GetFileHashesRequest(location(document), 0))
    assert [item.offset for item in found] == [number * 128 * KIB for number in range(8)]
    found += await client(functions.upload.GetFileHashesRequest(location(document), 1024 * KIB + 5))
    assert sum(item.limit for item in found) == document.size
    for item in found:
        assert item.hash == hashlib.sha256(data[item.offset : item.offset + item.limit]).digest()
    assert await client(functions.upload.GetFileHashesRequest(location(document), 2 * BLOCK)) == []


@given(
    size=st.integers(0, 3 * BLOCK),
    offset=st.integers(0, 3 * BLOCK),
    limit=st.integers(1, 2 * BLOCK),
    seed=st.integers(0, 3),
)
def test_synthetic_bytes_are_a_function_of_their_offset(
    size: int, offset: int, limit: int, seed: int
) -> None:
    """However they are cut, the same byte stands at the same place."""
    blob = Synthetic(size, seed)
    found = blob.read(offset, limit)
    assert len(found) == max(0, min(limit, size - offset))
    if found:
        half = len(found) // 2
        assert found == blob.read(offset, half) + blob.read(offset + half, len(found) - half)


def test_synthetic_blocks_all_differ() -> None:
    """So that parts in a wrong order are noticed."""
    blob = Synthetic(300 * BLOCK)
    assert len({blob.read(start, 64) for start in range(0, blob.size, 64 * KIB)}) == 300 * 16
