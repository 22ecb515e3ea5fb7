"""What a file is by its first bytes, where neither its declared type nor its name says so.

Only types that browsers show or play, and only where the bytes leave no doubt: a bare MP3 frame or the two
letters of a BMP are no signature. After the WHATWG MIME Sniffing Standard (https://mimesniff.spec.whatwg.org,
section 6), with the brands of ISO media (https://mp4ra.org/registered-types/brands) and the document types of
Matroska (RFC 9559 section 11).
"""

from __future__ import annotations

import re
from typing import Final

HEAD_BYTES: Final = 512
"""How many of a file's first bytes `recognise` looks at."""

_SIGNATURES: Final = tuple(
    (re.compile(signature, re.DOTALL), mime_type)
    for signature, mime_type in (
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"RIFF.{4}WEBP", "image/webp"),
        (rb".{4}ftyp(?:avif|avis)", "image/avif"),
        (rb".{4}ftyp(?:heic|heix|hevc|hevx|mif1|msf1)", "image/heic"),
        (rb".{4}ftypM4[AB] ", "audio/mp4"),
        (rb".{4}ftypqt  ", "video/quicktime"),
        (rb".{4}ftyp3g[2p]", "video/3gpp"),
        (rb".{4}ftyp(?:iso[m2-9]|mp4[12]|avc1|dash|MSNV|M4V |f4v )", "video/mp4"),
        (rb"\x1a\x45\xdf\xa3.{0,60}?\x42\x82.webm", "video/webm"),
        (rb"\x1a\x45\xdf\xa3.{0,60}?\x42\x82.matroska", "video/x-matroska"),
        (rb"OggS.{22,80}?(?:OpusHead|\x01vorbis|\x7fFLAC|Speex   )", "audio/ogg"),
        (rb"OggS.{22,80}?\x80theora", "video/ogg"),
        (rb"fLaC", "audio/flac"),
        (rb"RIFF.{4}WAVE", "audio/wav"),
        (rb"ID3[\x02-\x04]", "audio/mpeg"),
        (rb"%PDF-", "application/pdf"),
    )
)


def recognise(head: bytes) -> str:
    """Return the media type of a file that begins with `head`; "" for what can't be told."""
    head = head[:HEAD_BYTES]
    return next((mime_type for signature, mime_type in _SIGNATURES if signature.match(head)), "")
