"""The calls of one connection, from their queue to their answers. No I/O."""

from __future__ import annotations

import copy
import math
from collections import deque
from typing import TYPE_CHECKING, Final

from tgbridge.telegram.mtproto.failures import UNKNOWN_KEY, ConnectionFailed, PeerSilent, TransportRefused

if TYPE_CHECKING:
    from tgbridge.telegram.mtproto.calls import Call

MOST_TRIES: Final = 5
"""How often a call is sent on one connection, whose server refuses its message by its number."""


class CallQueue:
    """Calls that wait, and calls that were sent.

    `waiting` have not been sent, so that whoever gives up costs nothing; `sent`, by message id and in the
    order of sending, have no answer yet.
    """

    def __init__(self) -> None:
        self.waiting: deque[Call] = deque()
        self.sent: dict[int, Call] = {}
        self._latest_answered = 0.0  # when the latest call was sent of those that have their answers

    @property
    def pending(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self.sent or self.waiting)

    def next(self) -> Call | None:
        """Return the next call that is to be sent, and that somebody still wants; None if there is none."""
        while self.waiting:
            call = self.waiting.popleft()
            if not call.answer.done():
                return call
        return None

    def withdraw(self, call: Call) -> bool:
        """Forget a call; whether it was sent. If not, it is passed over when its turn comes."""
        if self.sent.get(call.msg_id) is not call:
            return False
        del self.sent[call.msg_id]
        return True

    def answered(self, call: Call) -> None:
        """Take note that a call has its answer."""
        del self.sent[call.msg_id]
        self._latest_answered = max(self._latest_answered, call.sent_at)

    def again(self, *msg_ids: int, perhaps_received: bool = False) -> None:
        """Let calls be sent again, before all that wait, under new message ids.

        Where they have been received `perhaps`, those that must not be repeated fail instead.
        """
        for msg_id in reversed(msg_ids):
            call = self.sent.pop(msg_id, None)
            if call is None:
                continue
            if perhaps_received and not call.repeatable:
                call.fail(ConnectionFailed("nobody knows whether the message was received"))
            elif call.tries < MOST_TRIES:
                self.waiting.appendleft(call)
            else:
                call.fail(ConnectionFailed("message refused again and again"))

    @property
    def overdue_at(self) -> float:
        """When the first of the calls will have waited for as long as it may; infinite without any."""
        return min((call.sent_at + call.patience for call in self.sent.values()), default=math.inf)

    def fail_overdue(self, now: float, *, stalled: bool) -> None:
        """Fail calls that have waited for as long as they may: all, if answers have `stalled`.

        Else those of which the server has answered much later ones: theirs got lost.
        """
        for call in list(self.sent.values()):
            overdue = now - call.sent_at >= call.patience
            if overdue and (stalled or self._latest_answered - call.sent_at >= call.patience):
                del self.sent[call.msg_id]
                call.fail(PeerSilent("no answer"))

    def fail(self, error: ConnectionFailed) -> None:
        """Let all that wait know that the conversation is over."""
        sent, waiting = list(self.sent.values()), list(self.waiting)
        self.sent.clear()
        self.waiting.clear()
        refused = isinstance(error, TransportRefused) and error.code == UNKNOWN_KEY
        for call in sent:
            call.fail(_copy(error, not_received=refused))
        for call in waiting:
            call.fail(_copy(error, not_received=True))


def _copy(error: ConnectionFailed, *, not_received: bool) -> ConnectionFailed:
    """Return the same error with a traceback of its own."""
    copied = copy.copy(error)
    copied.not_received = not_received
    return copied
