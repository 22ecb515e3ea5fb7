"""What is read at once, and when others get on."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

from tgbridge.telegram.mtproto.wire import Wire

if TYPE_CHECKING:
    from tgbridge.telegram.mtproto.packets import Packet


def make_wire(packets: list[Packet]) -> Wire:
    """A wire whose packets are collected, and that has nothing to say."""
    return Wire(
        on_heard=lambda: None,
        on_progress=lambda: None,
        on_packet=packets.append,
        next_packet=lambda: None,
        on_end=lambda _failure: None,
    )


class _Pausing(asyncio.Transport):
    """A transport that counts how often it was told to read no further."""

    pauses = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.pauses += 1

    def resume_reading(self) -> None:
        pass


async def test_a_part_is_read_to_its_end_before_others_get_on() -> None:
    """While more of a packet is there it is read on, eight times at most; what is whole is let go at once."""
    packets: list[Packet] = []
    wire, transport = make_wire(packets), _Pausing()
    wire.connection_made(transport)
    room = wire.get_buffer(-1)

    def arrive(packet: bytes) -> list[int]:
        """The pauses so far, after each read."""
        pauses = []
        for at in range(0, len(packet), len(room)):
            piece = packet[at : at + len(room)]
            room[: len(piece)] = piece
            wire.buffer_updated(len(piece))
            pauses.append(transport.pauses)
        return pauses

    def packet(size: int) -> bytes:
        return struct.pack("<I", size - 4) + bytes(size - 4)

    assert arrive(packet(3 * len(room))) == [0, 0, 1]
    assert arrive(packet(9 * len(room) + 100)) == [1] * 7 + [2, 2, 2]
