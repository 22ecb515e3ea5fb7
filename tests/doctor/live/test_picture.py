"""The grey picture is one that decoders take."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tgbridge.doctor.live.picture import grey_jpeg


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 17), (640, 480), (1921, 1083)])
def test_decodes(size: tuple[int, int]) -> None:
    """It has the size that was asked for, and is grey all over."""
    with Image.open(io.BytesIO(grey_jpeg(*size))) as picture:
        picture.load()
        assert (picture.format, picture.size, picture.mode) == ("JPEG", size, "L")
        assert picture.getextrema() == (128, 128)
