"""QR codes as images."""

from __future__ import annotations

import io

import segno


def svg(text: str) -> str:
    """Draw ``text`` as an SVG that stands in a page or in a file, and fills its container.

    Dark on light also where the page is dark, with the four modules of margin that scanners need (ISO/IEC
    18004, 9.1). Level M of error correction: a screen is not torn, but may be photographed askew.
    """
    code = segno.make(text, error="m", boost_error=False, micro=False)
    written = io.BytesIO()
    code.save(
        written, kind="svg", xmldecl=False, nl=False, omitsize=True, border=4, dark="#000", light="#fff"
    )
    return written.getvalue().decode()
