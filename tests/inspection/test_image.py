"""Images, whose extent stands somewhere in their beginning."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inspection.reading import FILES, facts
from tgbridge.inspection import Facts, inspector_for
from tgbridge.sandbox.media import DOCUMENTS

DAWN = DOCUMENTS["dawn-original"].blob.read(0, 1 << 20)
CAT = DOCUMENTS["cat"].blob.read(0, 1 << 20)


@pytest.mark.parametrize(
    ("data", "mime_type", "extent"),
    [
        (DAWN, "image/jpeg", (1280, 960)),
        (CAT, "image/webp", (512, 512)),
        (b"GIF89a" + struct.pack("<HH", 40, 30) + bytes(3), "image/gif", (40, 30)),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 40, 30) + bytes(9), "image/png", (40, 30)),
    ],
)
def test_extents(data: bytes, mime_type: str, extent: tuple[int, int]) -> None:
    """Width and height of common formats."""
    assert facts(data, mime_type, piece=777) == Facts(width=extent[0], height=extent[1])


def jpeg(*segments: bytes) -> bytes:
    return DAWN[:2] + b"".join(segments) + DAWN[2:]


SEGMENT = b"\xff\xe2" + struct.pack(">H", 60_002) + bytes(range(240)) * 250


@pytest.mark.parametrize(
    "data",
    [
        jpeg(SEGMENT * 4),
        jpeg(SEGMENT * 100),
        jpeg(b"\xff\xfe\0\2", b"\xff\xfe\0\3x", b"\xff\xfe\0\4xy", SEGMENT),
        jpeg(b"\xff\xff\xff", SEGMENT, b"\xff"),
        jpeg(b"\xff\x01\xff\xd0", SEGMENT),
    ],
    ids=["240 kB", "6 MB", "short segments", "fill bytes", "markers alone"],
)
@pytest.mark.parametrize("piece", [1, 7, 65_536])
def test_a_jpeg_with_much_before_its_extent(data: bytes, piece: int) -> None:
    """Exif, colour profiles and previews come first, of any size: they are passed over."""
    if len(data) < 10**6 or piece > 1:
        found = facts(data, "image/jpeg", piece=piece)
        assert (found.width, found.height) == (1280, 960)


def tiff(order: str, *, big: bool = False, form: int = 4) -> bytes:
    """A picture of 640 by 480 whose directory stands behind it."""
    picture, mark = bytes(range(256)) * 1000, b"II" if order == "<" else b"MM"
    value = struct.pack(f"{order}{'HI'[form == 4]}", 640), struct.pack(f"{order}{'HI'[form == 4]}", 480)
    room = 8 if big else 4
    tags = [
        struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, form, 1) + number.ljust(room, b"\0")
        for tag, number in ((254, b"\0"), (256, value[0]), (257, value[1]), (258, b"\x08"))
    ]
    if big:
        head = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, 16 + len(picture))
        return head + picture + struct.pack(f"{order}Q", len(tags)) + b"".join(tags) + bytes(8)
    head = mark + struct.pack(f"{order}HI", 42, 8 + len(picture))
    return head + picture + struct.pack(f"{order}H", len(tags)) + b"".join(tags) + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", [3, 4])
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_whose_directory_is_at_its_end(order: str, form: int, *, big: bool) -> None:
    """Writers that do not know how many bytes a picture will have write the directory last."""
    assert facts(tiff(order, big=big, form=form), "image/tiff") == Facts(width=640, height=480)


def test_boxes_before_the_one_that_tells() -> None:
    """HEIC and AVIF say their extent in a box, which may stand behind the picture."""
    data = FILES["picture.avif"]
    at = struct.unpack(">I", data[:4])[0]
    before = data[:at] + struct.pack(">I4s", 300_008, b"free") + bytes(300_000) + data[at:]
    assert facts(before, "image/avif") == Facts(width=30, height=20)


def test_a_width_that_none_can_have() -> None:
    """What Telegram could not be told is not known."""
    for width in (0, 2**31, 2**32 - 1):
        data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, 30) + bytes(9)
        assert facts(data, "image/png") == Facts(height=30)


@pytest.mark.parametrize("damaged", [b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", b"text", b"\xff" * 200_000])
def test_damaged_files(damaged: bytes) -> None:
    """What can't be read is not known."""
    for mime_type in ("image/jpeg", "image/png", "image/gif", "image/heic", "image/tiff", "image/webp"):
        assert facts(damaged, mime_type) == Facts()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(at=st.integers(0, 700), junk=st.binary(min_size=1, max_size=16), data=st.sampled_from([DAWN, CAT]))
def test_any_error_is_survived(at: int, junk: bytes, data: bytes) -> None:
    """Bytes that were changed anywhere never raise."""
    changed = data[:at] + junk + data[at + len(junk) :]
    assert isinstance(facts(changed, "image/webp" if data is CAT else "image/jpeg"), Facts)


def test_other_types() -> None:
    """Of what is of no known type nothing is kept, and nothing is said."""
    inspector = inspector_for("application/pdf")
    inspector.feed(memoryview(DAWN))
    assert (inspector.keeps, inspector.facts()) == (0, Facts())
