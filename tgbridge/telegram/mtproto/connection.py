"""One TCP connection: MTProto over the intermediate transport, any number of calls in flight."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import TYPE_CHECKING, Any, Final

from tgbridge.telegram.mtproto.calls import Call
from tgbridge.telegram.mtproto.conversation import Conversation
from tgbridge.telegram.mtproto.failures import (
    TRANSPORT_FLOOD,
    ConnectionFailed,
    PeerSilent,
    ProtocolViolated,
    TransportRefused,
)
from tgbridge.telegram.mtproto.packets import frame
from tgbridge.telegram.mtproto.serialisation import read_object
from tgbridge.telegram.mtproto.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from telethon.tl import TLRequest

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.calls import Preamble
    from tgbridge.telegram.mtproto.packets import Packet
    from tgbridge.telegram.mtproto.pieces import Bytes

KEEPALIVE_SECONDS: Final = 60.0
"""How often an idle connection is asked for a sign of life."""

DISCONNECT_SECONDS: Final = 75
"""When the server is to close a connection on which nothing was said."""

_ACKNOWLEDGED_AT_ONCE: Final = 8
_ACKNOWLEDGED_AFTER: Final = 1.0  # seconds, if they do not become so many before
_LOOKS: Final = 4  # at a silent connection, within its time-out
_PLAIN: Final = struct.Struct("<qqi")  # no key, message id, length


class Connection:
    """A connection to a data centre: first for `exchange`, and, once it has a key, for calls.

    It ends when it is closed, dropped, or silent for `request_timeout` seconds while the server owes answers;
    then all calls fail with ConnectionFailed, to be made elsewhere. Slow is not silent.
    """

    def __init__(
        self, *, request_timeout: float, on_outcome: Callable[[bool], None] = lambda _: None
    ) -> None:
        """`on_outcome` is told, once, whether the server has said a word, or ended it before."""
        self.failure: ConnectionFailed | None = None
        """Why the connection ended, once it has."""
        self.on_end: Callable[[ConnectionFailed], None] | None = None
        """Is told when it ends in any other way than by closing it; before its calls fail."""
        self.is_only = False
        """Whether its key may have no other one beside it: however it ends, the server is told, and `aclose`
        waits until it has closed as well, for a moment."""
        self._on_outcome: Callable[[bool], None] | None = on_outcome
        self._request_timeout = request_timeout
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(
            on_heard=self._heard,
            on_progress=self._progress,
            on_packet=self._arrived,
            next_packet=self._next_call,
            on_end=self._end,
        )
        self._conversation: Conversation | None = None
        self._exchanged: asyncio.Future[Bytes] | None = None
        self._last_plain_id = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ack_timer: asyncio.TimerHandle | None = None
        self._heard_at = self._progress_at = self._pending_since = self._pinged_at = self._loop.time()
        self._asked_at: float | None = None  # first, of what no word has followed

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        request_timeout: float,
        on_outcome: Callable[[bool], None] = lambda _: None,
    ) -> Connection:
        """Connect. Raises OSError; has no time-out of its own. See `Connector`, which keeps to a pace."""
        loop = asyncio.get_running_loop()
        connection = cls(request_timeout=request_timeout, on_outcome=on_outcome)
        await loop.create_connection(lambda: connection._wire, host, port)
        return connection

    # What callers use

    @property
    def key(self) -> AuthorizationKey | None:
        """What it encrypts with."""
        return self._wire.reader.key

    @property
    def usable(self) -> bool:
        """Whether it has not ended, and is not about to."""
        return self.failure is None and self._wire.usable

    @property
    def pending(self) -> bool:
        """Whether anybody waits for an answer."""
        return self._conversation is not None and self._conversation.calls.pending

    async def exchange(self, request: TLRequest) -> Any:
        """Send an unencrypted request of a key exchange; its answer. Raises ConnectionFailed."""
        self._check()
        body = bytes(request)
        self._last_plain_id = max(int(time.time() * 2**32) & ~3, self._last_plain_id + 4)
        message = _PLAIN.pack(0, self._last_plain_id, len(body)) + body
        self._exchanged = self._loop.create_future()
        self._wire.write(frame(message), message)
        try:
            async with asyncio.timeout(self._request_timeout):
                answer = await self._exchanged
        except TimeoutError as error:
            raise PeerSilent("no answer in the key exchange") from error
        finally:
            self._exchanged = None
        return read_object(answer[_PLAIN.size :])

    def use(
        self,
        key: AuthorizationKey,
        preamble: Callable[[], Preamble],
        hear: Callable[[Any], None] | None = None,
    ) -> None:
        """Begin a session of `key`. See Conversation for what goes before requests, and for updates."""
        self._check()
        self._wire.reader.key = key
        self._conversation = Conversation(key, preamble, hear)
        self._look_after(KEEPALIVE_SECONDS)

    def start(
        self,
        request: TLRequest,
        *,
        after: Call | None = None,
        repeatable: bool = True,
        patience: float | None = None,
    ) -> Call:
        """Begin a call, to be ended with `give_up`; `after` is another one that has to be carried out before.

        `repeatable`: it may be sent again where nobody knows whether the server has received it. `patience`:
        seconds after which it counts as lost, although the server is there; as a rule `request_timeout`.
        Raises ConnectionFailed. The call's answer is as in `call`.
        """
        self._check()
        conversation = self._conversation
        if conversation is None:
            raise ConnectionFailed("the connection has no key", not_received=True)
        if not conversation.calls.pending:
            now = self._pending_since = self._loop.time()
            soon = self._request_timeout / _LOOKS
            if self._timer is None or self._timer.when() > now + soon:
                self._look_after(soon)
        if patience is None:
            patience = self._request_timeout
        if self._asked_at is None:
            self._asked_at = self._loop.time()
        call = Call(request, after, repeatable=repeatable, patience=patience)
        conversation.calls.waiting.append(call)
        self._wire.flush()
        return call

    def give_up(self, call: Call) -> None:
        """Take no more interest in a call; its late answer is dropped. Does nothing once it is answered."""
        if self.failure is None and self._conversation is not None:
            packet = self._conversation.withdraw(call)
            if packet is not None:
                self._wire.write(*packet)

    async def call(self, request: TLRequest, *, after: Call | None = None) -> Any:
        """Send a request; its answer, where a file's bytes are `FileBytes`.

        Raises RpcFailed if the answer is an error, ConnectionFailed if there is none.
        """
        call = self.start(request, after=after)
        try:
            return await call.answer
        finally:
            self.give_up(call)

    def close(self) -> None:
        """Close; all calls fail. Idempotent."""
        self._on_outcome = self.on_end = None
        self._end(ConnectionFailed("closed"))

    async def aclose(self) -> None:
        """Close, and wait until the socket is gone. Idempotent."""
        self.close()
        await self._wire.gone()

    # From the wire

    def _heard(self) -> None:
        self._heard_at, self._asked_at = self._loop.time(), None

    def _progress(self) -> None:
        self._heard_at = self._progress_at = self._loop.time()

    def _arrived(self, packet: Packet) -> None:
        self._tell_outcome(said_a_word=True)
        if packet.encrypted:
            self._received(packet.data)
        elif self._conversation is not None:
            raise ProtocolViolated("an unencrypted message")
        elif self._exchanged is not None and not self._exchanged.done():
            self._exchanged.set_result(packet.data)

    def _received(self, plain: Bytes) -> None:
        conversation = self._conversation
        assert conversation is not None  # noqa: S101 - what decrypts has a key
        if conversation.receive(plain):
            self._progress_at = self._heard_at
        for packet in conversation.take_packets():
            self._wire.write(*packet)
        if conversation.calls.waiting:
            self._wire.flush()
        if len(conversation.unacknowledged) >= _ACKNOWLEDGED_AT_ONCE:
            self._acknowledge()
        elif conversation.unacknowledged and self._ack_timer is None:
            self._ack_timer = self._loop.call_later(_ACKNOWLEDGED_AFTER, self._acknowledge)

    def _next_call(self) -> tuple[bytes, bytes] | None:
        conversation = self._conversation
        return None if conversation is None else conversation.next_call(self._loop.time())

    # Inside

    def _check(self) -> None:
        if not self.usable:
            reason = str(self.failure or "connection lost")
            raise ConnectionFailed(reason, not_received=True) from self.failure

    def _tell_outcome(self, *, said_a_word: bool) -> None:
        if self._on_outcome is not None:
            on_outcome, self._on_outcome = self._on_outcome, None
            on_outcome(said_a_word)

    def _acknowledge(self) -> None:
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None
        packet = self._conversation and self._conversation.acknowledge()
        if packet:
            self._wire.write(*packet)

    def _look_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """See whether the server is still there: pings idle connections, and those it has to answer on."""
        conversation, now, patience = self._conversation, self._loop.time(), self._request_timeout
        assert conversation is not None  # noqa: S101 - there is no timer before
        # It may owe answers that nobody waits for any more.
        owing = conversation.calls.pending or conversation.pinging or self._asked_at is not None
        silent = now - (self._asked_at or self._heard_at) if owing else 0.0
        if silent >= patience:
            self._end(PeerSilent("nothing came any more"))
            return
        stalled_at = max(self._progress_at, self._pending_since) + patience
        conversation.calls.fail_overdue(now, stalled=now >= stalled_at)
        # Regularly, whatever else is said: the server counts the time from ping to ping.
        due = now - self._pinged_at >= KEEPALIVE_SECONDS or silent >= patience / 2
        if due and not conversation.pinging:
            self._asked_at = self._asked_at if owing else now
            self._pinged_at, owing = now, True
            self._wire.write(*conversation.ping(DISCONNECT_SECONDS))
        again = max(self._pinged_at + KEEPALIVE_SECONDS - now, 1.0)
        if owing:
            again = min(again, patience / _LOOKS, patience - silent)
        overdue = max(stalled_at, conversation.calls.overdue_at) - now
        self._look_after(min(again, overdue) if overdue > 0 else again)

    def _end(self, failure: ConnectionFailed) -> None:
        if self.failure is not None:
            return
        self.failure = failure
        self._wire.stop()
        refused = isinstance(failure, TransportRefused) and failure.code != TRANSPORT_FLOOD
        self._tell_outcome(said_a_word=refused)
        if self.on_end is not None:
            self.on_end(failure)
        for timer in (self._timer, self._ack_timer):
            if timer is not None:
                timer.cancel()
        if self.is_only:
            self._wire.part()
        else:
            self._wire.abort()
        if self._exchanged is not None and not self._exchanged.done():
            self._exchanged.set_exception(failure)
        if self._conversation is not None:
            self._conversation.calls.fail(failure)
