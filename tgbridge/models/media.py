"""Saved Messages: items, lists, tickets, and what is asked of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tgbridge.models.base import Model, Omittable

MediaType = Literal["photo", "video", "animation", "audio", "voice", "video_note", "sticker", "document"]


class Rendition(Model):
    """Another encoding of a video, made by Telegram: the same film, smaller or by another codec."""

    url: Annotated[str, Field(description="Relative to the service's root.")]
    mime_type: str
    size: Annotated[int, Field(ge=0, description="Bytes.")]
    width: Annotated[int | None, Omittable, Field(description="Pixels.")] = None
    height: Annotated[int | None, Omittable, Field(description="Pixels.")] = None
    codec: Annotated[str | None, Omittable, Field(description="Such as h264 or av1.")] = None


class Part(Model):
    """One of several files in one message; the first is the item's own."""

    part: Annotated[int, Field(ge=1, description="Its number, for ?part=.")]
    name: Annotated[str, Field(min_length=1, description="Without path separators or control characters.")]
    type: MediaType
    size: Annotated[int, Field(ge=0, description="Bytes that its url will send.")]
    url: Annotated[str, Field(description="Relative to the service's root.")]
    thumbnail_url: Annotated[str | None, Field(description="Null without a thumbnail.")]
    mime_type: Annotated[str | None, Omittable] = None
    width: Annotated[int | None, Omittable, Field(description="Pixels.")] = None
    height: Annotated[int | None, Omittable, Field(description="Pixels.")] = None
    duration: Annotated[float | None, Omittable, Field(description="Seconds.")] = None


class MediaItem(Model):
    """One message of Saved Messages that holds a file."""

    id: Annotated[int, Field(description="The message's id.")]
    name: Annotated[str, Field(min_length=1, description="Without path separators or control characters.")]
    type: MediaType
    timestamp: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}, description="When it was sent, UTC, with Z.")
    ]
    size: Annotated[int, Field(ge=0, description="Bytes that /stream_media will send.")]
    caption: str
    has_thumbnail: Annotated[bool, Field(description="Whether /stream_thumbnail will answer 200.")]
    url: Annotated[str, Field(description="The file in its present version, relative to the service's root.")]
    thumbnail_url: Annotated[
        str | None,
        Field(description="Its thumbnail, relative to the service's root; null without one."),
    ]
    mime_type: Annotated[str | None, Omittable] = None
    width: Annotated[int | None, Omittable, Field(description="Pixels.")] = None
    height: Annotated[int | None, Omittable, Field(description="Pixels.")] = None
    duration: Annotated[float | None, Omittable, Field(description="Seconds.")] = None
    album_id: Annotated[str | None, Omittable, Field(description="The same for all of an album.")] = None
    edited: Annotated[
        str | None,
        Omittable,
        Field(json_schema_extra={"format": "date-time"}, description="When it was changed, UTC, with Z."),
    ] = None
    caption_html: Annotated[
        str | None,
        Omittable,
        Field(description="The caption with its formatting, as HTML that is safe to put into a page."),
    ] = None
    title: Annotated[str | None, Omittable, Field(description="Of audio.")] = None
    performer: Annotated[str | None, Omittable, Field(description="Of audio.")] = None
    waveform: Annotated[
        list[Annotated[int, Field(ge=0, le=31)]] | None,
        Omittable,
        Field(description="Of voice: its loudness from beginning to end."),
    ] = None
    spoiler: Annotated[
        Literal[True] | None, Omittable, Field(description="To be covered until somebody wants to see it.")
    ] = None
    parts: Annotated[
        list[Part] | None, Omittable, Field(description="All files, where the message has several.")
    ] = None
    renditions: Annotated[
        list[Rendition] | None, Omittable, Field(description="Other encodings of the video.")
    ] = None
    blur_data_url: Annotated[
        str | None,
        Omittable,
        Field(repr=False, description="A tiny JPEG preview as a data URL, for next/image's blurDataURL."),
    ] = None


class MediaPage(Model):
    """Some of the media of Saved Messages, newest first."""

    items: list[MediaItem]
    next: Annotated[
        str | None,
        Field(
            description="Where the next page is, relative to the service's root; null after the last one. A "
            "page may have fewer items than its limit, or none, and a next one all the same."
        ),
    ]
    last_event_id: Annotated[
        str, Field(description="For /events?last_event_id=, which then tells what has changed since.")
    ]


class MediaCounts(Model):
    """How many messages there are of each type, as Telegram counts them. It counts no stickers."""

    photo: Annotated[int, Field(ge=0)]
    video: Annotated[int, Field(ge=0)]
    animation: Annotated[int, Field(ge=0)]
    audio: Annotated[int, Field(ge=0)]
    voice: Annotated[int, Field(ge=0)]
    video_note: Annotated[int, Field(ge=0)]
    document: Annotated[int, Field(ge=0)]


class MediaDay(Model):
    """A day on which media was sent."""

    date: Annotated[str, Field(json_schema_extra={"format": "date"}, description="In UTC.")]
    count: Annotated[int, Field(ge=0)]
    before: Annotated[int, Field(ge=1, description="What a page that begins with this day is asked with.")]


class MediaRemoved(Model):
    """What has become of the messages, in the order in which they were named."""

    deleted: list[int]
    missing: Annotated[
        list[int],
        Field(
            description="Those that are no media of Saved Messages, or were gone: nothing was done to them."
        ),
    ]


class MediaGone(Model):
    """The data of the event ``media_deleted``."""

    ids: Annotated[
        list[int], Field(min_length=1, description="Of messages that are gone, or hold no file now.")
    ]


class ListsOutdated(Model):
    """The data of the event ``reload``: what has happened can't be told; read lists anew."""


class SessionOver(Model):
    """The data of the event ``session_ended``: nobody is signed in any more."""

    code: Annotated[str, Field(description="Telegram's name for why.")]


class Ticket(Model):
    """Where one item's files are without a cookie, for whoever has it. Relative to the service's root."""

    url: Annotated[str, Field(repr=False, description="The file.")]
    thumbnail_url: Annotated[str | None, Field(repr=False, description="Null without a thumbnail.")]
    expires_at: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}, description="Until when, UTC, with Z.")
    ]


class TicketInput(Model):
    """What a ticket is to be good for."""

    expires_in: Annotated[
        int,
        Field(ge=60, le=604_800, description="Seconds. More than the service's settings allow means those."),
    ] = 3600
    download: Annotated[bool, Field(description="Whether browsers are to save the file.")] = False
    part: Annotated[int, Field(ge=1, description="Which file, of a message that holds several.")] = 1


class CaptionInput(Model):
    """What is to be written under a file."""

    caption: Annotated[str, Field(repr=False, description='Plain text; "" for none.')]


class DeleteInput(Model):
    """Which messages are to be deleted."""

    ids: Annotated[list[int], Field(min_length=1, max_length=1000)]
