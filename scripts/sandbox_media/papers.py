"""Documents made of text: a PDF, notes, a table, an archive, and two that try to run where they are shown."""

from __future__ import annotations

import io
import subprocess
import zipfile
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

NOTES = """Packing list

[x] boots, two pairs of socks
[x] head torch, spare batteries
[ ] map of the valley (the blue one)
[ ] tea: \u0447\u0430\u0439, \u304a\u8336, \u0634\u0627\u064a
"""
EXPENSES = (
    'date,what,amount\n2025-08-02,ferry,14.50\n2025-08-03,"bread, cheese",9.80\n2025-08-05,lighthouse,6.00\n'
)
PAGE = """<!doctype html>
<meta charset="utf-8">
<title>did not run</title>
<h1>A page that someone uploaded</h1>
<p>Shown in the frontend's origin, its script could read the user's session.</p>
<script>document.title = "ran in " + location.origin</script>
"""
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200" width="320" height="200">
<title>did not run</title>
<rect width="320" height="200" fill="#10243f"/>
<circle cx="232" cy="64" r="26" fill="#ffd9a0"/>
<path d="M0,150 L70,84 L120,134 L176,70 L250,146 L284,118 L320,150 V200 H0 Z" fill="#2f5d7c"/>
<path d="M0,172 C80,150 150,186 220,166 S300,168 320,164 V200 H0 Z" fill="#0b1a2b"/>
<script>document.title = "ran in " + location.origin</script>
</svg>
"""


def pdf(photo: bytes, width: int, height: int) -> bytes:
    """Lay out one A4 page by hand: a headline, a photo, a paragraph."""
    high = round(475 * height / width)
    lines = (
        "The valley lies open to the east. On clear mornings the first light comes in under the",
        "clouds and the ridges stand behind one another like sheets of paper, each a little paler",
        "than the one before. This page came out of a sandbox: nobody was ever there.",
    )
    text = [
        "q",
        f"475 0 0 {high} 60 {700 - high} cm /Photo Do",
        "Q",
        "BT /Bold 30 Tf 60 750 Td (Field notes) Tj ET",
    ]
    text += ["BT /Body 12 Tf 60 728 Td (Morning over the valley) Tj ET"]
    text += [f"BT /Body 12 Tf 60 {664 - high - 18 * n} Td ({line}) Tj ET" for n, line in enumerate(lines)]
    content = "\n".join(text).encode()
    image = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB"
    resources = "/XObject << /Photo 5 0 R >> /Font << /Bold 6 0 R /Body 7 0 R >>"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %b >> >>"
        % resources.encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< %b /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%b\nendstream"
        % (image.encode(), len(photo), photo),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (Field notes) /Producer (tgbridge sandbox) >>",
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 8 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(bodies) + 1,
        table,
    )
    return bytes(out)


def pdf_page(path: Path) -> Image.Image:
    """Render the first page, by poppler."""
    command = ["pdftoppm", "-r", "60", "-png", "-singlefile", str(path)]
    return Image.open(io.BytesIO(subprocess.run(command, check=True, capture_output=True).stdout)).convert(
        "RGB"
    )


def archive() -> bytes:
    """Pack the notes and the table."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in (("packing-list.txt", NOTES), ("expenses.csv", EXPENSES)):
            packed.writestr(zipfile.ZipInfo(name, (2025, 8, 6, 12, 0, 0)), text)
    return out.getvalue()
