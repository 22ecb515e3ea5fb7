"""What messages of Telegram's say of the state of the message box."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import functions, types

from tgbridge.telegram.updates.reading import COUNTED, OF_CHANNELS, Unknown, answered, read, unanswered
from tgbridge.telegram.updates.sequence import Piece

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ME = types.PeerUser(1)
NEW = types.UpdateNewMessage(types.MessageEmpty(5, ME), 12, 1)
GONE = types.UpdateDeleteMessages([5, 6], 14, 2)
CHANNEL = types.UpdateDeleteChannelMessages(99, [5], 7, 1)
TYPING = types.UpdateUserTyping(1, types.SendMessageTypingAction())
SHORT: dict[str, Any] = {"id": 5, "pts": 12, "pts_count": 1, "date": NOW}


@pytest.mark.parametrize(
    ("updates", "found"),
    [
        (
            types.Updates([NEW, CHANNEL, TYPING, GONE], [], [], NOW, 0),
            [Piece(12, 1, NEW), Piece(14, 2, GONE)],
        ),
        (types.UpdatesCombined([GONE], [], [], NOW, 1, 2), [Piece(14, 2, GONE)]),
        (types.UpdateShort(NEW, NOW), [Piece(12, 1, NEW)]),
        (types.UpdateShort(TYPING, NOW), []),
        (types.UpdateShortMessage(user_id=1, message="x", **SHORT), [Piece(12, 1)]),
        (types.UpdateShortChatMessage(from_id=1, chat_id=2, message="x", **SHORT), [Piece(12, 1)]),
        (types.UpdateShortSentMessage(**SHORT), [Piece(12, 1)]),
        (types.UpdateShortSentMessage(media=types.MessageMediaUnsupported(), **SHORT), Unknown.MISSED),
        (types.UpdatesTooLong(), Unknown.MISSED),
        (None, Unknown.MISSED),
        (types.UpdateShort(types.UpdatePtsChanged(), NOW), Unknown.RESET),
        (types.Updates([NEW, types.UpdatePtsChanged()], [], [], NOW, 0), Unknown.RESET),
    ],
)
def test_what_is_told_unasked(updates: Any, found: object) -> None:
    """The message box's updates with their states; not those of channels, nor what has no state."""
    assert read(updates) == found


def test_every_update_that_has_a_state() -> None:
    """A layer with another kind has to be looked at: it may move the state."""
    classes = [
        kind for name, kind in vars(types).items() if name.startswith("Update") and inspect.isclass(kind)
    ]
    with_state = {kind for kind in classes if "pts" in inspect.signature(kind.__init__).parameters}
    short = {types.UpdateShortMessage, types.UpdateShortChatMessage, types.UpdateShortSentMessage}
    assert with_state == {*COUNTED, *OF_CHANNELS, *short}


def test_answers() -> None:
    """They tell the session that has made a change of it, as Telegram tells the others."""
    delete = functions.messages.DeleteMessagesRequest([5, 6])
    affected = types.messages.AffectedMessages
    told: Any = answered(delete, affected(14, 2))
    assert read(told) == [Piece(14, 2, told.update)]
    assert told.update.messages == [5, 6]
    assert answered(delete, affected(14, 0)) is None
    history = functions.messages.ReadHistoryRequest(types.InputPeerSelf(), 5)
    assert isinstance(answered(history, affected(14, 2)), types.UpdatesTooLong)
    updates = types.Updates([NEW], [], [], NOW, 0)
    assert answered(functions.messages.EditMessageRequest(types.InputPeerSelf(), 5), updates) is updates
    assert answered(functions.updates.GetStateRequest(), types.updates.State(1, 1, NOW, 1, 1)) is None


def test_answers_that_nobody_waits_for() -> None:
    """Something may have changed, unless the request only reads."""
    assert isinstance(unanswered(functions.messages.DeleteMessagesRequest([5])), types.UpdatesTooLong)
    assert unanswered(functions.updates.GetStateRequest()) is None
