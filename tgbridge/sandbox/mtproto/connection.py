"""One client's TCP connection: bytes to packets to messages, and back."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from tgbridge.sandbox.mtproto import envelope, messages, transport
from tgbridge.sandbox.mtproto.auth_keys import key_id
from tgbridge.sandbox.mtproto.handshake import Handshake, HandshakeError, NewKey, Verdict
from tgbridge.sandbox.mtproto.link import Link, Path

if TYPE_CHECKING:
    from tgbridge.sandbox.data_centre import DataCentre
    from tgbridge.sandbox.mtproto.invocation import Parts
    from tgbridge.sandbox.mtproto.session import Sent, Session
    from tgbridge.sandbox.mtproto.transport import Buffer, Framing, Packet

_CONTAINER_MAX_BYTES = 64 * 1024  # messages that are longer go alone
_CONTAINER_MAX_MESSAGES = 100
_UNREAD_MAX_BYTES = 64 << 20  # of answers that a client does not take; until it does, no more is read from it
_PLAIN_HEAD = struct.Struct("<qqi")


class Connection(asyncio.Protocol):
    """Serves one connection until either side closes it.

    Nothing on it is awaited: messages are acted on as they arrive, calls run in tasks of their own, and what
    they answer is queued here, put together in containers, encrypted when the socket takes it.
    """

    def __init__(self, dc: DataCentre, *, media_only: bool) -> None:
        self.dc = dc
        self.sandbox = dc.sandbox
        self.media_only = media_only
        self.asked_for: set[Any] = set()
        """The authorizations that have sent requests on it, unless it is media_only."""
        self.closed = False
        self.silent = False
        """Whether whatever is sent is lost from now on, in both directions."""
        self.loop = asyncio.get_running_loop()
        self._network = self.sandbox.faults.network(dc.id)
        self.path = Path(self._network)
        self._incoming = Link(self.loop, self.path, self._arrived)
        self._outgoing = Link(self.loop, self.path, self._write)
        self._detector = transport.Detector()
        self._framing: Framing | None = None
        self._handshake: Handshake | None = None
        self._sessions: dict[Session, None] = {}
        self._queue: deque[tuple[Session, Sent, float]] = deque()
        self._waits_for_turn = False
        self._unread_bytes = 0
        self._writable = True
        self._lost = False
        self._disconnect_timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless connections are to be refused."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what a TCP server gives)
        self._transport = transport
        if self._network.refusing or not self.dc.listening:
            self.closed = True
            self._reset()
            return
        transport.set_write_buffer_limits(high=256 * 1024, low=64 * 1024)
        # A connection took its first round trip to be made, which loopback has done without.
        self._incoming.hold(2 * self._network.delay)
        self.dc.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take what the socket had."""
        self.sandbox.counters.bytes_in += len(data)
        self._incoming.push(data)

    def pause_writing(self) -> None:
        """Hold packets back: the socket is full."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on with the packets that were held back."""
        self._writable = True
        self._ask_for_turn()

    def eof_received(self) -> bool:
        """Close, since the client has nothing more to ask."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Give back all that belonged to the connection."""
        self._lost = True
        self._ended()
        self.dc.lost(self)

    # Closing

    def close(self) -> None:
        """Close, after what was already written. May be called again."""
        if not self.closed:
            self._ended()
            self._transport.close()

    def abort(self) -> None:
        """Break it off at once, by a reset, even if it is being closed. May be called again."""
        self._ended()
        if not self._lost:
            self._reset()

    def _reset(self) -> None:
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def close_after(self, seconds: float) -> None:
        """Close in some time, which begins anew with each call."""
        if self._disconnect_timer is not None:
            self._disconnect_timer.cancel()
        self._disconnect_timer = self.loop.call_later(seconds, self.close)

    def _ended(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._incoming.close()
        self._outgoing.close()
        self._queue.clear()
        if self._disconnect_timer is not None:
            self._disconnect_timer.cancel()
        for session in self._sessions:
            if self in session.connections:
                session.connections.remove(self)
        self._sessions.clear()

    # What arrives

    def _arrived(self, data: Buffer) -> None:
        if self.closed or self._is_lost():
            return
        try:
            if self._framing is None:
                detected = self._detector.feed(data)
                if detected is None:
                    return
                self._framing, data = detected
            for packet in self._framing.feed(data):
                self._packet(self._framing, packet)
                if self._transport.is_closing():
                    return
        except (transport.TransportError, messages.MalformedMessageError):
            self.close()
        except HandshakeError as error:
            self._refuse(error.code)
        except envelope.EnvelopeError:
            self._refuse(transport.UNKNOWN_AUTH_KEY)

    def _is_lost(self) -> bool:
        # What is lost once can't be made good: a stream with a hole in it stays silent.
        self.silent = self.silent or self._network.silent
        return self.silent

    def _packet(self, framing: Framing, packet: Packet) -> None:
        data = packet.data
        if len(data) < _PLAIN_HEAD.size:
            raise transport.TransportError("too short for a message")
        if data[:8] == bytes(8):
            self._plain(data)
            return
        record = self.sandbox.auth_keys.get(self.dc.id, data[:8])
        if record is None:
            self._refuse(transport.UNKNOWN_AUTH_KEY)
            return
        opened = envelope.open_(record.key, data)
        if packet.quick_ack:
            self._push(framing.quick_ack(opened.token))
        session = record.session(opened.session_id, self.sandbox.now)
        self._sessions[session] = None
        session.attach(self)
        messages.receive(self, session, opened)

    def _plain(self, data: bytes) -> None:
        _, _, length = _PLAIN_HEAD.unpack_from(data)
        if self._handshake is None:
            self._handshake = Handshake(
                self.dc.server_key,
                self.dc.id,
                now=self.sandbox.now,
                pq_bits=self.sandbox.pq_bits,
                verdict=self._judge_key,
            )
        answer, made = self._handshake.answer(data[_PLAIN_HEAD.size : _PLAIN_HEAD.size + max(0, length)])
        if made is not None:
            self._new_key(made)
        if answer:
            msg_id = int(self.sandbox.now()) << 32 | 1
            self._send_packet([_PLAIN_HEAD.pack(0, msg_id, len(answer)), answer])

    def _judge_key(self, key: bytes) -> Verdict:
        # A key that exists is made anew, and one that begins with a zero byte, which clients may drop.
        if key[0] == 0 or self.sandbox.auth_keys.get(self.dc.id, key_id(key)) is not None:
            return "retry"
        return self.sandbox.faults.judge_key()

    def _new_key(self, made: NewKey) -> None:
        self.sandbox.auth_keys.add(self.dc.id, made.key, made.first_salt, self.sandbox.now())
        self.sandbox.counters.auth_keys += 1

    def _refuse(self, code: int) -> None:
        assert self._framing is not None  # noqa: S101 (a packet was read by it)
        self._push(self._framing.error(code))
        if self._outgoing.pending_bytes:
            self.close_after(2 * self._network.delay)
        else:
            self.close()

    # What goes out

    def queue(self, session: Session, sent: Sent) -> None:
        """Send a message soon, together with others of the same moment."""
        if self.closed:
            return
        self._queue.append((session, sent, self.loop.time()))
        self._unread_bytes += sent.size
        if self._unread_bytes > _UNREAD_MAX_BYTES:
            self._transport.pause_reading()
        self._ask_for_turn()

    def flush(self) -> None:
        """Put what is queued into packets at once, as far as the socket takes them."""
        while self._has_packet:
            self._write_packet()

    @property
    def _has_packet(self) -> bool:
        return bool(self._queue) and self._writable and not self.closed

    def _ask_for_turn(self) -> None:
        if self._has_packet and not self._waits_for_turn:
            self._waits_for_turn = True
            self.sandbox.turns.take(self._take_turn)

    def _take_turn(self) -> None:
        self._waits_for_turn = False
        if self._has_packet:
            self._write_packet()
        self._ask_for_turn()

    def _write_packet(self) -> None:
        session, batch, since = self._next_batch()
        self._seal(session, batch, since)
        if self._unread_bytes <= _UNREAD_MAX_BYTES and not self._transport.is_closing():
            self._transport.resume_reading()

    def _next_batch(self) -> tuple[Session, list[Sent], float]:
        session, first, since = self._queue.popleft()
        batch, size = [first], first.size
        while self._queue and len(batch) < _CONTAINER_MAX_MESSAGES:
            other, following, _ = self._queue[0]
            size += following.size
            if other is not session or size > _CONTAINER_MAX_BYTES:
                break
            batch.append(following)
            self._queue.popleft()
        self._unread_bytes -= sum(sent.size for sent in batch)
        return session, batch, since

    def _seal(self, session: Session, batch: list[Sent], since: float) -> None:
        key = session.auth_key
        if len(batch) == 1:
            msg_id, seq_no, body = batch[0].msg_id, batch[0].seq_no, batch[0].body
        else:
            body = [struct.pack("<Ii", messages.CONTAINER, len(batch))]
            for sent in batch:
                body += [struct.pack("<qii", sent.msg_id, sent.seq_no, sent.size), *sent.body]
            msg_id, seq_no = session.next_msg_id(answer=True), session.next_seq_no(content_related=False)
        salt = key.salt(session.now())
        letter = envelope.Letter(salt, session.id, msg_id, seq_no, body)
        self._send_packet(envelope.seal(key.key, key.id, letter), since)

    def _send_packet(self, parts: Parts, since: float | None = None) -> None:
        assert self._framing is not None  # noqa: S101 (a packet was read by it)
        self._push(self._framing.frame(parts), since)

    def _push(self, framed: Parts, since: float | None = None) -> None:
        if self._is_lost():
            return
        data = b"".join(framed)
        self.sandbox.counters.bytes_out += len(data)
        self._outgoing.push(data, since)

    def _write(self, data: Buffer) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
