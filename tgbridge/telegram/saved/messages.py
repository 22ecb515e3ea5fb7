"""Saved Messages, as far as they hold files: all of them page by page, or one by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.account.login import get_me
from tgbridge.telegram.saved.items import ThumbnailSize, media_item, remote_file, remote_thumbnail

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tgbridge.models import MediaItem
    from tgbridge.telegram.client import BridgeClient

__all__ = (
    "ThumbnailSize",
    "get_message",
    "iter_saved_media",
    "media_item",
    "remote_file",
    "remote_thumbnail",
)

_PAGE: Final = 100  # messages, the most that messages.getHistory answers
_LARGEST_ID: Final = 2**31 - 1


async def iter_saved_media(client: BridgeClient) -> AsyncGenerator[list[MediaItem], None]:
    """The media of Saved Messages, newest first, one list per page of 100 messages; a list may be empty.

    Holds one page at a time. Messages that come in or go away meanwhile neither repeat nor hide others.
    Raises TelegramFailure kinds; short FLOOD_WAITs are sat out. Source:
    https://core.telegram.org/api/offsets
    """
    offset_id = seen = 0
    while True:
        page = await client.patiently(
            functions.messages.GetHistoryRequest(
                peer=types.InputPeerSelf(),
                offset_id=offset_id,
                offset_date=None,
                add_offset=0,
                limit=_PAGE,
                max_id=0,
                min_id=0,
                hash=0,
            )
        )
        # A server that did not heed offset_id would otherwise be asked for ever.
        messages = [message for message in page.messages if not offset_id or message.id < offset_id]
        if not messages:
            return
        yield [item for message in messages if (item := media_item(message)) is not None]
        offset_id = min(message.id for message in messages)
        seen += len(messages)
        # A short page alone, or the count alone (messages seen may be gone by now), does not mean the end.
        if isinstance(page, types.messages.Messages) or (len(messages) < _PAGE and seen >= page.count):
            return


async def get_message(client: BridgeClient, message_id: int) -> Any:
    """The message of Saved Messages with this id. Raises MediaNotFound, and TelegramFailure kinds.

    Private chats and small groups number their messages from the same sequence, so that an id alone would
    find those too (https://core.telegram.org/method/messages.getMessages).
    """
    if not 0 < message_id <= _LARGEST_ID:
        raise MediaNotFound
    answer = await client.patiently(functions.messages.GetMessagesRequest([types.InputMessageID(message_id)]))
    for message in answer.messages:
        if isinstance(message, types.Message) and message.id == message_id:
            if await _is_saved(client, message, answer.users):
                return message
            break
    raise MediaNotFound


async def _is_saved(client: BridgeClient, message: types.Message, users: list[types.TypeUser]) -> bool:
    if not isinstance(message.peer_id, types.PeerUser):
        return False
    for user in users:
        if isinstance(user, types.User) and user.id == message.peer_id.user_id:
            return bool(user.is_self)
    # An answer that names no users.
    return bool((await get_me(client)).id == message.peer_id.user_id)
