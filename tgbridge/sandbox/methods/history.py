"""messages.*: reading Saved Messages.

Source: https://core.telegram.org/api/offsets
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, method
from tgbridge.sandbox.world.access import home_account, saved_messages
from tgbridge.sandbox.world.history import MAX_PAGE, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tgbridge.sandbox.world.accounts import Account


@method(functions.messages.GetHistoryRequest)
async def get_history(call: Call, request: functions.messages.GetHistoryRequest) -> Any:
    """Give a page of all messages, newest first."""
    account = saved_messages(call, request.peer)
    history = account.history
    start = None
    # On the wire, no date is 0.
    if request.offset_date is not None and request.offset_date.timestamp() > 0 and request.offset_id <= 0:
        start = history.older_than(request.offset_date)
    return page(account, history.ids, Window.of(request), start, request.hash)


@method(functions.messages.GetMessagesRequest)
async def get_messages(call: Call, request: functions.messages.GetMessagesRequest) -> types.messages.Messages:
    """Give messages by their ids, of whichever chat, an empty one for each that is not there."""
    account = home_account(call)
    found: list[Any] = []
    others: dict[int, types.User] = {}
    for wanted in request.id[:MAX_PAGE]:
        message_id = wanted.id if isinstance(wanted, types.InputMessageID) else 0
        message = account.history.get(message_id)
        if message is None:
            found.append(types.MessageEmpty(message_id, types.PeerUser(account.id)))
        else:
            found.append(account.files.stamp(message))
            other = getattr(message.peer_id, "user_id", account.id)
            if other != account.id:
                others[other] = types.User(id=other, access_hash=other, first_name="Somebody else")
    return types.messages.Messages(found, topics=[], chats=[], users=[*others.values(), account.user()])


@method(functions.messages.ReadHistoryRequest)
async def read_history(
    call: Call, request: functions.messages.ReadHistoryRequest
) -> types.messages.AffectedMessages:
    """Take note that messages were read, which changes nothing in Saved Messages."""
    account = saved_messages(call, request.peer)
    return types.messages.AffectedMessages(account.history.pts, 0)


def page(account: Account, ids: Sequence[int], window: Window, start: int | None, known_hash: int) -> Any:
    """Answer with those of ``ids`` (ascending) that a window shows; an empty one where the hash is known."""
    chosen = window.select(ids, start)
    if known_hash and known_hash == _hash(chosen):
        return types.messages.MessagesNotModified(len(ids))
    found = [account.files.stamp(account.history.get(message_id)) for message_id in chosen]
    users = [account.user()]
    if len(chosen) == len(ids):
        return types.messages.Messages(found, topics=[], chats=[], users=users)
    return types.messages.MessagesSlice(len(ids), found, topics=[], chats=[], users=users)


def _hash(ids: Iterable[int]) -> int:
    """Compute the hash by which a client tells what it has.

    Source: https://core.telegram.org/api/offsets#hash-generation
    """
    value = 0
    for number in ids:
        value ^= value >> 21
        value ^= value << 35 & 0xFFFF_FFFF_FFFF_FFFF
        value ^= value >> 4
        value = value + number & 0xFFFF_FFFF_FFFF_FFFF
    return value - (1 << 64) if value >> 63 else value
