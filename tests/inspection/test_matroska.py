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


def test_a_recording_without_blocks() -> None:
    """A recording that was cut off has no length; extent and tracks are known."""
    assert facts(RECORDED) == Facts(
        width=640, height=360, has_video=True, has_sound=True, video_codec="V_VP9"
    )


def block(time: int, size: int = 80, *, grouped: bool = False) -> bytes:
    body = b"\x81" + struct.pack(">hB", time, 0x80) + bytes(size)
    if grouped:
        return element(0xA0, element(0xA1, body) + number(0x9B, 20), UNKNOWN if size % 2 else None)
    return element(0xA3, body)


def recording(clusters: int, blocks: int, *, known: bool = False, grouped: bool = False) -> bytes:
    """What is recorded live: so many blocks a cluster, every 20 ms, with Void and cues in between."""
    body = b""
    for n in range(clusters):
        times = b"".join(block(20 * i, 80 + i % 7, grouped=grouped) for i in range(blocks))
        content = number(0xE7, 5000 + n * blocks * 20) + element(0xEC, bytes(5)) + times
        body += element(0x1F43B675, content, None if known else UNKNOWN)
    return HEADER + element(0x18538067, INFO + TRACKS + body + element(0x1C53BB6B, bytes(30)), UNKNOWN)


@pytest.mark.parametrize(
    ("clusters", "blocks", "options", "seconds"),
    [
        (1, 100, {}, 2.0),
        (30, 50, {}, 30.0),
        (30, 50, {"known": True}, 30.0),
        (3, 50, {"grouped": True}, 3.0),
        (1200, 50, {}, 1200.0),
    ],
    ids=["short", "live", "sizes known", "block groups", "more blocks than are looked at"],
)
def test_a_recording(clusters: int, blocks: int, options: dict[str, bool], seconds: float) -> None:
    """A browser's recording does not say how long it is: the time of its last block does."""
    film = recording(clusters, blocks, **options)
    found = facts(film)
    assert found.duration == pytest.approx(seconds, rel=0.02)
    assert (found.width, found.height, found.has_video, found.has_sound) == (640, 360, True, True)
    for size in (1, 1000):
        assert len(film) > 10**5 or facts(*(film[a : a + size] for a in range(0, len(film), size))) == found


def test_a_last_block_that_lasts() -> None:
    """One picture that is shown for minutes: the film ends when that block does, not when it begins."""
    group = element(0xA0, element(0xA1, b"\x81" + bytes(83)) + number(0x9B, 180_000))
    cluster = element(0x1F43B675, number(0xE7, 0) + group, UNKNOWN)
    film = HEADER + element(0x18538067, INFO + TRACKS + cluster, UNKNOWN)
    assert facts(film).duration == pytest.approx(180.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -5.0, 0.0, 1e300])
def test_a_length_that_no_film_has(value: float) -> None:
    """A length that is none is not known, and the blocks are asked instead."""
    info = element(0x1549A966, number(0x2AD7B1, 1_000_000) + element(0x4489, struct.pack(">d", value)))
    film = recording(5, 50).replace(INFO, info)
    assert facts(film).duration == pytest.approx(5.0, rel=0.02)
    assert facts(HEADER + element(0x18538067, info + TRACKS, UNKNOWN)).duration is None


@pytest.mark.parametrize("scale", [b"\xff" * 200, b"\1" + bytes(200), b"\xff" * 8, b"\0", b""])
def test_a_scale_that_no_film_has(scale: bytes) -> None:
    """With a unit of time that is none there is no length; all else is as well known."""
    info = element(0x1549A966, element(0x2AD7B1, scale) + element(0x4489, struct.pack(">d", 1000)))
    found = facts(recording(5, 50).replace(INFO, info))
    assert found.duration is None or found.duration <= 2**31
    assert found.width == 640


@pytest.mark.parametrize("width", [0, 2**31, 2**63, 2**1600])
def test_a_width_that_none_can_have(width: int) -> None:
    """What Telegram could not be told is not known."""
    film = recording(1, 9).replace(number(0xB0, 640), number(0xB0, width))
    found = facts(film)
    assert (found.width, found.height, found.has_video) == (None, 360, True)


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
