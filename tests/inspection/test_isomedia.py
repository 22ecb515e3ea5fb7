"""MP4 and its kin, read in any cut, whole or damaged."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgbridge.inspection import Facts, inspector_for
from tgbridge.sandbox.media import DOCUMENTS

VALLEY = DOCUMENTS["valley"].blob.read(0, 1 << 20)
DOTS = DOCUMENTS["dots"].blob.read(0, 1 << 20)
MOOV_LAST = DOCUMENTS["sea-moov-last"].blob.read(0, 2 << 20)


def facts(*pieces: bytes, mime_type: str = "video/mp4") -> Facts:
    inspector = inspector_for(mime_type)
    for piece in pieces:
        inspector.feed(memoryview(piece))
    return inspector.facts()


def box(kind: bytes, *body: bytes) -> bytes:
    content = b"".join(body)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def large(kind: bytes, *body: bytes) -> bytes:
    content = b"".join(body)
    return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content


MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
TURNED = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def track(handler: bytes, codec: bytes, *, matrix: bytes = MATRIX, long: bool = False) -> bytes:
    times = bytes(32) if long else bytes(20)
    header = bytes((long, 0, 0, 7)) + times + bytes(16) + matrix + struct.pack(">II", 640 << 16, 360 << 16)
    description = box(b"stsd", bytes(4), struct.pack(">I", 1), box(codec, bytes(20)))
    return box(
        b"trak",
        box(b"tkhd", header),
        box(
            b"mdia",
            box(b"hdlr", bytes(8), handler, bytes(12)),
            box(
                b"minf", box(b"hdlr", bytes(8), b"alis"), box(b"stbl", description, box(b"stsz", bytes(9000)))
            ),
        ),
    )


def movie_header(duration: int, timescale: int = 1000, *, long: bool = False) -> bytes:
    if long:
        return box(b"mvhd", b"\1\0\0\0", bytes(16), struct.pack(">IQ", timescale, duration), bytes(80))
    return box(b"mvhd", bytes(12), struct.pack(">II", timescale, duration), bytes(80))


FTYP, MDAT = box(b"ftyp", b"isomiso2"), box(b"mdat", bytes(50_000))
FILM = Facts(
    width=640,
    height=360,
    duration=5.0,
    has_video=True,
    has_sound=True,
    video_codec="avc1",
    streamable=True,
)
VIDEO, SOUND = track(b"vide", b"avc1"), track(b"soun", b"mp4a")
LONG_VIDEO = track(b"vide", b"avc1", long=True)
FRAGMENTS = box(b"mvex", box(b"mehd", bytes(4), struct.pack(">I", 5000)))


@pytest.mark.parametrize(
    "film",
    [
        FTYP + box(b"moov", movie_header(5000), VIDEO, SOUND) + MDAT,
        FTYP + large(b"moov", movie_header(5000, long=True), SOUND, LONG_VIDEO) + MDAT,
        box(b"wide") + box(b"moov", movie_header(0), VIDEO, SOUND, FRAGMENTS),
        FTYP + box(b"moov", movie_header(5000), VIDEO, SOUND) + struct.pack(">I4s", 0, b"mdat") + bytes(99),
        box(b"free", bytes(9)) + box(b"uuid", bytes(16)) + box(b"moov", movie_header(5000), VIDEO, SOUND),
    ],
    ids=["usual", "64-bit", "fragmented", "up to the end", "with other boxes"],
)
def test_films(film: bytes) -> None:
    """What the boxes say, in each form that they take."""
    assert facts(film) == FILM


def test_the_index_may_stand_at_the_end() -> None:
    """Then a player has to fetch the end first; all else is as well known."""
    found = facts(FTYP + large(b"mdat", bytes(99_999)) + box(b"moov", movie_header(5000), VIDEO, SOUND))
    assert (found.duration, found.width, found.streamable) == (5.0, 640, False)
    assert not facts(MOOV_LAST).streamable
    assert facts(MOOV_LAST).duration == 30.0


def test_a_film_that_was_turned() -> None:
    """A telephone held upright films sideways; shown, width and height change places."""
    turned = track(b"vide", b"hvc1", matrix=TURNED)
    found = facts(FTYP + box(b"moov", movie_header(1000), turned))
    assert (found.width, found.height, found.has_sound, found.video_codec) == (360, 640, False, "hvc1")


def test_a_song_with_its_tags() -> None:
    """Title and performer stand in iTunes' list."""
    texts = {b"\xa9nam": "夜", b"\xa9ART": "合唱団"}
    names = [box(kind, box(b"data", bytes(8), text.encode())) for kind, text in texts.items()]
    cover = box(b"covr", box(b"data", bytes(100_000)))
    tags = box(b"udta", box(b"meta", bytes(4), box(b"hdlr", bytes(20)), box(b"ilst", cover, *names)))
    found = facts(FTYP + MDAT + box(b"moov", movie_header(61_500), SOUND, tags), mime_type="audio/mp4")
    assert (found.title, found.performer, found.duration) == ("夜", "合唱団", 61.5)
    assert (found.has_video, found.has_sound) == (False, True)


def media_header(timescale: int) -> bytes:
    return box(b"mdhd", bytes(12), struct.pack(">II", timescale, 0), bytes(4))


def recorded(
    durations: list[int], *, default: int = 0, begin: int | None = 0, in_header: bool = False, count: int = 3
) -> bytes:
    """A film in fragments of so long samples each, of which no box tells how long it is."""
    tracks = b""
    for number, handler in ((1, b"vide"), (2, b"soun")):
        track_header = struct.pack(">I", 7) + bytes(8) + struct.pack(">I", number) + bytes(24)
        extent = MATRIX + struct.pack(">II", 640 << 16, 360 << 16)
        media = media_header(600) + box(b"hdlr", bytes(8), handler, bytes(12))
        tracks += box(b"trak", box(b"tkhd", track_header, extent), box(b"mdia", media))
    extends = box(b"trex", bytes(4), struct.pack(">IIIII", 1, 1, 0 if in_header else default, 0, 0))
    film = FTYP + box(b"moov", movie_header(0), tracks, box(b"mvex", extends))
    time, fragments = begin, []
    for _ in range(count):
        head = struct.pack(">II", 0x08 if in_header else 0, 1)
        head += struct.pack(">I", default) if in_header else b""
        boxes = [box(b"tfhd", head)]
        if time is not None:
            boxes.append(box(b"tfdt", b"\1\0\0\0", struct.pack(">Q", time)))
            time += sum(durations) or default * 100
        if durations:
            samples = b"".join(struct.pack(">II", duration, 99) for duration in durations)
            boxes.append(box(b"trun", struct.pack(">III", 0x301, len(durations), 0), samples))
        else:
            boxes.append(box(b"trun", struct.pack(">II", 0, 100)))
        fragments.append(
            box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", *boxes)) + box(b"mdat", bytes(2000))
        )
    return film + b"".join(fragments)


@pytest.mark.parametrize(
    ("film", "seconds"),
    [
        (recorded([20, 40] * 1000), 300.0),
        (recorded([20, 40] * 10), 3.0),
        (recorded([20, 40] * 10, begin=None), 3.0),
        (recorded([20, 40] * 10, begin=10**12), 3.0),
        (recorded([], default=20), 10.0),
        (recorded([], default=20, in_header=True, begin=None), 10.0),
        (recorded([20] * 5, count=9000), 1500.0),
    ],
    ids=["long runs", "usual", "no times", "cut out", "equal samples", "equal in each", "many fragments"],
)
def test_a_film_in_fragments(film: bytes, seconds: float) -> None:
    """What a browser records says nowhere how long it is: the samples of all fragments are added up."""
    found = facts(film)
    assert found.duration == pytest.approx(seconds, rel=0.01)
    assert (found.width, found.has_video, found.has_sound) == (640, True, True)


def test_a_film_of_which_the_index_tells_a_part() -> None:
    """The first seconds are in the index, the others in fragments."""
    film = recorded([60] * 10, begin=600).replace(
        media_header(600), box(b"mdhd", bytes(12), struct.pack(">II", 600, 600), bytes(4))
    )
    assert facts(film).duration == 4.0


def test_large_sample_descriptions() -> None:
    """QuickTime's description of a track may have any size, and the film is one all the same."""
    large = box(b"stsd", bytes(4), struct.pack(">I", 1), box(b"avc1", bytes(9000)))
    small = box(b"stsd", bytes(4), struct.pack(">I", 1), box(b"avc1", bytes(20)))
    boxes = (
        box(b"tkhd", bytes(76) + struct.pack(">II", 640 << 16, 360 << 16)),
        box(b"hdlr", bytes(8), b"vide"),
    )
    for description in (large, large + small):
        video = box(b"trak", boxes[0], box(b"mdia", boxes[1], box(b"minf", box(b"stbl", description))))
        found = facts(FTYP + box(b"moov", movie_header(5000), video, SOUND), mime_type="video/quicktime")
        assert (found.has_video, found.has_sound, found.video_codec) == (True, True, "avc1")


def test_what_is_damaged_in_one_place_is_known_by_the_others() -> None:
    """A box that does not fit hides what is in it, and nothing else; what may be in it is not denied."""
    broken = box(b"trak", struct.pack(">I4s", 5000, b"tkhd"), bytes(50))
    found = facts(FTYP + box(b"moov", movie_header(5000), broken, SOUND, VIDEO))
    assert (found.duration, found.width, found.has_video, found.has_sound) == (5.0, 640, True, True)
    cut_off = (FTYP + box(b"moov", movie_header(5000), SOUND, VIDEO))[: len(FTYP + SOUND) + 150]
    found = facts(cut_off)
    assert (found.has_video, found.has_sound) == (None, True)


@pytest.mark.parametrize(("duration", "timescale"), [(2**62, 1), (2**63, 2**20), (1, 2**32 - 1), (9, 0)])
def test_a_length_that_no_film_has(duration: int, timescale: int) -> None:
    """What Telegram could not be told is not known; nor is what takes no time."""
    found = facts(FTYP + box(b"moov", movie_header(duration, timescale, long=True), VIDEO))
    assert found.duration is None or 0 < found.duration < 1
    assert found.width == 640


@pytest.mark.parametrize("duration", [0, 2**32 - 1])
def test_a_length_that_is_not_known(duration: int) -> None:
    """Recordings that were streamed do not say."""
    assert facts(FTYP + box(b"moov", movie_header(duration), VIDEO)).duration is None


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\0\0\0\0",
        FTYP,
        struct.pack(">I4s", 7, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 3),
        box(b"moov", struct.pack(">I4s", 5000, b"trak")),
        box(b"moov", box(b"mvhd")),
        box(b"moov", box(b"mvhd", bytes(5))),
        box(b"moov", box(b"mvhd", bytes(100))),
        box(b"moov", box(b"trak", box(b"tkhd", bytes(30)))),
        box(b"moov", box(b"udta", box(b"meta", b"x"))),
        box(b"free") * 20_000 + box(b"moov", movie_header(5000)),
    ],
)
def test_damaged_files(damaged: bytes) -> None:
    """What can't be read is not known, and does no harm."""
    found = facts(damaged)
    assert (found.duration, found.width) == (None, None)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, len(DOTS)), max_size=12))
def test_any_cut_says_the_same(cuts: list[int]) -> None:
    """However a file is cut, it says the same of itself."""
    borders = sorted({0, len(DOTS), *cuts})
    assert facts(*(DOTS[a:b] for a, b in pairwise(borders))) == facts(DOTS)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(at=st.integers(0, 3000), junk=st.binary(min_size=1, max_size=16))
def test_any_error_is_survived(at: int, junk: bytes) -> None:
    """Bytes that were changed anywhere in the index never raise."""
    assert isinstance(facts(VALLEY[:at] + junk + VALLEY[at + len(junk) :]), Facts)
