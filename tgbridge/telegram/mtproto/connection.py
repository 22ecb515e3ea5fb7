"""One TCP connection: MTProto over the intermediate transport, any number of calls in flight."""

from __future__ import annotations

import asyncio
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from tgbridge.telegram.mtproto.calls import Call
from tgbridge.telegram.mtproto.conversation import Conversation
from tgbridge.telegram.mtproto.encryption import PIECE_BYTES
from tgbridge.telegram.mtproto.failures import (
    TRANSPORT_FLOOD,
    ConnectionFailed,
    PeerSilent,
    ProtocolViolated,
    TransportRefused,
)
from tgbridge.telegram.mtproto.packets import INTERMEDIATE, PacketReader, frame
from tgbridge.telegram.mtproto.serialisation import read_object
from tgbridge.telegram.mtproto.turns import turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from telethon.tl import TLRequest

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.calls import Preamble
    from tgbridge.telegram.mtproto.encryption import Buffer
    from tgbridge.telegram.mtproto.packets import Packet
    from tgbridge.telegram.mtproto.pieces import Bytes

KEEPALIVE_SECONDS: Final = 60.0
"""How often an idle connection is asked for a sign of life."""

DISCONNECT_SECONDS: Final = 75
"""When the server is to close a connection on which nothing was said."""

PARTING_SECONDS: Final = 1.0
"""How long the server has to close as well, when it is told that this is the end."""

_WRITTEN_AT_ONCE: Final = 128 * 1024  # no more than this is copied when the socket does not take all
_ACKNOWLEDGED_AT_ONCE: Final = 8
_ACKNOWLEDGED_AFTER: Final = 1.0  # seconds, if they do not become so many before
_LOOKS: Final = 4  # at a silent connection, within its time-out
_PLAIN: Final = struct.Struct("<qqi")  # no key, message id, length


class _Scratch(threading.local):
    """What a loop receives into; one, since each connection uses up what it got before the next reads."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(PIECE_BYTES))


_scratch = _Scratch()


class Connection(asyncio.BufferedProtocol):
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
        self._on_outcome: Callable[[bool], None] | None = on_outcome
        self._request_timeout = request_timeout
        self._loop = asyncio.get_running_loop()
        self._turns = turns()
        self._scratch = _scratch.view
        self._reader = PacketReader()
        self._room = 0  # bytes that may be read at once
        self._counted = 0  # bytes of this turn of the loop, before they were read
        self._conversation: Conversation | None = None
        self._exchanged: asyncio.Future[Bytes] | None = None
        self._last_plain_id = 0
        self._transport: asyncio.Transport
        self._unwritten: deque[Buffer] = deque()
        self._paused = False
        self._lost = self._loop.create_future()
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
        _, connection = await loop.create_connection(
            lambda: cls(request_timeout=request_timeout, on_outcome=on_outcome), host, port
        )
        return connection

    # What callers use

    @property
    def key(self) -> AuthorizationKey | None:
        """What it encrypts with."""
        return self._reader.key

    @property
    def usable(self) -> bool:
        """Whether it has not ended, and is not about to."""
        return self.failure is None and not self._transport.is_closing()

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
        self._write(frame(message) + message)
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
        self._reader.key = key
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
        self._flush()
        return call

    def give_up(self, call: Call) -> None:
        """Take no more interest in a call; its late answer is dropped. Does nothing once it is answered."""
        if self.failure is None and self._conversation is not None:
            packet = self._conversation.withdraw(call)
            if packet is not None:
                self._write(b"".join(packet))

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
        """Close at once; all calls fail. Idempotent."""
        self._on_outcome = self.on_end = None
        self._end(ConnectionFailed("closed"))

    async def aclose(self) -> None:
        """Close, and wait until the socket is gone. Idempotent."""
        self.close()
        await asyncio.shield(self._lost)

    async def hang_up(self) -> None:
        """Close so that the server knows of it: wait until it has closed as well, for `PARTING_SECONDS`.

        All calls fail at once. Idempotent, like `aclose` once the connection has ended.
        """
        try:
            if self.usable:
                self._on_outcome = self.on_end = None
                self._end(ConnectionFailed("closed"), at_once=False)
                self._transport.write_eof()
                self._transport.resume_reading()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PARTING_SECONDS):
                        await asyncio.shield(self._lost)
        finally:
            self._transport.abort()
        await self.aclose()

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Choose MTProto's transport."""
        # What a TCP connection has; uvloop's own class is not derived from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        # Paused as soon as the socket is full: what it does not take waits here, not encrypted yet.
        self._transport.set_write_buffer_limits(high=0)
        self._transport.write(INTERMEDIATE)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Return where the next bytes go."""
        self._room = self._reader.wanted(PIECE_BYTES)
        return self._scratch[: self._room]

    def buffer_updated(self, nbytes: int) -> None:
        """Act on what arrived."""
        self._heard_at, self._asked_at = self._loop.time(), None
        if self.failure is not None:
            return
        arrived = False
        try:
            for packet in self._reader.feed(self._scratch[:nbytes]):
                arrived = True
                self._arrived(packet)
        except ConnectionFailed as error:
            if isinstance(error, TransportRefused) and error.code != TRANSPORT_FLOOD:
                self._tell_outcome(said_a_word=True)
            self._end(error)
            return
        if self._reader.inside:
            self._progress_at = self._heard_at
        is_enough = self._turns.spend(nbytes - self._counted) or arrived
        self._counted = 0
        if is_enough and nbytes == self._room and self.failure is None:
            # There is more, of which uvloop would take 4 MiB before others get on. Let go what is whole.
            self._transport.pause_reading()
            self._turns.later(nbytes, self._read_on)

    def pause_writing(self) -> None:
        """Keep what is to be written, since the socket is full."""
        self._paused = True

    def resume_writing(self) -> None:
        """Write on: the peer has taken what was written."""
        self._paused = False
        self._heard_at = self._progress_at = self._loop.time()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, if that was not our own doing."""
        self._end(ConnectionFailed("connection lost" if exc is None else type(exc).__name__))
        if not self._lost.done():
            self._lost.set_result(None)

    # Inside

    def _check(self) -> None:
        if not self.usable:
            reason = str(self.failure or "connection lost")
            raise ConnectionFailed(reason, not_received=True) from self.failure

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
            self._write(b"".join(packet))
        if conversation.calls.waiting:
            self._flush()
        if len(conversation.unacknowledged) >= _ACKNOWLEDGED_AT_ONCE:
            self._acknowledge()
        elif conversation.unacknowledged and self._ack_timer is None:
            self._ack_timer = self._loop.call_later(_ACKNOWLEDGED_AFTER, self._acknowledge)

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._counted = self._room
            self._transport.resume_reading()

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
            self._write(b"".join(packet))

    def _write(self, data: Buffer) -> None:
        self._unwritten.append(data)
        self._flush()

    def _flush(self) -> None:
        """Write what is to be written, and then calls, as far as the socket takes them."""
        # A transport that is closing would drop what it is given; `connection_lost` is about to come.
        while not self._paused and self.usable:
            if self._unwritten:
                self._transport.write(self._unwritten.popleft())
                continue
            packet = self._conversation and self._conversation.next_call(self._loop.time())
            if not packet:
                return
            head, data = packet
            if len(data) <= _WRITTEN_AT_ONCE:
                self._unwritten.append(head + data)
                continue
            view = memoryview(data)
            self._unwritten.append(head)
            self._unwritten.extend(
                view[at : at + _WRITTEN_AT_ONCE] for at in range(0, len(view), _WRITTEN_AT_ONCE)
            )

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
        stalled = now - max(self._progress_at, self._pending_since) >= patience
        conversation.calls.fail_overdue(now, stalled=stalled)
        # Regularly, whatever else is said: the server counts the time from ping to ping.
        due = now - self._pinged_at >= KEEPALIVE_SECONDS or silent >= patience / 2
        if due and not conversation.pinging:
            self._asked_at = self._asked_at if owing else now
            self._pinged_at, owing = now, True
            self._write(b"".join(conversation.ping(DISCONNECT_SECONDS)))
        again = max(self._pinged_at + KEEPALIVE_SECONDS - now, 1.0)
        if owing:
            again = min(again, patience / _LOOKS, patience - silent)
        self._look_after(again)

    def _end(self, failure: ConnectionFailed, *, at_once: bool = True) -> None:
        if self.failure is not None:
            return
        self.failure = failure
        self._tell_outcome(said_a_word=False)
        if self.on_end is not None:
            self.on_end(failure)
        for timer in (self._timer, self._ack_timer):
            if timer is not None:
                timer.cancel()
        self._unwritten.clear()
        if at_once:
            self._transport.abort()
        if self._exchanged is not None and not self._exchanged.done():
            self._exchanged.set_exception(failure)
        if self._conversation is not None:
            self._conversation.calls.fail(failure)
