"""One message of Saved Messages, by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.account.login import get_me
from tgbridge.telegram.saved.items import ThumbnailSize, media_item, remote_file, remote_thumbnail

if TYPE_CHECKING:
    from tgbridge.telegram.client import BridgeClient

__all__ = (
    "ThumbnailSize",
    "get_message",
    "media_item",
    "remote_file",
    "remote_thumbnail",
)

_LARGEST_ID: Final = 2**31 - 1


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
