"""What a file is sent as: one rule after the other."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from tgbridge.inspection import Facts
from tgbridge.telegram.saved.outgoing import Hints, OutgoingFile
from tgbridge.telegram.transfer.upload.ways import StoredFile

MIB = 1024 * 1024
SMALL = StoredFile(file_id=7, parts=1, size=1000, md5="d41d8cd98f00b204e9800998ecf8427e")
LARGE = StoredFile(file_id=8, parts=21, size=10 * MIB + 1, md5=None)
SILENT = Facts(width=4, height=3, duration=1.5, has_video=True, has_sound=False, video_codec="avc1")
FILM = Facts(width=4, height=3, duration=1.5, has_video=True, has_sound=True, video_codec="avc1")
VOICE = Facts(duration=3.9, has_sound=True, is_opus=True)


def file(mime_type: str, stored: StoredFile = SMALL, name: str = "a.bin", **options: Any) -> OutgoingFile:
    return OutgoingFile(stored, name, mime_type, **options)


@pytest.mark.parametrize(
    ("outgoing", "kind", "company"),
    [
        (file("image/jpeg"), "photo", "visual"),
        (file("image/pjpeg"), "photo", "visual"),
        (file("image/png", facts=Facts(width=100, height=100)), "photo", "visual"),
        (file("image/jpeg", LARGE), "document", "document"),
        (file("image/jpeg", as_document=True), "document", "document"),
        (file("image/jpeg", facts=Facts(width=9000, height=1001)), "document", "document"),
        (file("image/jpeg", facts=Facts(width=10, height=201)), "document", "document"),
        (file("image/webp"), "document", "document"),
        (file("image/gif"), "animation", None),
        (file("image/gif", LARGE), "animation", None),
        (file("video/mp4", facts=SILENT), "animation", None),
        (file("video/mp4", LARGE, facts=SILENT), "video", "visual"),
        (file("video/quicktime", facts=SILENT), "video", "visual"),
        (file("video/mp4", facts=FILM), "video", "visual"),
        (file("video/mp4"), "video", "visual"),
        (file("video/webm"), "video", "visual"),
        (file("video/x-matroska"), "document", "document"),
        (file("video/mp2t"), "document", "document"),
        (file("video/mp4", facts=Facts(has_video=False, has_sound=True)), "audio", "audio"),
        (file("video/mp4", facts=Facts(has_video=False, has_sound=False)), "document", "document"),
        (file("audio/mpeg"), "audio", "audio"),
        (file("audio/ogg"), "audio", "audio"),
        (file("audio/ogg", facts=VOICE), "voice", None),
        (file("audio/ogg", facts=VOICE, name="a.OPUS"), "audio", "audio"),
        (file("audio/ogg", facts=Facts(title="Song", is_opus=True)), "audio", "audio"),
        (file("application/pdf"), "document", "document"),
    ],
)
def test_kinds(outgoing: OutgoingFile, kind: str, company: str | None) -> None:
    """By type, size and what the file says of itself."""
    assert (outgoing.kind, outgoing.company) == (kind, company)


def test_photos_are_named_by_their_type() -> None:
    """Telegram refuses a photo whose name does not say what it is."""
    media = file("image/png", name="写真").media()
    assert isinstance(media, types.InputMediaUploadedPhoto)
    assert (media.file.id, media.file.name, media.file.md5_checksum) == (7, "photo.png", SMALL.md5)


def test_big_files_have_no_checksum() -> None:
    """What went by saveBigFilePart is an inputFileBig."""
    media = file("application/pdf", LARGE, name="a.pdf").media()
    assert isinstance(media.file, types.InputFileBig)
    assert (media.file.id, media.file.parts, media.file.name) == (8, 21, "a.pdf")


def test_flags() -> None:
    """A mere document is one by force; a film without sound stays a film."""
    assert file("video/mp4", as_document=True).media().force_file is True
    assert file("video/quicktime", facts=SILENT).media().nosound_video is True
    assert file("video/mp4", facts=SILENT).media().nosound_video is None
    thumbnail = StoredFile(file_id=9, parts=1, size=10, md5="0" * 32)
    assert file("video/mp4", thumbnail=thumbnail).media().thumb.id == 9


def test_what_the_sender_says_counts_more() -> None:
    """Hints come before facts, one by one. Sound is told in whole seconds, and never in none."""
    video = file("video/mp4", facts=FILM, hints=Hints(duration=0.5, width=8)).media().attributes[1]
    assert (video.duration, video.w, video.h) == (0.5, 8, 3)
    short = file("audio/mpeg", facts=Facts(duration=0.2)).media().attributes[1]
    assert short.duration == 1
    voice = file("audio/ogg", facts=VOICE).media().attributes[1]
    assert (voice.duration, voice.voice) == (4, True)
