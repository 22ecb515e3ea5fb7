"""What a media file says of itself, read from the bytes that pass by: size, length, title.

An inspector is fed a file from its first to its last byte in any cut, keeps a bounded few of them, and says
in the end what it has found. It never raises for what is in the file: whatever can't be read is not known,
and neither is what no file can be (`facts.sane`).
Pure; no I/O.
"""

from __future__ import annotations

from tgbridge.inspection.audio import AUDIO_TYPES, AudioInspector
from tgbridge.inspection.facts import Facts, Inspector, Nothing
from tgbridge.inspection.guarded import Guarded
from tgbridge.inspection.image import IMAGE_TYPES, ImageInspector
from tgbridge.inspection.isomedia import ISO_MEDIA_TYPES, IsoMediaInspector
from tgbridge.inspection.matroska import MATROSKA_TYPES, MatroskaInspector

__all__ = ("Facts", "Inspector", "Nothing", "inspector_for")


def inspector_for(mime_type: str) -> Inspector:
    """Return what reads files of a type, given in lower case and without parameters."""
    if mime_type in IMAGE_TYPES:
        return Guarded(ImageInspector())
    if mime_type in ISO_MEDIA_TYPES:
        return Guarded(IsoMediaInspector())
    if mime_type in MATROSKA_TYPES:
        return Guarded(MatroskaInspector())
    if mime_type in AUDIO_TYPES:
        return Guarded(AudioInspector())
    return Nothing()
