"""Signing in, who is signed in, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tgbridge.models.base import Model, Omittable

CodeType = Literal[
    "app", "sms", "sms_word", "sms_phrase", "call", "flash_call", "missed_call", "email", "fragment"
]


class User(Model):
    """A Telegram user, as far as a frontend shows one. What the user has not set is null."""

    id: int
    first_name: str | None
    last_name: str | None
    username: str | None
    phone: Annotated[str | None, Field(repr=False, description="International, without the leading +.")]
    is_premium: bool


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
