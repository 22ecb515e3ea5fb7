"""One MTProto session of a key: numbers in both directions, what was received, what was not yet acknowledged.

No I/O: it decides, :mod:`tgbridge.sandbox.mtproto.messages` acts.

Sources: https://core.telegram.org/mtproto/description#session,
https://core.telegram.org/mtproto/service_messages_about_messages
"""

from __future__ import annotations

import asyncio
import bisect
import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from tgbridge.sandbox.dispatch import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.mtproto.connection import Connection
    from tgbridge.sandbox.mtproto.invocation import Parts

TOO_OLD_SECONDS, TOO_NEW_SECONDS = 300, 30
_REMEMBERED = 1024  # messages
_KEPT_BYTES = 8 << 20  # of messages that were not acknowledged


class Verdict(IntEnum):
    """Whether a message is taken; all but ACCEPTED and REPEATED are codes of bad_msg_notification."""

    ACCEPTED = 0
    REPEATED = 1
    ID_TOO_LOW = 16
    ID_TOO_HIGH = 17
    ID_NOT_DIVISIBLE = 18
    CONTAINER_ID_REPEATED = 19
    TOO_OLD_TO_TELL = 20
    SEQUENCE_TOO_LOW = 32
    SEQUENCE_TOO_HIGH = 33
    EVEN_EXPECTED = 34
    ODD_EXPECTED = 35
    INVALID_CONTAINER = 64


# What msgs_state_info tells of a message
STATE_FORGOTTEN, STATE_NOT_RECEIVED, STATE_TOO_HIGH, STATE_RECEIVED = 1, 2, 3, 4
STATE_CALL, STATE_ANSWERED = 32, 64


@dataclass(slots=True, eq=False)
class Sent:
    """A message to the client. ``answers``: the client's message of which it is the call's result."""

    msg_id: int
    seq_no: int
    body: Parts = field(repr=False)
    size: int
    answers: int | None
    connection: Connection | None = None


@dataclass(slots=True, eq=False)
class Received:
    """A message from the client that has an answer, sooner or later."""

    task: asyncio.Task[None] | None = None
    answer: Sent | None = None
    finished: bool = False
    failed: bool = False
    acknowledged: bool = False
    dropped: bool = False
    """Whether the client does not want the answer any more."""
    forgotten: bool = False
    """Whether the answer had to be let go of before the client acknowledged it."""


class Session:
    """The state of one (authorization key, session id)."""

    def __init__(self, auth_key: AuthKeyRecord, session_id: int, now: Callable[[], float]) -> None:
        self.auth_key = auth_key
        self.id = session_id
        self.now = now
        self.unique_id = secrets.randbits(63)
        self.announced = False
        self.receives_updates = False
        """Whether it made a request without invokeWithoutUpdates."""
        self.connections: list[Connection] = []
        """The open connections on which it was seen, the latest last."""
        self.received: dict[int, Received] = {}
        self.sent: dict[int, Sent] = {}
        self.ack_timer: asyncio.TimerHandle | None = None
        self._order: list[tuple[int, int]] = []  # (msg_id, seq_no) of what was received, ascending in both
        self._forgotten_to = 0
        self._last_msg_id = 0
        self._content_count = 0
        self._kept_bytes = 0

    def verdict(
        self, msg_id: int, seq_no: int, *, content_related: bool | None, within: int | None = None
    ) -> Verdict:
        """Check a message's number, and note it if it is accepted.

        ``content_related``: whether its seq_no has to be odd, None where clients differ; ``within``: the
        container's msg_id.
        """
        if msg_id % 4:
            return Verdict.ID_NOT_DIVISIBLE
        if within is None:
            sent_at, now = msg_id >> 32, self.now()
            if sent_at < now - TOO_OLD_SECONDS:
                return Verdict.ID_TOO_LOW
            if sent_at > now + TOO_NEW_SECONDS:
                return Verdict.ID_TOO_HIGH
        elif msg_id >= within:
            return Verdict.INVALID_CONTAINER
        if content_related is not None and seq_no % 2 != content_related:
            return Verdict.ODD_EXPECTED if content_related else Verdict.EVEN_EXPECTED
        return self._place(msg_id, seq_no)

    def _place(self, msg_id: int, seq_no: int) -> Verdict:
        index = bisect.bisect_left(self._order, (msg_id,))
        if index < len(self._order) and self._order[index][0] == msg_id:
            return Verdict.REPEATED
        if msg_id <= self._forgotten_to:
            return Verdict.TOO_OLD_TO_TELL
        # In the order of their ids, numbers never fall, and odd ones rise.
        if index > 0 and seq_no < self._order[index - 1][1] + seq_no % 2:
            return Verdict.SEQUENCE_TOO_LOW
        if index < len(self._order) and seq_no > self._order[index][1] - seq_no % 2:
            return Verdict.SEQUENCE_TOO_HIGH
        self._order.insert(index, (msg_id, seq_no))
        if len(self._order) > _REMEMBERED:
            self._forgotten_to, _ = self._order.pop(0)
            self.received.pop(self._forgotten_to, None)
        return Verdict.ACCEPTED

    def state_of(self, msg_id: int) -> int:
        """Tell what is known of a client's message, as msgs_state_info has it."""
        index = bisect.bisect_left(self._order, (msg_id,))
        if index == len(self._order):
            return STATE_TOO_HIGH
        if self._order[index][0] != msg_id:
            return STATE_NOT_RECEIVED if msg_id > self._forgotten_to else STATE_FORGOTTEN
        received = self.received.get(msg_id)
        if received is None:
            return STATE_RECEIVED
        return STATE_RECEIVED | STATE_CALL | (STATE_ANSWERED if received.finished else 0)

    # To the client

    def attach(self, connection: Connection) -> None:
        """Note on which connection it was seen last; what was lost with an earlier one is sent again."""
        if self.connections and self.connections[-1] is connection:
            return
        if connection in self.connections:
            self.connections.remove(connection)
        self.connections.append(connection)
        for sent in list(self.sent.values()):
            if sent.connection not in self.connections:
                self.resend(sent, via=connection)

    def send(
        self,
        body: Parts,
        *,
        answer: bool,
        content_related: bool = False,
        answers: int | None = None,
        via: Connection | None = None,
    ) -> None:
        """Send a message on a connection, or on the latest if that one is closed; without any, later.

        ``answer``: it answers a message of the client's, of which ``answers`` is the id where it is a call's
        result. ``content_related``: the client has to acknowledge it, and until then it is kept.
        """
        sent = Sent(
            self.next_msg_id(answer=answer),
            self.next_seq_no(content_related=content_related),
            body,
            sum(map(len, body)),
            answers,
        )
        if content_related:
            self._keep(sent)
        self.resend(sent, via=via)

    def resend(self, sent: Sent, *, via: Connection | None) -> None:
        """Send a message, perhaps again."""
        if via is None or via.closed:
            via = self.connections[-1] if self.connections else None
        sent.connection = via
        if via is not None:
            via.queue(self, sent)

    def next_msg_id(self, *, answer: bool) -> int:
        """Make the id of a message to the client: mod 4 it is 1 if it answers one of the client's, else 3."""
        seconds, fraction = divmod(self.now(), 1)
        msg_id = (int(seconds) << 32 | int(fraction * (1 << 30)) << 2) + (1 if answer else 3)
        if msg_id <= self._last_msg_id:
            msg_id = (self._last_msg_id // 4 + 1) * 4 + (1 if answer else 3)
        self._last_msg_id = msg_id
        return msg_id

    def next_seq_no(self, *, content_related: bool) -> int:
        """Count a message to the client."""
        seq_no = self._content_count * 2 + content_related
        self._content_count += content_related
        return seq_no

    def _keep(self, sent: Sent) -> None:
        self.sent[sent.msg_id] = sent
        if sent.answers is not None and (received := self.received.get(sent.answers)):
            received.answer = sent
        self._kept_bytes += sent.size
        while self._kept_bytes > _KEPT_BYTES and len(self.sent) > 1:
            oldest = next(iter(self.sent.values()))
            if oldest.answers is not None and (received := self.received.get(oldest.answers)):
                received.forgotten = True
            self._drop(oldest)

    def acknowledge(self, msg_ids: Iterable[int]) -> None:
        """Let go of messages that the client has."""
        for msg_id in msg_ids:
            if sent := self.sent.get(msg_id):
                self._drop(sent)

    def _drop(self, sent: Sent) -> None:
        del self.sent[sent.msg_id]
        self._kept_bytes -= sent.size
        if sent.answers is not None and (received := self.received.get(sent.answers)):
            received.answer = None

    async def answered(self, *msg_ids: int) -> None:
        """Wait for the answers to earlier messages. Raises RpcError 400 MSG_WAIT_FAILED without them."""
        for msg_id in msg_ids:
            received = self.received.get(msg_id)
            if received is not None and received.task is not None and not received.finished:
                await asyncio.wait({received.task})
            if received is None or received.failed or not received.finished:
                raise RpcError(400, "MSG_WAIT_FAILED")

    def close(self) -> None:
        """End it: nothing is sent by it any more. May be called again."""
        if self.ack_timer is not None:
            self.ack_timer.cancel()
            self.ack_timer = None
        self.sent.clear()
        self._kept_bytes = 0
        self.connections.clear()
