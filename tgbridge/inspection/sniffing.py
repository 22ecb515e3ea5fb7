"""Whether a file's beginning fits the image, audio or video type that it claims to be.

Pure; the signatures are those of the WHATWG MIME Sniffing Standard (https://mimesniff.spec.whatwg.org) and of
the formats' own specifications. A claim that is not in the table is believed: what cannot be told is no
contradiction. Nor is another format of the same kind, a WebP under a JPEG's name: viewers and players look
at the bytes as well. It is taken for what it is.

Libraries such as puremagic answer another question: what a file might be, with a confidence. Of "can this be
what it claims" that says little: a bare MP3 and a text that begins with "BM" (BMP) are what they seem with
the same 0.2, a JPEG is one with 0.3, and plain text is an OpenDocument with 0.4 (puremagic 1.30).
"""

from __future__ import annotations

import re
from typing import Final

from tgbridge.inspection.frames import type_of_frames

HEAD_BYTES: Final = 4096
"""How many of a file's first bytes are enough for `contradicts`."""

# Segments of streams begin with a box of the second line.
_ISO_MEDIA = (
    rb".{4}(ftyp|moov|mdat|free|skip|wide|pnot|uuid|PICT|junk|meta"
    rb"|styp|sidx|ssix|moof|emsg|prft)"
)
_EBML = rb"\x1a\x45\xdf\xa3"
_OGG = rb"OggS"
# A frame's eleven sync bits; encoders pad with zeros before the first frame.
_MPEG_AUDIO = rb"\x00*\xff[\xe2-\xff]|ID3|TAG|APETAGEX"
# Of packets, with or without a time before each; a recording may begin in the middle of one.
_TRANSPORT_STREAM = rb".{0,187}?G.{187}G.{187}G|.{0,191}?G.{191}G.{191}G"
_MPEG_VIDEO = rb"\x00\x00\x01[\xb0-\xbf]|" + _TRANSPORT_STREAM
_ICON = rb"\x00\x00[\x01\x02]\x00|\x89PNG|BM"  # servers and browsers take the other two as well
_TIFF = rb"II[*+]\x00|MM\x00[*+]"
_WAVE = rb"(RIFF|RIFX|RF64).{4}WAVE"
_AVI = rb"RIFF.{4}AVI "
_ASF = rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"

_SIGNATURES: Final = {
    "image/jpeg": rb"\xff\xd8\xff",
    "image/jpg": rb"\xff\xd8\xff",
    "image/pjpeg": rb"\xff\xd8\xff",
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/apng": rb"\x89PNG\r\n\x1a\n",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
    "image/bmp": rb"BM",
    "image/x-ms-bmp": rb"BM",
    "image/tiff": _TIFF,
    "image/avif": _ISO_MEDIA,
    "image/heic": _ISO_MEDIA,
    "image/heif": _ISO_MEDIA,
    "image/x-icon": _ICON,
    "image/vnd.microsoft.icon": _ICON,
    "image/svg+xml": rb"(\xef\xbb\xbf)?\s*<",
    "video/mp4": _ISO_MEDIA,
    "video/quicktime": _ISO_MEDIA,
    "video/x-m4v": _ISO_MEDIA,
    "video/3gpp": _ISO_MEDIA,
    "video/3gpp2": _ISO_MEDIA,
    "video/webm": _EBML,
    "video/x-matroska": _EBML,
    "video/matroska": _EBML,
    "video/ogg": _OGG,
    "video/mpeg": _MPEG_VIDEO,
    # video/mp2t is missing: it is what browsers call TypeScript.
    "video/x-msvideo": _AVI,
    "video/avi": _AVI,
    "video/x-ms-wmv": _ASF,
    "video/x-flv": rb"FLV",
    "audio/mpeg": _MPEG_AUDIO,
    "audio/mp3": _MPEG_AUDIO,
    "audio/mp4": _ISO_MEDIA,
    "audio/x-m4a": _ISO_MEDIA,
    "audio/m4a": _ISO_MEDIA,
    "audio/aac": rb"\xff[\xf0-\xff]|ADIF|ID3",
    "audio/ogg": _OGG,
    "audio/opus": _OGG,
    "audio/flac": rb"fLaC|ID3",
    "audio/x-flac": rb"fLaC|ID3",
    "audio/wav": _WAVE,
    "audio/wave": _WAVE,
    "audio/x-wav": _WAVE,
    "audio/vnd.wave": _WAVE,
    "audio/webm": _EBML,
    "audio/aiff": rb"FORM.{4}AIF[FC]",
    "audio/x-aiff": rb"FORM.{4}AIF[FC]",
    "audio/x-ms-wma": _ASF,
    "audio/amr": rb"#!AMR",
    "audio/midi": rb"MThd",
    "audio/x-caf": rb"caff",
}

# What a file of the kind that it claims may really be, the surest first; nothing that texts begin with.
_REALLY: Final = {
    "image": {
        "image/jpeg": rb"\xff\xd8\xff",
        "image/png": rb"\x89PNG\r\n\x1a\n",
        "image/gif": rb"GIF8[79]a",
        "image/webp": rb"RIFF.{4}WEBP",
        "image/tiff": _TIFF,
        "image/bmp": rb"BM.{4}\x00{4}",
        "image/avif": rb".{4}ftypavi[fs]",
        "image/heic": rb".{4}ftyp(hei[cxms]|hev[cxms])",
        "image/heif": rb".{4}ftyp(mif1|msf1)",
        "image/vnd.microsoft.icon": rb"\x00\x00[\x01\x02]\x00[^\x00]\x00",
        "image/jxl": rb"\x00\x00\x00\x0cJXL \r\n\x87\n|\xff\x0a",
        "image/jp2": rb"\x00\x00\x00\x0cjP  \r\n\x87\n",
    },
    "audio": {
        "audio/ogg": _OGG,
        "audio/flac": rb"fLaC",
        "audio/wav": _WAVE,
        "audio/aiff": rb"FORM.{4}AIF[FC]",
        "audio/amr": rb"#!AMR",
        "audio/x-ms-wma": _ASF,
        "audio/mp4": rb".{4}(ftyp|moov|styp)",
        "audio/webm": _EBML,
        "audio/mpeg": rb"ID3[\x02-\x04]",
    },
    "video": {
        "video/quicktime": rb".{4}ftypqt  ",
        "video/mp4": rb".{4}(ftyp|moov|styp)",
        "video/webm": _EBML + rb".{0,48}webm",
        "video/x-matroska": _EBML,
        "video/ogg": _OGG,
        "video/x-msvideo": _AVI,
        "video/x-ms-wmv": _ASF,
        "video/x-flv": rb"FLV\x01",
        "video/mp2t": _TRANSPORT_STREAM,
        "video/mpeg": rb"\x00\x00\x01[\xb3\xba]",
    },
}

_COMPILED: Final = {claim: re.compile(signature, re.DOTALL) for claim, signature in _SIGNATURES.items()}
_REALLY_COMPILED: Final = {
    kind: {name: re.compile(signature, re.DOTALL) for name, signature in types.items()}
    for kind, types in _REALLY.items()
}


def really(mime_type: str, head: bytes) -> str | None:
    """Return what content that begins with `head` is, which claims to be of the type `mime_type`.

    That is the claim, unless the content is of another type of the same kind; None if it is nothing of the
    kind. `mime_type` is in lower case and without parameters; `head` holds the first `HEAD_BYTES`, or the
    whole of a shorter file.
    """
    signature = _COMPILED.get(mime_type)
    if signature is None or signature.match(head):
        return mime_type
    kind = mime_type.partition("/")[0]
    for name, other in _REALLY_COMPILED[kind].items():
        if other.match(head):
            return name
    return type_of_frames(head) if kind == "audio" else None


def contradicts(mime_type: str, head: bytes) -> bool:
    """Whether content that begins with `head` cannot be of the image, audio or video type `mime_type`.

    `mime_type` is without parameters, in any case; `head` is as in `really`.
    """
    return really(mime_type.lower(), head) is None
