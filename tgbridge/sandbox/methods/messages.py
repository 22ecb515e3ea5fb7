"""messages.*: writing to Saved Messages.

Sources: https://core.telegram.org/method/messages.sendMedia and its neighbours
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.world.access import home_account, now, publish, saved_messages
from tgbridge.sandbox.world.filters import may_be_edited
from tgbridge.sandbox.world.incoming import Incoming

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Account

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_CAPTION_PREMIUM = 4096
MAX_ALBUM = 10

_REFERENCE_ERROR = re.compile(r"FILE_REFERENCE_(?=[A-Z])")


@method(functions.messages.SendMessageRequest)
async def send_message(call: Call, request: functions.messages.SendMessageRequest) -> types.Updates:
    """Send a text."""
    account = saved_messages(call, request.peer)
    _check_random_id(account, request.random_id)
    text = _text(request.message, request.entities)
    if not text:
        raise RpcError(400, "MESSAGE_EMPTY")
    message = account.add_message(text, entities=request.entities, date=now(call))
    return _sent(call, account, {request.random_id: message})


@method(functions.messages.SendMediaRequest)
async def send_media(call: Call, request: functions.messages.SendMediaRequest) -> types.Updates:
    """Send a photo or a document."""
    account = saved_messages(call, request.peer)
    _check_random_id(account, request.random_id)
    caption = _caption(account, request.message, request.entities)
    media = await _incoming(call, account).media(request.media)
    _check_random_id(account, request.random_id)  # again: it may have been sent meanwhile
    message = account.add_message(caption, media=media, entities=request.entities, date=now(call))
    return _sent(call, account, {request.random_id: message})


@method(functions.messages.UploadMediaRequest)
async def upload_media(call: Call, request: functions.messages.UploadMediaRequest) -> Any:
    """Make a photo or a document of an upload, without a message."""
    account = saved_messages(call, request.peer)
    return account.files.stamp_media(await _incoming(call, account).media(request.media))


@method(functions.messages.SendMultiMediaRequest)
async def send_multi_media(call: Call, request: functions.messages.SendMultiMediaRequest) -> types.Updates:
    """Send an album of media that were uploaded by messages.uploadMedia, or sent before."""
    account = saved_messages(call, request.peer)
    if not request.multi_media:
        raise RpcError(400, "MEDIA_EMPTY")
    if len(request.multi_media) > MAX_ALBUM:
        raise RpcError(400, "MULTI_MEDIA_TOO_LONG")
    if len({single.random_id for single in request.multi_media}) < len(request.multi_media):
        raise RpcError(500, "RANDOM_ID_DUPLICATE")
    incoming = _incoming(call, account)
    captions, media = [], []
    for index, single in enumerate(request.multi_media):
        _check_random_id(account, single.random_id)
        captions.append(_caption(account, single.message, single.entities))
        media.append(await _album_media(incoming, index, single.media))
    if len({_album_kind(item) for item in media}) > 1:
        raise RpcError(400, "MEDIA_GROUPED_INVALID")
    date = now(call)
    grouped_id = secrets.randbits(62) if len(media) > 1 else None
    messages = {
        single.random_id: account.add_message(
            caption, media=item, entities=single.entities, grouped_id=grouped_id, date=date
        )
        for single, caption, item in zip(request.multi_media, captions, media, strict=True)
    }
    return _sent(call, account, messages)


@method(functions.messages.EditMessageRequest)
async def edit_message(call: Call, request: functions.messages.EditMessageRequest) -> types.Updates:
    """Change a message's text or caption, or its media; in Saved Messages at any time after it was sent."""
    account = saved_messages(call, request.peer)
    message = _message(account, request.id)
    if message.fwd_from is not None:
        raise RpcError(403, "MESSAGE_AUTHOR_REQUIRED")
    media = message.media
    if not may_be_edited(media):
        raise RpcError(400, "MESSAGE_ID_INVALID")
    if request.media is not None:
        if media is None:
            raise RpcError(400, "MEDIA_PREV_INVALID")
        media = await _incoming(call, account).media(request.media)
        message = _message(account, request.id)  # again: it may have been deleted meanwhile
    text, entities = message.message, message.entities
    if request.message is not None:
        entities = request.entities or None
        has_file = isinstance(media, types.MessageMediaPhoto | types.MessageMediaDocument)
        if has_file:
            text = _caption(account, request.message, entities)
        else:
            text = _text(request.message, entities)
            if not text:
                raise RpcError(400, "MESSAGE_EMPTY")
    if (text, media) == (message.message, message.media) and _same(entities, message.entities):
        raise RpcError(400, "MESSAGE_NOT_MODIFIED")
    message.message, message.media, message.entities = text, media, entities
    event = account.history.edited(message, now(call))
    update = types.UpdateEditMessage(account.files.stamp(message), event.pts, event.count)
    return publish(call, account, [update])


@method(functions.messages.DeleteMessagesRequest)
async def delete_messages(
    call: Call, request: functions.messages.DeleteMessagesRequest
) -> types.messages.AffectedMessages:
    """Delete those of the messages that are there."""
    account = home_account(call)
    event = account.history.delete(request.id)
    if event.count:
        publish(call, account, [types.UpdateDeleteMessages(list(event.ids), event.pts, event.count)])
    return types.messages.AffectedMessages(event.pts, event.count)


def _message(account: Account, message_id: int) -> types.Message:
    message = account.history.get(message_id)
    # The id may be of another chat, whose messages are numbered by the same sequence.
    if not isinstance(message, types.Message) or message.peer_id.user_id != account.id:
        raise RpcError(400, "MESSAGE_ID_INVALID")
    return message


def _incoming(call: Call, account: Account) -> Incoming:
    return Incoming(call.sandbox.state, account, call.dc.id, now(call))


async def _album_media(incoming: Incoming, index: int, media: Any) -> Any:
    if not isinstance(media, types.InputMediaPhoto | types.InputMediaDocument):
        raise RpcError(400, "MEDIA_INVALID")
    try:
        return await incoming.media(media)
    except RpcError as error:
        # FILE_REFERENCE_EXPIRED becomes FILE_REFERENCE_1_EXPIRED: a client has to know whose it was.
        raise RpcError(error.code, _REFERENCE_ERROR.sub(f"FILE_REFERENCE_{index}_", error.message)) from error


def _album_kind(media: Any) -> str:
    if isinstance(media, types.MessageMediaPhoto) or media.video:
        return "visual"
    kinds = {type(attribute) for attribute in media.document.attributes}
    return "audio" if types.DocumentAttributeAudio in kinds else "document"


def _check_random_id(account: Account, random_id: int) -> None:
    if not random_id:
        raise RpcError(400, "RANDOM_ID_EMPTY")
    if random_id in account.random_ids:
        raise RpcError(500, "RANDOM_ID_DUPLICATE")


def _text(text: str, entities: Any) -> str:
    text = text if entities else text.strip()
    if _length(text) > MAX_TEXT:
        raise RpcError(400, "MESSAGE_TOO_LONG")
    return text


def _caption(account: Account, text: str, entities: Any) -> str:
    text = text if entities else text.strip()
    if _length(text) > (MAX_CAPTION_PREMIUM if account.premium else MAX_CAPTION):
        raise RpcError(400, "MEDIA_CAPTION_TOO_LONG")
    return text


def _length(text: str) -> int:
    """Count UTF-16 code units, as in all lengths and offsets of Telegram's texts."""
    return len(text.encode("utf-16-le")) // 2


def _same(one: Any, other: Any) -> bool:
    return [entity.to_dict() for entity in one or ()] == [entity.to_dict() for entity in other or ()]


def _sent(call: Call, account: Account, messages: dict[int, types.Message]) -> types.Updates:
    account.random_ids.update(dict.fromkeys(messages))
    # The messages were appended just now, each of them moved the state by one.
    pts = account.history.pts - len(messages)
    new = [
        types.UpdateNewMessage(account.files.stamp(message), pts + number, 1)
        for number, message in enumerate(messages.values(), 1)
    ]
    ids = [types.UpdateMessageID(message.id, random_id) for random_id, message in messages.items()]
    return publish(call, account, new, own=ids)
