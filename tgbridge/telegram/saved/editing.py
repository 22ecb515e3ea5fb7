"""Changing what Saved Messages hold: another caption, or gone. Texts and other chats are never touched.

Private chats and small groups number their messages from the same sequence, and messages.deleteMessages
takes ids alone (https://core.telegram.org/method/messages.deleteMessages). So whose message an id is of is
looked at first. That holds for good: an id is never given to another chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import MediaNotFound, TelegramRefused
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.saved.captions import check_caption, normalised
from tgbridge.telegram.saved.changes import Deleted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.library import AccountLibrary
    from tgbridge.telegram.saved.saved_media import SavedMedia

_MOST_IDS: Final = 100
"""Of one messages.deleteMessages."""

NOT_MODIFIED: Final = "MESSAGE_NOT_MODIFIED"
NOT_FOUND: Final = frozenset({"MESSAGE_ID_INVALID", "MSG_ID_INVALID"})


@dataclass(frozen=True, slots=True)
class Removed:
    """Which messages are gone now, and which were none of Saved Messages' media, or gone before."""

    deleted: Sequence[int]
    missing: Sequence[int]


async def edit_caption(
    client: BridgeClient, library: AccountLibrary, message_id: int, caption: str
) -> SavedMedia:
    """Give a message another caption, "" for none, and return what it is then; again makes no difference.

    Formatting goes with the old caption. Raises MediaNotFound; TelegramRefused MEDIA_CAPTION_TOO_LONG, and
    others for messages whose caption cannot be changed; other TelegramFailure kinds.
    """
    caption = normalised(caption)
    await library.get(client, message_id)
    await check_caption(client, caption)
    request = functions.messages.EditMessageRequest(
        peer=types.InputPeerSelf(), id=message_id, message=caption, entities=[]
    )
    try:
        answer = await client.patiently(request)
    except TelegramRefused as error:
        if error.name == NOT_MODIFIED:
            return await library.fetch(client, message_id)
        if error.name in NOT_FOUND:
            await library.fetch(client, message_id)  # raises MediaNotFound if it is gone by now
        raise
    return await _edited(client, library, message_id, answer)


async def _edited(client: BridgeClient, library: AccountLibrary, message_id: int, answer: Any) -> SavedMedia:
    await library.identify(client, getattr(answer, "users", ()))
    for update in getattr(answer, "updates", ()):
        if isinstance(update, types.UpdateEditMessage) and update.message.id == message_id:
            media = library.own(update)
            if media is not None:
                return media
    return await library.fetch(client, message_id)


async def delete(client: BridgeClient, library: AccountLibrary, ids: Iterable[int]) -> Removed:
    """Delete messages of Saved Messages that hold media, and leave all others. Of an album only those.

    Until the first are deleted it has the patience of first bytes, and from then on that of a transfer, so
    that whoever asked is told of all. Raises TelegramFailure kinds, after which some may be deleted.
    """
    wanted = list(dict.fromkeys(ids))
    known = await library.get_many(client, wanted)
    found = [message_id for message_id in wanted if known.get(message_id) is not None]
    gone: set[int] = set()
    for start in range(0, len(found), _MOST_IDS):
        batch = found[start : start + _MOST_IDS]
        patience = Patience.of_transfer if start else Patience.of_first_bytes
        answer, attempts = await _delete(client, batch, patience)
        library.changed(Deleted(tuple(batch), answer.pts))
        # Nothing was deleted by a second attempt where the first one's answer was lost.
        if answer.pts_count or attempts > 1:
            gone.update(batch)
    return Removed(
        [message_id for message_id in wanted if message_id in gone],
        [message_id for message_id in wanted if message_id not in gone],
    )


async def _delete(
    client: BridgeClient, ids: Sequence[int], patience: Callable[..., Patience]
) -> tuple[types.messages.AffectedMessages, int]:
    """Delete messages; return Telegram's answer, and how often it was asked."""
    attempts = 0

    def note() -> None:
        nonlocal attempts
        attempts += 1

    request = functions.messages.DeleteMessagesRequest(list(ids))
    answer = await client.call(request, patience(client.files.telegram, on_turn=note))
    return answer, attempts


async def delete_one(client: BridgeClient, library: AccountLibrary, message_id: int) -> None:
    """Delete one message. Raises MediaNotFound if it is not there (any more), and TelegramFailure kinds."""
    if not (await delete(client, library, (message_id,))).deleted:
        raise MediaNotFound
