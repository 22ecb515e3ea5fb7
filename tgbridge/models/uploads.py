"""Files on their way to Telegram."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tgbridge.models.base import Model, Omittable
from tgbridge.models.media import MediaItem
from tgbridge.models.refusals import Failed


class Uploaded(Model):
    """A file, or several, are now messages in Saved Messages."""

    message: str
    message_id: Annotated[int, Field(description="The message's id; of several, the first one's.")]
    message_ids: Annotated[
        list[int] | None, Omittable, Field(description="Of several files, in their order.")
    ] = None


class UploadProgress(Model):
    """How far an upload is, in bytes."""

    received: Annotated[int, Field(description="Bytes that the service has.")]
    stored: Annotated[int, Field(description="Bytes that Telegram has.")]
    total: Annotated[
        int | None,
        Field(description="Bytes that will be received; of a form at most so many until it has come."),
    ]


class UploadWaiting(Model):
    """Telegram takes nothing for a while; the upload goes on by itself, or asks for it by its status 429."""

    retry_after: Annotated[int, Field(description="Seconds.")]


class UploadNews(Model):
    """The data of the event ``upload``: what ``/uploads/{id}/events`` says, of all uploads of the session."""

    id: Annotated[str, Field(description="The upload's, as in ``/uploads/{id}``.")]
    event: Annotated[
        Literal["progress", "waiting", "done", "error"], Field(description="Which event it is there.")
    ]
    data: Annotated[
        UploadProgress | UploadWaiting | MediaItem | Failed, Field(description="That event's data.")
    ]


class UploadInput(Model):
    """A file for Saved Messages, or up to ten. The fields may come in any order.

    With several files, those that speak of one may come several times too: the first belongs to the first
    file, and an empty one to none.
    """

    file: Annotated[
        list[bytes],
        Field(
            repr=False,
            min_length=1,
            max_length=10,
            description="Each with a file name; its Content-Type says its type.",
        ),
    ]
    caption: Annotated[
        str,
        Field(
            repr=False,
            description="Of several files, the first one's. Before them, one too long is told at once.",
        ),
    ] = ""
    as_: Annotated[
        Literal["auto", "document"],
        Field(
            alias="as",
            description="As Telegram's apps send it (the default), or untouched; "
            "unchecked, if it comes first.",
        ),
    ] = "auto"
    thumbnail: Annotated[
        bytes | None, Field(repr=False, description="A JPEG of at most 200 kB and 320 pixels.")
    ] = None
    # Of any size: a hint that says nothing is passed over, and costs no upload.
    duration: Annotated[float | None, Field(description="Seconds; else as the file says.")] = None
    width: Annotated[float | None, Field(description="Pixels; else as the file says.")] = None
    height: Annotated[float | None, Field(description="Pixels; else as the file says.")] = None
