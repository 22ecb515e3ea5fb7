"""TL objects to bytes and back, beside Telethon's generated code."""

from __future__ import annotations

import gzip
import os
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import TLObject, functions, types
from telethon.tl.core import GzipPacked

from tgbridge.telegram.mtproto.failures import ProtocolViolated, RpcFailed
from tgbridge.telegram.mtproto.serialisation import (
    MOST_UNPACKED_BYTES,
    FileBytes,
    Nothing,
    messages,
    read_object,
    read_result,
    serialise,
)
from tgbridge.telegram.mtproto.session import Message

GET_FILE = functions.upload.GetFileRequest(types.InputDocumentFileLocation(1, 2, b"", ""), 0, 4096)
SIZES = st.one_of(st.integers(0, 600), st.sampled_from([65535, 65536, 524288]))


def result(answer: TLObject | bytes, request: TLObject = GET_FILE) -> object:
    return read_result(request, memoryview(bytes(answer)))


@given(SIZES)
def test_parts_of_uploads_are_serialised_as_telethon_does(size: int) -> None:
    """Small and large files, whatever the length of the part."""
    data = os.urandom(size)
    for request in (
        functions.upload.SaveBigFilePartRequest(-7, 3, -1, data),
        functions.upload.SaveFilePartRequest(7, 3, data),
        GET_FILE,
    ):
        assert b"".join(serialise(request)) == bytes(request)


def test_the_bytes_of_a_part_are_not_copied() -> None:
    """They may be any buffer, and are handed on as they are."""
    data = memoryview(bytearray(1000))
    assert any(piece is data for piece in serialise(functions.upload.SaveFilePartRequest(1, 2, data)))


def test_nothing_leaves_room_for_any_request() -> None:
    """What wraps it can be written before any other request's bytes."""
    wrapped = functions.InvokeWithoutUpdatesRequest(Nothing())
    assert bytes(wrapped) + bytes(GET_FILE) == bytes(functions.InvokeWithoutUpdatesRequest(GET_FILE))


@given(SIZES)
def test_a_files_bytes_are_seen_in_place(size: int) -> None:
    """The view is of the packet itself, and read-only as the packet is."""
    data = os.urandom(size)
    for answer in (types.upload.File(types.storage.FileMp4(), 1, data), types.upload.CdnFile(data)):
        packet = memoryview(bytes(answer))
        found = read_result(GET_FILE, packet)
        assert isinstance(found, FileBytes)
        assert isinstance(found.bytes, memoryview)
        assert found.bytes == data
        assert found.bytes.obj is packet.obj
        assert found.bytes.readonly


def test_a_packed_file_is_unpacked() -> None:
    """A server may pack any answer."""
    data = bytes(5000)
    found = result(GzipPacked(bytes(types.upload.File(types.storage.FileJpeg(), 1, data))))
    assert isinstance(found, FileBytes)
    assert bytes(found.bytes) == data


def test_file_bytes_do_not_show_themselves() -> None:
    """They are somebody's file."""
    assert "secret" not in repr(FileBytes(memoryview(b"secret")))


def test_other_answers_are_telethons_objects() -> None:
    """Objects, and the vectors and bools of methods that answer such."""
    redirect = types.upload.FileCdnRedirect(3, b"t", b"k", b"i", [])
    assert result(redirect) == redirect
    saved = functions.upload.SaveFilePartRequest(1, 2, b"")
    assert result(struct.pack("<I", 0x997275B5), saved) is True
    hashes = functions.upload.GetFileHashesRequest(GET_FILE.location, 0)
    one = types.FileHash(0, 10, b"h")
    assert result(struct.pack("<II", 0x1CB5C415, 1) + bytes(one), hashes) == [one]


def test_an_error_is_raised() -> None:
    """With Telegram's code and name."""
    with pytest.raises(RpcFailed) as failed:
        result(types.RpcError(420, "FLOOD_WAIT_3"))
    assert (failed.value.code, failed.value.message) == (420, "FLOOD_WAIT_3")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        struct.pack("<I", 0x12345678),
        bytes(types.upload.File(types.storage.FileJpeg(), 1, bytes(300)))[:100],
        bytes(types.upload.File(types.storage.FileJpeg(), 1, bytes(300)))[:12],
        bytes(GzipPacked(bytes(1000)))[:-8],
        struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(b"no gzip"),
        struct.pack("<I", GzipPacked.CONSTRUCTOR_ID)
        + TLObject.serialize_bytes(gzip.compress(bytes(MOST_UNPACKED_BYTES + 1))),
    ],
    ids=["empty", "unknown", "cut", "no-length", "cut-gzip", "no-gzip", "bomb"],
)
def test_what_cannot_be_read_is_refused(answer: bytes) -> None:
    """It is one error, whatever the generated code makes of the bytes."""
    with pytest.raises(ProtocolViolated):
        result(answer)


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(answer: bytes) -> None:
    """Whatever a server sends: an object, an error that it means, or one of ours."""
    for reader in (result, lambda body: read_object(memoryview(body))):
        with suppress(ProtocolViolated, RpcFailed):
            reader(answer)


def container(*items: Message) -> bytes:
    return struct.pack("<Ii", 0x73F1F8DC, len(items)) + b"".join(
        struct.pack("<qii", item.id, item.seq_no, len(item.body)) + bytes(item.body) for item in items
    )


def test_containers_are_unpacked() -> None:
    """Packed ones, too, and packed messages in them; the container's own id counts first."""
    one = Message(5, 1, memoryview(bytes(types.Pong(1, 2))))
    two = Message(9, 3, memoryview(bytes(types.MsgsAck([1]))))
    packed = two._replace(body=memoryview(bytes(GzipPacked(bytes(two.body)))))
    for body in (container(one, packed), bytes(GzipPacked(container(one, packed)))):
        found = list(messages(Message(13, 4, memoryview(body))))
        assert [item.id for item in found] == [13, 5, 9]
        assert found[1:] == [one, two]


def test_a_message_on_its_own_is_itself() -> None:
    """Nothing has to be unpacked."""
    one = Message(5, 1, memoryview(bytes(types.Pong(1, 2))))
    assert list(messages(one)) == [one]


def test_a_container_that_is_cut_short_is_refused() -> None:
    """What came before the cut has been given."""
    one = Message(5, 1, memoryview(bytes(types.Pong(1, 2))))
    found = messages(Message(13, 4, memoryview(container(one, one)[:-4])))
    assert [next(found).id, next(found).id] == [13, 5]
    with pytest.raises(ProtocolViolated):
        next(found)
