"""Writing to Saved Messages, as stock Telethon does it."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, functions, types, utils

from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn

PREMIUM = "+9996629009"


def refused(name: str) -> Any:
    return pytest.raises(errors.rpcerrorlist.rpc_errors_dict[name])


def jpeg(name: str = "noon") -> bytes:
    blob: Any = PHOTOS[name].sizes[-1].source
    content: bytes = blob.read(0, 1 << 20)
    return content


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


async def upload(client: TelegramClient, data: bytes, name: str) -> types.InputMediaUploadedPhoto:
    return types.InputMediaUploadedPhoto(await client.upload_file(data, file_name=name))


async def call(client: TelegramClient, request: Any) -> Any:
    """Call without what the client does about errors: it repeats what failed with a code of 500."""
    await request.resolve(client, utils)
    return await client._sender.send(request)


async def send(client: TelegramClient, media: Any, caption: str = "", **fields: Any) -> types.Updates:
    return await call(client, functions.messages.SendMediaRequest("me", media, caption, **fields))


def known(message: types.Message) -> Any:
    """Name a message's media so that it can be sent again."""
    file = message.photo or message.document
    if message.photo:
        return types.InputMediaPhoto(types.InputPhoto(file.id, file.access_hash, file.file_reference))
    return types.InputMediaDocument(types.InputDocument(file.id, file.access_hash, file.file_reference))


async def test_text_and_entities(sign_in: SignIn) -> None:
    """A text is there afterwards as it was sent, for the sender and for whoever looks."""
    client = await sign_in()
    sent = await client.send_message("me", "some **bold** text")
    found = await client.get_messages("me", ids=sent.id)
    assert (found.message, found.peer_id.user_id) == ("some bold text", 770_020_001)
    assert [type(entity) for entity in found.entities] == [types.MessageEntityBold]
    assert found.out
    with refused("MESSAGE_EMPTY"):
        await client(functions.messages.SendMessageRequest("me", " "))
    with refused("MESSAGE_TOO_LONG"):
        await client(functions.messages.SendMessageRequest("me", "x" * 4097))


async def test_a_photo_keeps_its_bytes_as_its_largest_size(sign_in: SignIn) -> None:
    """Width and height are read from its header, its letter comes from them."""
    client = await sign_in()
    data = jpeg()
    sent = (await send(client, await upload(client, data, "noon.jpg"), "noon")).updates[-1].message
    size = sent.media.photo.sizes[-1]
    assert (size.type, size.w, size.h, size.size) == ("y", 1280, 720, len(data))
    assert (sent.message, sent.media.photo.dc_id) == ("noon", 2)
    assert await client.download_media(sent, bytes) == data


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (jpeg(), "noon.txt", "PHOTO_EXT_INVALID"),
        (jpeg(), "noon", "PHOTO_EXT_INVALID"),
        (b"no picture", "noon.jpg", "IMAGE_PROCESS_FAILED"),
        (jpeg()[:500], "noon.jpg", "IMAGE_PROCESS_FAILED"),
        (png(2, 2)[:-5], "dot.png", "IMAGE_PROCESS_FAILED"),
        (png(21, 1), "line.png", "PHOTO_INVALID_DIMENSIONS"),
        (png(9000, 1001), "wide.png", "PHOTO_INVALID_DIMENSIONS"),
        (jpeg() + bytes(10 << 20), "large.jpg", "PHOTO_SAVE_FILE_INVALID"),
    ],
)
async def test_what_can_be_no_photo(sign_in: SignIn, data: bytes, name: str, error: str) -> None:
    """By its name, its bytes, its extent, its size; nothing is left of it."""
    client = await sign_in()
    media = await upload(client, data, name)
    before = (await client.get_messages("me", limit=1))[0].id
    with refused(error):
        await send(client, media)
    assert (await client.get_messages("me", limit=1))[0].id == before


@pytest.mark.parametrize(("phone", "limit"), [("+9996620001", 1024), (PREMIUM, 4096)])
async def test_captions_have_a_length(sign_in: SignIn, phone: str, limit: int) -> None:
    """At sending, in albums and at editing; Premium may write more."""
    client = await sign_in(phone)
    media = await upload(client, png(2, 2), "dot.png")
    with refused("MEDIA_CAPTION_TOO_LONG"):
        await send(client, media, "x" * (limit + 1))
    sent = (await send(client, media, "x" * limit)).updates[-1].message
    with refused("MEDIA_CAPTION_TOO_LONG"):
        await client.edit_message("me", sent.id, "y" * (limit + 1))
    album = [types.InputSingleMedia(known(sent), "x" * (limit + 1))]
    with refused("MEDIA_CAPTION_TOO_LONG"):
        await client(functions.messages.SendMultiMediaRequest("me", album))


async def test_a_random_id_is_good_once(sign_in: SignIn) -> None:
    """What was repeated since its answer got lost is told from what is new."""
    client = await sign_in()
    media = await upload(client, png(2, 2), "dot.png")
    updates = await send(client, media, random_id=4711)
    assert updates.updates[0] == types.UpdateMessageID(updates.updates[1].message.id, 4711)
    with refused("RANDOM_ID_DUPLICATE"):
        await send(client, media, random_id=4711)
    with refused("RANDOM_ID_EMPTY"):
        await send(client, media, random_id=0)
    assert (await client.get_messages("me", limit=1))[0].id == updates.updates[0].id


async def test_media_that_is_none(sign_in: SignIn) -> None:
    """MEDIA_EMPTY, MEDIA_INVALID and TTL_MEDIA_INVALID, and files that are another's."""
    client, stranger = await sign_in(), await sign_in("+9996620002")
    message = await client.get_messages("me", ids=IDS["video"])
    timed = await upload(client, png(2, 2), "dot.png")
    timed.ttl_seconds = 5
    for who, media, error in (
        (client, types.InputMediaEmpty(), "MEDIA_EMPTY"),
        (client, types.InputMediaDocumentExternal("https://example.org/x"), "MEDIA_INVALID"),
        (client, timed, "TTL_MEDIA_INVALID"),
        (stranger, known(message), "MEDIA_EMPTY"),
    ):
        with refused(error):
            await send(who, media)
    media = known(message)
    media.id.file_reference = b""
    with refused("FILE_REFERENCE_EMPTY"):
        await send(client, media)


async def test_what_is_there_can_be_sent_again(sign_in: SignIn) -> None:
    """A known photo or document becomes another message with the same file."""
    client = await sign_in()
    for key in ("photo", "video"):
        message = await client.get_messages("me", ids=IDS[key])
        again = (await send(client, known(message), "again")).updates[-1].message
        file, same = (
            message.photo or message.document,
            again.media.photo if message.photo else again.media.document,
        )
        assert (same.id, again.message) == (file.id, "again")
        assert again.id > message.id


async def test_kinds_of_documents_are_told_in_short(sign_in: SignIn) -> None:
    """messageMediaDocument says whether it is a video, a video note or a voice message."""
    client = await sign_in()
    voice = await client.send_file("me", b"voice", voice_note=True)
    note = await client.send_file(
        "me", b"note", attributes=[types.DocumentAttributeVideo(1, 9, 9, round_message=True)]
    )
    plain = await client.send_file("me", b"plain", force_document=True, mime_type="")
    media = [message.media for message in (voice, note, plain)]
    assert [(item.video, item.round, item.voice) for item in media] == [
        (False, False, True),
        (False, True, False),
        (False, False, False),
    ]
    assert plain.file.mime_type == "application/octet-stream"


async def test_albums(sign_in: SignIn) -> None:
    """Telethon's own album: one group, captions each, in order."""
    client = await sign_in()
    files = [
        await client.upload_file(jpeg(name), file_name=f"{name}.jpg") for name in ("noon", "dusk", "sea")
    ]
    sent = await client.send_file("me", files, caption=["one", "two", "three"])
    assert [message.message for message in sent] == ["one", "two", "three"]
    assert len({message.grouped_id for message in sent}) == 1
    assert sent[0].grouped_id
    assert [message.id for message in sent] == sorted(message.id for message in sent)


async def test_albums_have_rules(sign_in: SignIn) -> None:
    """Ten at most, of media that fit together and were uploaded before, each with its own random id."""
    client = await sign_in()
    photo, pdf, audio = [
        known(await client.get_messages("me", ids=IDS[key])) for key in ("photo", "pdf", "audio")
    ]

    async def album(*media: Any, **fields: Any) -> Any:
        singles = [types.InputSingleMedia(item, "", **fields) for item in media]
        return await call(client, functions.messages.SendMultiMediaRequest("me", singles))

    uploaded = await upload(client, png(2, 2), "dot.png")
    for media, fields, error in (
        ([], {}, "MEDIA_EMPTY"),
        ([photo] * 11, {}, "MULTI_MEDIA_TOO_LONG"),
        ([photo, pdf], {}, "MEDIA_GROUPED_INVALID"),
        ([audio, pdf], {}, "MEDIA_GROUPED_INVALID"),
        ([uploaded], {}, "MEDIA_INVALID"),
        ([photo, photo], {"random_id": 5}, "RANDOM_ID_DUPLICATE"),
    ):
        with refused(error):
            await album(*media, **fields)
    stale = types.InputMediaPhoto(types.InputPhoto(photo.id.id, photo.id.access_hash, b"\x01" * 25))
    with pytest.raises(errors.BadRequestError, match="FILE_REFERENCE_1_INVALID"):
        await album(photo, stale)
    alone = (await album(photo)).updates[-1].message
    assert alone.grouped_id is None
    assert len((await album(*[photo] * 10)).updates) == 20


async def test_captions_and_texts_are_edited(sign_in: SignIn) -> None:
    """What changes has a new edit date, what does not is refused."""
    client = await sign_in()
    await client.edit_message("me", IDS["photo"], "an even more beautiful one")
    found = await client.get_messages("me", ids=IDS["photo"])
    assert found.message == "an even more beautiful one"
    assert found.edit_date is not None
    assert found.photo is not None
    with refused("MESSAGE_NOT_MODIFIED"):
        await client.edit_message("me", IDS["photo"], "an even more beautiful one")
    await client.edit_message("me", IDS["photo"], "")
    assert (await client.get_messages("me", ids=IDS["photo"])).message == ""
    for key in ("service", None):
        with refused("MESSAGE_ID_INVALID"):
            await client.edit_message("me", IDS[key] if key else 10_000, "x")
    with refused("MESSAGE_EMPTY"):
        await client(functions.messages.EditMessageRequest("me", IDS["text"], message=" "))


async def test_media_is_exchanged(sign_in: SignIn) -> None:
    """Another file in the same message; a text can't become one."""
    client = await sign_in()
    data = DOCUMENTS["notes"].blob.read(0, 1 << 20)
    await client.edit_message("me", IDS["pdf"], "Other notes", file=data)
    found = await client.get_messages("me", ids=IDS["pdf"])
    assert (found.message, found.file.size) == ("Other notes", len(data))
    with refused("MEDIA_PREV_INVALID"):
        await client.edit_message("me", IDS["text"], "x", file=data)


async def test_messages_are_deleted(sign_in: SignIn) -> None:
    """What is there goes, what is not is passed over; other accounts keep theirs."""
    client, other = await sign_in(), await sign_in("+9996620002")
    answer = await client.delete_messages("me", [IDS["photo"], IDS["video"], 10_000])
    assert answer[0].pts_count == 2
    assert await client.get_messages("me", ids=[IDS["photo"], IDS["video"]]) == [None, None]
    assert (await client.delete_messages("me", [IDS["photo"]]))[0].pts_count == 0
    assert await other.get_messages("me", ids=IDS["photo"]) is not None
