"""Images, whose extent stands somewhere in their beginning."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgbridge.inspection import Facts, inspector_for
from tgbridge.sandbox.media import DOCUMENTS

DAWN = DOCUMENTS["dawn-original"].blob.read(0, 1 << 20)
CAT = DOCUMENTS["cat"].blob.read(0, 1 << 20)


def facts(data: bytes, mime_type: str = "image/jpeg", *, piece: int = 777) -> Facts:
    inspector = inspector_for(mime_type)
    for start in range(0, len(data), piece):
        inspector.feed(memoryview(data)[start : start + piece])
    return inspector.facts()


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
    assert facts(data, mime_type) == Facts(width=extent[0], height=extent[1])


def test_a_jpeg_with_much_before_its_extent() -> None:
    """Exif, colour profiles and previews come first: up to a bound they are passed over."""
    segment = b"\xff\xe2" + struct.pack(">H", 60_002) + bytes(60_000)
    assert facts(DAWN[:2] + segment + DAWN[2:]).width == 1280
    assert facts(DAWN[:2] + segment * 3 + DAWN[2:]) == Facts()


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
