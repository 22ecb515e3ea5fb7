"""What there is in a message of Telegram's that holds updates, as far as it concerns the message box.

Private chats, small groups and Saved Messages share it. Channels have one each, which is not looked at, and
neither is ``seq``: it orders what has no pts, which is of no interest here.
Source: https://core.telegram.org/api/updates
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from telethon.tl import TLRequest, functions, types

from tgbridge.telegram.updates.sequence import Piece


class Unknown(Enum):
    """What only asking can tell."""

    MISSED = "some may have been missed"
    RESET = "the state has become another one"


COUNTED: Final = (
    types.UpdateDeleteMessages,
    types.UpdateEditMessage,
    types.UpdateFolderPeers,
    types.UpdateNewMessage,
    types.UpdatePinnedMessages,
    types.UpdateReadHistoryInbox,
    types.UpdateReadHistoryOutbox,
    types.UpdateReadMessagesContents,
    types.UpdateWebPage,
)
"""The updates that move the state of the message box."""

OF_CHANNELS: Final = (
    types.UpdateChannelTooLong,
    types.UpdateChannelWebPage,
    types.UpdateDeleteChannelMessages,
    types.UpdateEditChannelMessage,
    types.UpdateNewChannelMessage,
    types.UpdatePinnedChannelMessages,
    types.UpdateReadChannelInbox,
)
"""Those that have a pts of another box."""


CHANGING: Final = (
    functions.messages.DeleteMessagesRequest,
    functions.messages.EditMessageRequest,
    functions.messages.SendMediaRequest,
    functions.messages.SendMultiMediaRequest,
)
"""The requests of this service that change Saved Messages."""


def read(updates: Any) -> list[Piece] | Unknown:
    """Read what a connection was sent (TypeUpdates), or None for what it may have lost."""
    match updates:
        case types.Updates() | types.UpdatesCombined():
            return _pieces(updates.updates)
        case types.UpdateShort():
            return _pieces([updates.update])
        case (
            types.UpdateShortMessage()  # texts, which have no media
            | types.UpdateShortChatMessage()
            | types.UpdateShortSentMessage(media=None)
        ):
            return [Piece(updates.pts, updates.pts_count)]
        case _:  # updatesTooLong; a message of which only a part is told; what is not known to this layer
            return Unknown.MISSED


def answered(request: TLRequest, answer: Any) -> Any | None:
    """Give the updates (TypeUpdates) that an answer stands for; None if it is about something else.

    Telegram tells of a change all sessions of an account but the one that has made it.
    """
    if isinstance(answer, types.messages.AffectedMessages) and answer.pts_count:
        if isinstance(request, functions.messages.DeleteMessagesRequest):
            gone = types.UpdateDeleteMessages(request.id, answer.pts, answer.pts_count)
            return types.UpdateShort(gone, None)
        return types.UpdatesTooLong()
    return answer if getattr(answer, "SUBCLASS_OF_ID", None) == types.UpdatesTooLong.SUBCLASS_OF_ID else None


def unanswered(request: TLRequest) -> Any | None:
    """Give the updates that it stands for if nobody waits for the answer to a request any more."""
    return types.UpdatesTooLong() if isinstance(request, CHANGING) else None


def _pieces(updates: list[Any]) -> list[Piece] | Unknown:
    if any(isinstance(update, types.UpdatePtsChanged) for update in updates):
        return Unknown.RESET
    return [Piece(update.pts, update.pts_count, update) for update in updates if isinstance(update, COUNTED)]
