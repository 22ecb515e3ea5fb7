"""The socket's side of a connection: packets that come, and packets that go as the socket takes them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from tgbridge.telegram.mtproto.encryption import PIECE_BYTES
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.mtproto.packets import INTERMEDIATE, PacketReader
from tgbridge.telegram.mtproto.turns import turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.telegram.mtproto.encryption import Buffer
    from tgbridge.telegram.mtproto.packets import Packet

PARTING_SECONDS: Final = 3.0
"""How long the server has to close as well, when it is told that this is the end."""

_WRITTEN_AT_ONCE: Final = 128 * 1024  # no more than this is copied when the socket does not take all


class _Scratch(threading.local):
    """What a loop receives into; one, since each connection uses up what it got before the next reads."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(PIECE_BYTES))


_scratch = _Scratch()


class Wire(asyncio.BufferedProtocol):
    """Reads packets and writes them, until it is stopped, or the socket is lost."""

    def __init__(
        self,
        *,
        on_heard: Callable[[], None],
        on_progress: Callable[[], None],
        on_packet: Callable[[Packet], None],
        next_packet: Callable[[], tuple[Buffer, Buffer] | None],
        on_end: Callable[[ConnectionFailed], None],
    ) -> None:
        """Say who is told of what.

        `on_heard`: bytes came, before what they are. `on_progress`: a packet came in part, or the peer took
        what was written. `on_packet` may raise ConnectionFailed. `next_packet` gives what is to be written,
        in two pieces, as soon as it may be. `on_end`, perhaps more than once: why nothing more will come.
        """
        self.reader = PacketReader()
        self._on_heard = on_heard
        self._on_progress = on_progress
        self._on_packet = on_packet
        self._next_packet = next_packet
        self._on_end = on_end
        self._scratch = _scratch.view
        self._room = 0  # bytes that may be read at once
        self._turns = turns()
        self._counted = 0  # bytes of this turn of the loop, before they were read
        self._transport: asyncio.Transport
        self._unwritten: deque[Buffer] = deque()
        self._paused = False
        self._stopped = False
        self._parting: asyncio.TimerHandle | None = None
        self._lost = asyncio.get_running_loop().create_future()

    @property
    def usable(self) -> bool:
        """Whether it has not ended, and is not about to."""
        return not self._stopped and not self._transport.is_closing()

    def write(self, *pieces: Buffer) -> None:
        """Write a packet as one, as soon as the socket takes it."""
        self._unwritten.append(b"".join(pieces))
        self.flush()

    def flush(self) -> None:
        """Write what is to be written, and then further packets, as far as the socket takes them."""
        # A transport that is closing would drop what it is given; `connection_lost` is about to come.
        while not self._paused and self.usable:
            if self._unwritten:
                self._transport.write(self._unwritten.popleft())
                continue
            packet = self._next_packet()
            if not packet:
                return
            head, data = packet
            if len(data) <= _WRITTEN_AT_ONCE:
                self._unwritten.append(b"".join(packet))
                continue
            view = memoryview(data)
            self._unwritten.append(head)
            self._unwritten.extend(
                view[at : at + _WRITTEN_AT_ONCE] for at in range(0, len(view), _WRITTEN_AT_ONCE)
            )

    def stop(self) -> None:
        """Act on nothing that comes, and write nothing any more. Idempotent."""
        self._stopped = True
        self._unwritten.clear()

    def abort(self) -> None:
        """Close the socket at once. Idempotent."""
        self.stop()
        self._transport.abort()

    def part(self) -> None:
        """Close the socket so that the server knows of it: once it has as well, or after `PARTING_SECONDS`.

        Idempotent; does nothing once it is closed.
        """
        self.stop()
        if self._parting is None and not self._transport.is_closing():
            self._parting = asyncio.get_running_loop().call_later(PARTING_SECONDS, self._transport.abort)
            with suppress(OSError):  # the server has reset it, as `connection_lost` is about to tell
                self._transport.write_eof()
            self._transport.resume_reading()

    async def gone(self) -> None:
        """Wait until the socket is closed."""
        await asyncio.shield(self._lost)

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
        self._room = self.reader.wanted(PIECE_BYTES)
        return self._scratch[: self._room]

    def buffer_updated(self, nbytes: int) -> None:
        """Act on what arrived."""
        self._on_heard()
        if self._stopped:
            return
        arrived = False
        try:
            for packet in self.reader.feed(self._scratch[:nbytes]):
                arrived = True
                self._on_packet(packet)
        except ConnectionFailed as error:
            self._on_end(error)
            return
        if self.reader.inside:
            self._on_progress()
        is_enough = self._turns.spend(nbytes - self._counted) or arrived
        self._counted = 0
        if is_enough and nbytes == self._room and not self._stopped:
            # There is more, of which uvloop would take 4 MiB before others get on. Let go what is whole.
            self._transport.pause_reading()
            self._turns.later(nbytes, self._read_on)

    def pause_writing(self) -> None:
        """Keep what is to be written, since the socket is full."""
        self._paused = True

    def resume_writing(self) -> None:
        """Write on: the peer has taken what was written."""
        self._paused = False
        self._on_progress()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, if that was not our own doing."""
        self._on_end(ConnectionFailed("connection lost" if exc is None else type(exc).__name__))
        if self._parting is not None:
            self._parting.cancel()
        if not self._lost.done():
            self._lost.set_result(None)

    # Inside

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._counted = self._room
            self._transport.resume_reading()
