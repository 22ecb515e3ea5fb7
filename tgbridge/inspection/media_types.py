"""Media types: of a file by its name, and the names of the types themselves. The same on each machine."""

from __future__ import annotations

import mimetypes
import re
from types import MappingProxyType
from typing import Final

UNKNOWN: Final = "application/octet-stream"

# Python's own table only: the system's is another one on each machine.
_TYPES: Final = mimetypes.MimeTypes()
_MORE: Final = MappingProxyType(
    {
        ".3g2": "video/3gpp2",
        ".3ga": "audio/3gpp",
        ".3gp": "video/3gpp",
        ".aac": "audio/aac",
        ".aif": "audio/aiff",
        ".aiff": "audio/aiff",
        ".amr": "audio/amr",
        ".apng": "image/apng",
        ".avif": "image/avif",
        ".caf": "audio/x-caf",
        ".f4v": "video/mp4",
        ".flac": "audio/flac",
        ".flv": "video/x-flv",
        ".heic": "image/heic",
        ".heif": "image/heif",
        ".jfif": "image/jpeg",
        ".jp2": "image/jp2",
        ".jxl": "image/jxl",
        ".m2ts": "video/mp2t",
        ".m4a": "audio/mp4",
        ".m4b": "audio/mp4",
        ".m4r": "audio/mp4",
        ".m4v": "video/x-m4v",
        ".md": "text/markdown",
        ".mid": "audio/midi",
        ".mka": "audio/x-matroska",
        ".mkv": "video/x-matroska",
        ".mts": "video/mp2t",
        ".oga": "audio/ogg",
        ".ogg": "audio/ogg",
        ".ogv": "video/ogg",
        ".opus": "audio/ogg",
        ".spx": "audio/ogg",
        ".tgs": "application/x-tgsticker",
        ".webp": "image/webp",
        # Python's table takes TypeScript for an MPEG transport stream.
        ".ts": "text/plain",
        ".wav": "audio/wav",
        ".weba": "audio/webm",
        ".wma": "audio/x-ms-wma",
        ".wmv": "video/x-ms-wmv",
    }
)
_ENCODINGS: Final = MappingProxyType(
    {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
)
_SYNONYMS: Final = MappingProxyType(
    {
        "audio/mp3": "audio/mpeg",
        "audio/x-mp3": "audio/mpeg",
        "audio/x-flac": "audio/flac",
        "audio/x-m4a": "audio/mp4",
        "audio/x-m4b": "audio/mp4",
        "audio/aacp": "audio/aac",
        "audio/x-aac": "audio/aac",
        "audio/m4a": "audio/mp4",
        "audio/wave": "audio/wav",
        "audio/vnd.wave": "audio/wav",
        "audio/x-wav": "audio/wav",
        "audio/x-aiff": "audio/aiff",
        "image/jpg": "image/jpeg",
        "image/pjpeg": "image/jpeg",
        "image/x-ms-bmp": "image/bmp",
        "image/x-png": "image/png",
    }
)
# Where a type has several extensions, and the first of them is not the usual one.
_USUAL_EXTENSIONS: Final = MappingProxyType({"audio/ogg": ".ogg"})
# What programs declare that do not know, beside what is no type at all ("video", "video/*"), or that know the
# container and not whether it is sound or film.
_SAY_NOTHING: Final = frozenset(
    {
        UNKNOWN,
        "application/binary",
        "application/download",
        "application/force-download",
        "application/mp4",
        "application/ogg",
        "application/unknown",
        "application/x-download",
        "application/x-matroska",
        "binary/octet-stream",
        "unknown/unknown",
    }
)
# RFC 6838, section 4.2
_WELL_FORMED: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")

for _suffix, _type in _MORE.items():
    _TYPES.add_type(_type, _suffix)


def claimed(declared: str, name: str) -> str:
    """Return the type that a file claims to be of: as `declared`, without parameters, or else by its `name`.

    What browsers declare for a type that they do not know is as good as nothing.
    """
    plain = declared.partition(";")[0].strip().lower()
    if plain not in _SAY_NOTHING and _WELL_FORMED.fullmatch(plain):
        return plain
    return by_name(name) or UNKNOWN


def says_nothing(mime_type: str, name: str) -> bool:
    """Tell whether neither a file's type nor its name says what it is, so that its first bytes are asked."""
    # A name that ends in ".bin" has said all there is.
    return mime_type == UNKNOWN and not by_name(name)


def by_name(name: str) -> str:
    """Return the type that a file's name tells, or "" where it tells none."""
    # What stands before a colon would be taken for a URL's scheme.
    guess, encoding = _TYPES.guess_type(name.lower().rpartition(":")[2])
    if encoding is not None:
        return _ENCODINGS.get(encoding, UNKNOWN)
    return guess or ""


def canonical(mime_type: str) -> str:
    """Return the one name of a type that has several."""
    return _SYNONYMS.get(mime_type, mime_type)


def extension(mime_type: str) -> str:
    """Return what the names of files of this type end in, with its dot, or ""."""
    mime_type = canonical(mime_type)
    return _USUAL_EXTENSIONS.get(mime_type) or _TYPES.guess_extension(mime_type) or ""
