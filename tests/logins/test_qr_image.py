"""QR codes as images: well-formed, and showing the modules that the code has."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import segno

from tgbridge.logins.qr_image import svg

LINK = "tg://login?token=_0dg0CTgyEIYOS6u6cCkZRb1gSnC_jEfWEfcUsKnwRQ"
SVG = "{http://www.w3.org/2000/svg}"


def dark_modules(path: str) -> set[tuple[int, int]]:
    """The modules that a path of horizontal strokes of width 1 covers, by SVG's rules."""
    found: set[tuple[int, int]] = set()
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path):
        values = [float(number) for number in re.findall(r"-?[0-9.]+", numbers)]
        if command == "h":
            found |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
        elif command == "M":
            x, y = values
        else:
            x, y = x + values[0], y + values[1]
    return found


def test_modules() -> None:
    """What is drawn is the code for the text, with a margin of four, dark on light."""
    background, strokes = ET.fromstring(svg(LINK)).findall(f"{SVG}path")
    code = segno.make(LINK, error="m", boost_error=False, micro=False)
    expected = {
        (x + 4, y + 4) for y, row in enumerate(code.matrix) for x, module in enumerate(row) if module & 1
    }
    assert dark_modules(strokes.attrib["d"]) == expected
    assert (strokes.attrib["stroke"], background.attrib["fill"]) == ("#000", "#fff")
    size = code.symbol_size(border=4)[0]
    assert background.attrib["d"] == f"M0 0h{size}v{size}h-{size}z"


def test_container() -> None:
    """It stands in a page as well as in a file of its own, and has no size but its container's."""
    image = ET.fromstring(svg(LINK))
    assert image.tag == f"{SVG}svg"
    assert "viewBox" in image.attrib
    assert not {"width", "height"} & image.attrib.keys()
    assert not svg(LINK).startswith("<?xml")
