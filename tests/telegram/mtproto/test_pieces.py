"""Bytes in pieces beside the same bytes in one."""

from __future__ import annotations

import struct
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import functions, types

from tgbridge.telegram.mtproto.failures import ProtocolViolated
from tgbridge.telegram.mtproto.pieces import Pieces, in_pieces, joined, pieces_of
from tgbridge.telegram.mtproto.serialisation import FileBytes, messages, read_object, read_result
from tgbridge.telegram.mtproto.session import Message

if TYPE_CHECKING:
    from tgbridge.telegram.mtproto.pieces import Bytes

SIZES = st.lists(st.integers(1, 30), max_size=8)
BOUNDS = st.none() | st.integers(-300, 300)


def cut(data: bytes, sizes: list[int]) -> Bytes:
    """The same bytes, cut into pieces of these sizes and a last one."""
    borders = sorted({0, *(at for at in accumulate(sizes) if at < len(data)), len(data)})
    return in_pieces([memoryview(data)[start:stop] for start, stop in pairwise(borders)])


@given(st.binary(max_size=200), SIZES, BOUNDS, BOUNDS)
def test_slices_are_those_of_the_same_bytes(
    data: bytes, sizes: list[int], start: int | None, stop: int | None
) -> None:
    """However they are cut; what lies in the first piece is a view of it."""
    whole = cut(data, sizes)
    part = whole[start:stop]
    assert bytes(part) == joined(part) == data[start:stop]
    assert len(part) == len(data[start:stop])
    if isinstance(part, Pieces):
        assert all(len(piece) for piece in part.pieces)


@given(st.binary(max_size=200), SIZES, st.integers(1, 50))
def test_pieces_are_cut_where_they_are_too_long(data: bytes, sizes: list[int], most: int) -> None:
    """In order, none of them empty, and nothing is lost."""
    pieces = list(pieces_of(cut(data, sizes), most))
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= most for piece in pieces)


def test_there_are_no_steps() -> None:
    """Nobody needs them."""
    with pytest.raises(ValueError, match="steps"):
        Pieces([memoryview(b"one"), memoryview(b"two")])[::2]


@given(SIZES)
def test_a_message_is_read_wherever_it_is_cut(sizes: list[int]) -> None:
    """A border within a number, a container's item or a file's length changes nothing."""
    ack = bytes(types.MsgsAck([1, 2, 3]))
    file = bytes(types.upload.File(types.storage.FileMp4(), 1, bytes(range(200)) * 2))
    items = b"".join(struct.pack("<qii", 5 + at, 1, len(body)) + body for at, body in enumerate((ack, file)))
    container = struct.pack("<Ii", 0x73F1F8DC, 2) + items
    _, first, second = messages(Message(1, 0, cut(container, sizes)))
    assert (first.id, second.id) == (5, 6)
    assert read_object(first.body).msg_ids == [1, 2, 3]
    found = read_result(functions.upload.GetFileRequest(None, 0, 1024), second.body)
    assert isinstance(found, FileBytes)
    assert bytes(found.bytes) == bytes(range(200)) * 2
    with pytest.raises((ProtocolViolated, struct.error)):
        list(messages(Message(1, 0, cut(container[:-4], sizes))))
