"""What the user's own telephone does while a frontend looks on: it sends a seed once more, edits, deletes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.rare_seeds import WITHOUT_FILE
from tgbridge.sandbox.seeds import SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.sandbox.server import Sandbox
    from tgbridge.sandbox.world.accounts import Account

# Those whose bytes are files of the package: the others are made up as they are read.
SENDABLE = tuple(
    seed.key
    for seed in SEEDS
    if seed.make is not None
    and not seed.key.startswith("expired_")
    and seed.key not in WITHOUT_FILE
    and seed.key
    not in {
        "nameless",
        "large",
        "video_moov_last",
        "video_renditions",
        "contact",
        "location",
        "poll",
        "link_preview",
    }
)
"""Which seeds it can send."""


def send(sandbox: Sandbox, phone: str, key: str, caption: str | None = None) -> int:
    """Send a seed's media to the Saved Messages of a number, now, and tell the account's other devices.

    Returns the message's id. Without a ``caption`` it has the seed's own. Raises ValueError for a text that
    is no number of the sandbox, and for a seed that cannot be sent.
    """
    seed = next((seed for seed in SEEDS if seed.key == key and key in SENDABLE), None)
    if seed is None or seed.make is None:
        raise ValueError(f"media is one of {', '.join(SENDABLE)}")
    account = sandbox.state.account_of(phone)
    date = _now(sandbox)
    text = seed.text if caption is None else caption
    message = account.add_message(text, media=seed.make(account, date), date=date)
    return _tell_new(sandbox, account, message)


def edit(sandbox: Sandbox, phone: str, message_id: int, caption: str) -> None:
    """Change the text of a message in Saved Messages. Raises ValueError if it is none."""
    account = sandbox.state.account_of(phone)
    message = account.history.get(message_id)
    if not isinstance(message, types.Message) or message.peer_id.user_id != account.id:
        raise ValueError("no such message")
    message.message, message.entities = caption, None
    event = account.history.edited(message, _now(sandbox))
    _tell(sandbox, account, types.UpdateEditMessage(account.files.stamp(message), event.pts, event.count))


def delete(sandbox: Sandbox, phone: str, message_ids: Iterable[int]) -> list[int]:
    """Delete messages, of whichever chat; returns the ids of those that were there."""
    account = sandbox.state.account_of(phone)
    event = account.history.delete(message_ids)
    if event.count:
        _tell(sandbox, account, types.UpdateDeleteMessages(list(event.ids), event.pts, event.count))
    return list(event.ids)


def receive(sandbox: Sandbox, phone: str, text: str, media: Any = None, *, sender: int = 4242) -> int:
    """Let somebody write to a number, in a private chat; its id is beside those of Saved Messages."""
    account = sandbox.state.account_of(phone)
    message = account.history.add_elsewhere(sender, text, media=media, date=_now(sandbox))
    return _tell_new(sandbox, account, message)


def _tell_new(sandbox: Sandbox, account: Account, message: types.Message) -> int:
    _tell(sandbox, account, types.UpdateNewMessage(account.files.stamp(message), account.history.pts, 1))
    message_id: int = message.id
    return message_id


def _tell(sandbox: Sandbox, account: Account, update: Any) -> None:
    users = [account.user()]
    sandbox.push(account, types.Updates([update], users=users, chats=[], date=_now(sandbox), seq=0))


def _now(sandbox: Sandbox) -> datetime:
    return datetime.fromtimestamp(int(sandbox.now()), UTC)
