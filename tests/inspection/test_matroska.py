"""Matroska and WebM, as browsers record them and as encoders write them."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgbridge.inspection import Facts, inspector_for

UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def facts(*pieces: bytes) -> Facts:
    inspector = inspector_for("video/webm")
    for piece in pieces:
        inspector.feed(memoryview(piece))
    return inspector.facts()


def element(identity: int, body: bytes, size: bytes | None = None) -> bytes:
    length = struct.pack(">I", len(body) | 0x10000000) if size is None else size
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big") + length + body


def number(identity: int, value: int) -> bytes:
    return element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


HEADER = element(0x1A45DFA3, number(0x4286, 1) + number(0x42F2, 4) + element(0x4282, b"webm"))
EXTENT = element(0xE0, number(0xB0, 640) + number(0xBA, 360))
VIDEO = element(0xAE, number(0xD7, 1) + number(0x83, 1) + element(0x86, b"V_VP9") + EXTENT)
SOUND = element(0xAE, number(0xD7, 2) + number(0x83, 2) + element(0x86, b"A_OPUS") + element(0xE1, bytes(4)))
INFO = element(0x1549A966, number(0x2AD7B1, 1_000_000) + element(0x4D80, b"Chrome"))
LONG_INFO = element(0x1549A966, number(0x2AD7B1, 2_000_000) + element(0x4489, struct.pack(">d", 2500)))
TRACKS = element(0x1654AE6B, VIDEO + SOUND)
CLUSTER = element(0x1F43B675, bytes(500), UNKNOWN)
RECORDED = HEADER + element(0x18538067, INFO + TRACKS + CLUSTER, UNKNOWN)


def test_a_recording() -> None:
    """A browser's recording has no length; extent and tracks are known."""
    assert facts(RECORDED) == Facts(
        width=640, height=360, has_video=True, has_sound=True, video_codec="V_VP9"
    )


def test_a_film() -> None:
    """An encoder's film says how long it is, behind a seek head and a void."""
    before = element(0x114D9B74, bytes(60)) + element(0xEC, bytes(5000))
    film = HEADER + element(0x18538067, before + LONG_INFO + TRACKS + CLUSTER)
    assert facts(film).duration == 5.0
    short = LONG_INFO.replace(
        element(0x4489, struct.pack(">d", 2500)), element(0x4489, struct.pack(">f", 2500))
    )
    assert facts(HEADER + element(0x18538067, short + TRACKS, UNKNOWN)).duration == 5.0


def test_sound_alone() -> None:
    """A recording without a picture."""
    found = facts(HEADER + element(0x18538067, INFO + element(0x1654AE6B, SOUND) + CLUSTER, UNKNOWN))
    assert (found.has_video, found.has_sound, found.width) == (False, True, None)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        HEADER,
        b"\0" * 100,
        HEADER + element(0x18538067, element(0xB0, b"\1"), UNKNOWN),
        HEADER + element(0x18538067, element(0x1549A966, element(0x4489, b"\1\2\3")), UNKNOWN),
        HEADER + element(0x18538067, element(0x4489, bytes(10), b"\x08\xff\xff\xff\xff"), UNKNOWN),
        HEADER + element(0x18538067, element(0xEC, b"", UNKNOWN), UNKNOWN),
        HEADER + element(0xEC, b"") * 20_000 + TRACKS,
    ],
)
def test_damaged_files(damaged: bytes) -> None:
    """What can't be read is not known."""
    assert facts(damaged) == Facts()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, len(RECORDED)), max_size=12))
def test_any_cut_says_the_same(cuts: list[int]) -> None:
    """However a file is cut, it says the same of itself."""
    borders = sorted({0, len(RECORDED), *cuts})
    assert facts(*(RECORDED[a:b] for a, b in pairwise(borders))) == facts(RECORDED)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(at=st.integers(0, len(RECORDED)), junk=st.binary(min_size=1, max_size=16))
def test_any_error_is_survived(at: int, junk: bytes) -> None:
    """Bytes that were changed anywhere never raise."""
    assert isinstance(facts(RECORDED[:at] + junk + RECORDED[at + len(junk) :]), Facts)
