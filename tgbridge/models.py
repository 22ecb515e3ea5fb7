"""The JSON bodies of the HTTP contract, as frozen values; ``openapi.py`` describes them from here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MediaType = Literal["photo", "video", "animation", "audio", "voice", "video_note", "sticker", "document"]
CodeType = Literal[
    "app", "sms", "sms_word", "sms_phrase", "call", "flash_call", "missed_call", "email", "fragment"
]

# Marks a field that is left out of the JSON where there is nothing to say. Other fields are then null.
Omittable = Field(exclude_if=lambda value: value is None)


class Model(BaseModel):
    """A value that travels as JSON."""

    model_config = ConfigDict(frozen=True)


class User(Model):
    """A Telegram user, as far as a frontend shows one. What the user has not set is null."""

    id: int
    first_name: str | None
    last_name: str | None
    username: str | None
    phone: Annotated[str | None, Field(repr=False, description="International, without the leading +.")]
    is_premium: bool


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


class Message(Model):
    """A success with nothing to return."""

    message: str


class CodeSent(Model):
    """A login code is on its way."""

    message: str
    type: Annotated[CodeType | None, Omittable, Field(description="How the code travels.")] = None
    next_type: Annotated[CodeType | None, Omittable, Field(description="How it would travel next.")] = None
    timeout: Annotated[
        int | None, Omittable, Field(description="Seconds until asking for the next one makes sense.")
    ] = None
    length: Annotated[int | None, Omittable, Field(description="How many digits it has.")] = None
    pattern: Annotated[
        str | None,
        Omittable,
        Field(description="Of a flash call: the number that calls, which is the code; * is any digits."),
    ] = None
    prefix: Annotated[
        str | None,
        Omittable,
        Field(
            description="Of a missed call: how the number that calls begins; its last digits are the code."
        ),
    ] = None
    beginning: Annotated[
        str | None,
        Omittable,
        Field(description="Of a word: its first letter; of a phrase: its first word."),
    ] = None
    email_pattern: Annotated[
        str | None, Omittable, Field(description="The e-mail address that it went to, masked.")
    ] = None
    url: Annotated[str | None, Omittable, Field(description="Of Fragment: where the code can be read.")] = (
        None
    )


class SignedIn(Model):
    """A login has succeeded; the answer's cookie is the session."""

    message: str
    user: User


class QrCodeShown(Model):
    """The data of the event ``qr``: what to show, instead of what was shown before."""

    url: Annotated[str, Field(repr=False, description="The tg://login link that the code holds.")]
    svg: Annotated[str, Field(repr=False, description="The code as an SVG image that fills its container.")]
    expires_at: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}, description="Another one comes before.")
    ]


class QrAuthenticated(Model):
    """The data of the event ``authenticated``: the code was accepted."""

    claim: Annotated[str, Field(repr=False, description="For /qr-login/claim, once, within minutes.")]


class QrPasswordRequired(Model):
    """The data of the event ``password_required``: accepted, and /sign-in-password is to complete it."""

    password_hint: Annotated[str | None, Field(description="The user's own hint; null if there is none.")]


class QrExpired(Model):
    """The data of the event ``expired``: nobody has accepted a code in time."""


class Device(Model):
    """Where the account is signed in: one authorization, of this service or of another app."""

    hash: Annotated[
        str, Field(description="Names it in DELETE /sessions/{hash}; 0 if it is the current one.")
    ]
    app: Annotated[str, Field(description="The app's name and version.")]
    device: str
    platform: str
    country: Annotated[str, Field(description="By the address that it was last used from.")]
    created: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}, description="When it signed in, UTC, with Z.")
    ]
    active: Annotated[
        str,
        Field(json_schema_extra={"format": "date-time"}, description="When it was last used, UTC, with Z."),
    ]
    current: Annotated[bool, Field(description="Whether it is the session that asks.")]


class Authentication(Model):
    """Whether this browser is signed in."""

    authenticated: bool


class CookieSession(Model):
    """What the cookie tells. Telegram may have ended the session meanwhile, which only asking shows."""

    state: Annotated[
        Literal["signed_in", "code_sent", "password_needed", "signed_out"],
        Field(description="code_sent and password_needed: a login has begun, and nobody is signed in."),
    ]
    user_id: Annotated[int | None, Field(description="Who is signed in; null if nobody is.")]
    expires_at: Annotated[
        str | None,
        Field(
            json_schema_extra={"format": "date-time"},
            description="When the cookie ends if it is not used before, UTC, with Z; else null.",
        ),
    ]


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


class Health(Model):
    """The process lives."""

    status: Literal["ok"]


class Check(Model):
    """What one part of the service says of itself."""

    ok: bool
    reason: Annotated[str | None, Omittable, Field(description="Why it is not ok, for a person.")] = None


class Readiness(Model):
    """The service can take work."""

    status: Literal["ok"]
    checks: dict[str, Check]


class ErrorBody(Model):
    """The body of every answer that is no success."""

    error: Annotated[str, Field(description="A sentence for a person.")]
    details: Annotated[
        str | None, Omittable, Field(description="For debugging, such as the Telegram error's name.")
    ] = None
    code: Annotated[
        str,
        Field(description="A stable identifier for programs, the Telegram error's name where there is one."),
    ]
    retry_after: Annotated[
        int | None, Omittable, Field(description="Seconds, as in the Retry-After header.")
    ] = None


class Failed(ErrorBody):
    """What nobody has foreseen went wrong: the code may be any of Telegram's own names."""


class UploadNews(Model):
    """The data of the event ``upload``: what ``/uploads/{id}/events`` says, of all uploads of the session."""

    id: Annotated[str, Field(description="The upload's, as in ``/uploads/{id}``.")]
    event: Annotated[
        Literal["progress", "waiting", "done", "error"], Field(description="Which event it is there.")
    ]
    data: Annotated[
        UploadProgress | UploadWaiting | MediaItem | Failed, Field(description="That event's data.")
    ]


class PasswordRequired(ErrorBody):
    """The code was right; the account asks for its two-step verification password."""

    password_hint: Annotated[str | None, Field(description="The user's own hint; null if there is none.")]


class NotReady(ErrorBody):
    """The service cannot take work."""

    checks: dict[str, Check]


# Request bodies: what is asked for. web/body.py reads them, as leniently as the contract wants.


class SendCodeInput(Model):
    """Whom to send a login code."""

    phone: Annotated[str, Field(repr=False, description="International.", examples=["+15551234567"])]


class ResendCodeInput(Model):
    """Whom to send the code again; without it, whoever this browser has last asked for."""

    phone: Annotated[
        str | None, Field(repr=False, description="International.", examples=["+15551234567"])
    ] = None


class CancelCodeInput(Model):
    """Whose code is not wanted any more."""

    phone: Annotated[str, Field(repr=False, description="International.", examples=["+15551234567"])]


class SignInInput(Model):
    """The code that was sent, and the two-step verification password if it is already known."""

    phone: Annotated[str, Field(repr=False, description="International.", examples=["+15551234567"])]
    code: Annotated[str, Field(repr=False)]
    password: Annotated[str | None, Field(repr=False)] = None


class PasswordInput(Model):
    """The two-step verification password."""

    password: Annotated[str, Field(repr=False)]


class ClaimInput(Model):
    """What the stream of /qr-login sent."""

    claim: Annotated[str, Field(repr=False)]


class TicketInput(Model):
    """What a ticket is to be good for."""

    expires_in: Annotated[
        int,
        Field(ge=60, le=604_800, description="Seconds. More than the service's settings allow means those."),
    ] = 3600
    download: Annotated[bool, Field(description="Whether browsers are to save the file.")] = False
    part: Annotated[int, Field(ge=1, description="Which file, of a message that holds several.")] = 1


class Ticket(Model):
    """Where one item's files are without a cookie, for whoever has it. Relative to the service's root."""

    url: Annotated[str, Field(repr=False, description="The file.")]
    thumbnail_url: Annotated[str | None, Field(repr=False, description="Null without a thumbnail.")]
    expires_at: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}, description="Until when, UTC, with Z.")
    ]


class CaptionInput(Model):
    """What is to be written under a file."""

    caption: Annotated[str, Field(repr=False, description='Plain text; "" for none.')]


class DeleteInput(Model):
    """Which messages are to be deleted."""

    ids: Annotated[list[int], Field(min_length=1, max_length=1000)]


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
