"""What is read at once, and when others get on."""

from __future__ import annotations

import asyncio
import struct

from tgbridge.telegram.mtproto.wire import Wire


class _Pausing(asyncio.Transport):
    """A transport that counts how often it was told to read no further, and to read on."""

    pauses = resumed = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.pauses += 1

    def resume_reading(self) -> None:
        self.resumed += 1


class _Arriving:
    """A wire to which bytes come without a socket, and that has nothing to say."""

    def __init__(self) -> None:
        self.transport = _Pausing()
        self._wire = Wire(
            on_heard=lambda: None,
            on_progress=lambda: None,
            on_packet=lambda _packet: None,
            next_packet=lambda: None,
            on_end=lambda _failure: None,
        )
        self._wire.connection_made(self.transport)

    def packet(self, *, reads: int, more: int = 0) -> list[int]:
        """Bring one that is read in so many times, and a few bytes; the pauses so far, after each read."""
        room, pauses = self._wire.get_buffer(-1), []
        size = reads * len(room) + more
        packet = struct.pack("<I", size - 4) + bytes(size - 4)
        for at in range(0, len(packet), len(room)):
            piece = packet[at : at + len(room)]
            room[: len(piece)] = piece
            self._wire.buffer_updated(len(piece))
            pauses.append(self.transport.pauses)
        return pauses


async def test_a_part_is_read_to_its_end_before_others_get_on() -> None:
    """While more of a packet is there it is read on, for one turn; what is whole is let go at once."""
    arriving = _Arriving()
    assert arriving.packet(reads=3) == [0, 0, 1]
    await asyncio.sleep(0)
    assert arriving.packet(reads=5, more=100) == [1, 1, 1, 2, 3, 3]


async def test_all_connections_together_are_read_no_longer_than_one() -> None:
    """Each takes what it must, and waits for a turn that has room for it: small requests get on."""
    many = [_Arriving() for _ in range(20)]
    for arriving in many:
        arriving.packet(reads=1, more=100)
    assert [arriving.transport.pauses for arriving in many] == [0] * 3 + [1] * 17
    resumed = []
    for _ in range(5):
        await asyncio.sleep(0)
        resumed.append(sum(arriving.transport.resumed for arriving in many))
    assert resumed == [4, 8, 12, 16, 17]
