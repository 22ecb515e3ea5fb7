from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from tgbridge.telegram.transfer.remote_file import RemoteFile

DOCUMENT = RemoteFile(
    message_id=7,
    kind="document",
    file_id=-5,
    dc_id=2,
    access_hash=1234567890,
    file_reference=b"reference",
    thumb_size="",
    size=1000,
    mime_type="video/mp4",
    name="a.mp4",
    date=datetime(2024, 1, 1, tzinfo=UTC),
)
THUMBNAIL = dataclasses.replace(DOCUMENT, thumb_size="m", size=100)
PHOTO = dataclasses.replace(DOCUMENT, kind="photo", thumb_size="y")


def test_the_tag_is_of_the_file_and_not_of_the_message() -> None:
    """Two messages with the same file share it, a file and its thumbnails do not; it needs no quoting."""
    forwarded = dataclasses.replace(DOCUMENT, message_id=8, file_reference=b"other", name="b.mp4")
    assert forwarded.etag == DOCUMENT.etag
    tags = {
        file.etag for file in (DOCUMENT, THUMBNAIL, PHOTO, dataclasses.replace(THUMBNAIL, thumb_size="M"))
    }
    assert len(tags) == 4
    assert all(tag.isascii() and tag.replace("-", "").isalnum() for tag in tags)


def test_secrets_stay_out_of_the_repr() -> None:
    """What gives access to the file is not logged by accident."""
    assert "1234567890" not in repr(DOCUMENT)
    assert "reference" not in repr(DOCUMENT)


def test_locations() -> None:
    """Documents and photos have locations of their own kind, thumbnails name their size."""
    location = THUMBNAIL.location()
    assert isinstance(location, types.InputDocumentFileLocation)
    assert (location.id, location.thumb_size, location.file_reference) == (-5, "m", b"reference")
    assert isinstance(PHOTO.location(), types.InputPhotoFileLocation)


@pytest.mark.parametrize("change", [{"size": -1}, {"kind": "photo"}])
def test_what_no_data_centre_serves_is_refused(change: dict[str, Any]) -> None:
    """A negative size, and a photo without a size to read it in."""
    with pytest.raises(ValueError, match="size"):
        dataclasses.replace(DOCUMENT, **change)
