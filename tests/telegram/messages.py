"""Messages as Telegram gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

if TYPE_CHECKING:
    from tgbridge.telegram.client import BridgeClient


async def get_message(client: BridgeClient, message_id: int) -> Any:
    """A message that is there, by its id."""
    answer = await client(functions.messages.GetMessagesRequest([types.InputMessageID(message_id)]))
    return answer.messages[0]
