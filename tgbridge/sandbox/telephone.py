"""What the user's own telephone does while a frontend looks on: it sends one of the seeds once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.rare_seeds import WITHOUT_FILE
from tgbridge.sandbox.seeds import SEEDS

if TYPE_CHECKING:
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
    date = datetime.fromtimestamp(int(sandbox.now()), UTC)
    text = seed.text if caption is None else caption
    message = account.add_message(text, media=seed.make(account, date), date=date)
    return _tell(sandbox, account, message)


def receive(sandbox: Sandbox, phone: str, text: str, media: Any = None, *, sender: int = 4242) -> int:
    """Let somebody write to a number, in a private chat; its id is beside those of Saved Messages."""
    account = sandbox.state.account_of(phone)
    date = datetime.fromtimestamp(int(sandbox.now()), UTC)
    return _tell(sandbox, account, account.history.add_elsewhere(sender, text, media=media, date=date))


def edit(sandbox: Sandbox, phone: str, message_id: int, text: str) -> None:
    """Change the text of a message in a number's Saved Messages. Raises ValueError where there is none."""
    account = sandbox.state.account_of(phone)
    message: Any = account.history.get(message_id)
    if getattr(message, "message", None) is None:
        raise ValueError(f"there is no message {message_id}")
    message.message = text
    event = account.history.edited(message, datetime.fromtimestamp(int(sandbox.now()), UTC))
    _push(sandbox, account, types.UpdateEditMessage(account.files.stamp(message), event.pts, event.count))


def _tell(sandbox: Sandbox, account: Account, message: types.Message) -> int:
    _push(sandbox, account, types.UpdateNewMessage(account.files.stamp(message), account.history.pts, 1))
    message_id: int = message.id
    return message_id


def _push(sandbox: Sandbox, account: Account, update: Any) -> None:
    date = datetime.fromtimestamp(int(sandbox.now()), UTC)
    sandbox.push(account, types.Updates([update], users=[account.user()], chats=[], date=date, seq=0))
