"""What can go wrong, and what it looks like to an HTTP client.

The tree (nothing in it knows aiohttp or Telethon)::

    BridgeError
    ├── SettingsError                   a wrong or unknown setting; the message is one line that names it
    ├── HTTPFailure                     an answer decided by a route: status and exact text
    ├── TelegramFailure                 all that leaves telegram/
    │   ├── TelegramRefused             Telegram's own error, by its name
    │   │   ├── FloodWait               told to wait
    │   │   ├── SessionEnded            Telegram has ended the session, or does not know it
    │   │   ├── PasswordNeeded          the account has two-step verification
    │   │   └── PartsLost               it has not kept what was uploaded
    │   ├── TelegramUnavailable         unreachable, silent, or broken on Telegram's side
    │   │   └── InternalError           it says so itself

    │   │   └── AnswerLost              it was asked, once, and what came of it is not known
    │   └── FileCorrupted               what came is not the file that was announced
    ├── PoolExhausted                   every client of the pool is in use
    ├── FileTooLarge                    more bytes than the setting or Telegram takes
    └── MediaNotFound                   no such message, no media or no thumbnail in it

Below it stands the one table of Telegram's errors that have an answer of their own. Each other one is the
endpoint's own 500, with the error's name as ``code`` and ``details``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class BridgeError(Exception):
    """The root of every error of this package."""


class SettingsError(BridgeError):
    """A setting is wrong, missing or unknown; the message is one line for the person at the terminal."""


class HTTPFailure(BridgeError):
    """An answer other than success, decided where it is raised.

    ``text`` is the body's ``error``, ``code`` is for programs: no error body lacks it. ``retry_after`` is in
    whole seconds and also becomes the ``Retry-After`` header; ``extra`` are further fields of the body, such
    as ``password_hint``; ``headers`` further headers, such as ``Content-Range`` of a 416; ``log`` is what the
    operator alone is told, in the request's line.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        code: str,
        details: str | None = None,
        retry_after: int | None = None,
        extra: Mapping[str, object] = _NONE,
        headers: Mapping[str, str] = _NONE,
        log: Mapping[str, object] = _NONE,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.code = code
        self.details = details
        self.retry_after = retry_after
        self.extra = extra
        self.headers = headers
        self.log = log


class TelegramFailure(BridgeError):
    """Telegram did not do what it was asked."""


class TelegramRefused(TelegramFailure):
    """Telegram answered with an error.

    ``name`` is Telegram's own, without the number that some carry (https://core.telegram.org/api/errors);
    ``value`` is that number: ``FILE_MIGRATE_3`` is ``("FILE_MIGRATE", 3)``.
    """

    def __init__(self, name: str, value: int | None = None) -> None:
        super().__init__(name if value is None else f"{name} ({value})")
        self.name = name
        self.value = value


class FloodWait(TelegramRefused):
    """Telegram takes no such request for ``seconds``: FLOOD_WAIT, FLOOD_PREMIUM_WAIT and the like."""

    def __init__(self, seconds: int, name: str = "FLOOD_WAIT") -> None:
        super().__init__(name, seconds)
        self.seconds = seconds


class SessionEnded(TelegramRefused):
    """Telegram has ended the session or does not know its key, which cannot be used again."""


class PasswordNeeded(TelegramRefused):
    """The code was right, and the account asks for its two-step verification password.

    ``hint`` is the user's own reminder.
    """

    def __init__(self, hint: str | None = None) -> None:
        super().__init__("SESSION_PASSWORD_NEEDED")
        self.hint = hint


class PartsLost(TelegramRefused):
    """Telegram does not have the parts of a file that were uploaded, any more: it is to be uploaded anew."""


class TelegramUnavailable(TelegramFailure):
    """Telegram could not be reached, was silent for too long, or kept failing. ``retry_after`` is in seconds.

    ``reason`` is a few words without addresses or secrets, for the log and for the answer's ``details``.
    """

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class InternalError(TelegramUnavailable):
    """Telegram answered that it has failed on its own side: the same request may succeed the next moment.

    ``name`` is what it said; after ``TIMEOUT`` nobody knows whether the request was carried out.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"internal error at Telegram: {name}")
        self.name = name


class AnswerLost(TelegramUnavailable):
    """A request that must not be repeated was sent, and its answer did not come: it may have been done."""


class FileCorrupted(TelegramFailure):
    """Bytes of a file came that are not those announced: their number, or their hash, is another."""


class PoolExhausted(BridgeError):
    """As many Telegram clients as ``pool.max_clients`` allows are in use. ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__("every Telegram client is in use")
        self.retry_after = retry_after


class FileTooLarge(BridgeError):
    """A file has more bytes than the setting or Telegram takes. ``limit`` is in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the file has more than {limit} bytes")
        self.limit = limit


class MediaNotFound(BridgeError):
    """There is no such message, or it holds no media (or no thumbnail)."""


SESSION_ENDED: Final = frozenset(
    {
        "AUTH_KEY_DUPLICATED",
        "AUTH_KEY_INVALID",
        "AUTH_KEY_NOT_FOUND",  # our name for the transport's -404, which is no RPC error
        "AUTH_KEY_UNREGISTERED",
        "SESSION_EXPIRED",
        "SESSION_REVOKED",
        "USER_DEACTIVATED",
        "USER_DEACTIVATED_BAN",
    }
)
"""The names that make a ``SessionEnded`` (https://core.telegram.org/api/errors, 401 and 406)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP client is told: ``status``, the body's ``error`` text, and ``retry_after`` in seconds.

    ``code`` is the body's, for programs; None: the error's own name, which is in ``details`` otherwise.
    """

    status: int
    text: str
    retry_after: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """What an endpoint says of a message that is none of its own: the 404's text and code."""

    text: str
    code: str


# Codes of answers that no error of Telegram's stands behind.
UNAVAILABLE: Final = "TELEGRAM_UNAVAILABLE"
EXHAUSTED: Final = "POOL_EXHAUSTED"
FILE_TOO_LARGE_CODE: Final = "FILE_TOO_LARGE"
INTERNAL: Final = "INTERNAL_ERROR"
MISSING_FIELD: Final = "MISSING_FIELD"
INVALID_BODY: Final = "INVALID_BODY"
FLOOD_WAITS: Final = frozenset({"FLOOD_WAIT", "FLOOD_PREMIUM_WAIT", "FLOOD_TEST_PHONE_WAIT", "SLOWMODE_WAIT"})
"""The names that make a ``FloodWait``: the request is fine, later."""

# Texts that routes use as well, for what they can tell without asking Telegram.
NOT_AUTHENTICATED: Final = "User not authenticated."
NOT_AUTHENTICATED_CODE: Final = "NOT_AUTHENTICATED"
TOO_MANY_REQUESTS: Final = "Too many requests. Please try again later."
PASSWORD_REQUIRED: Final = "Two-step verification password required."  # noqa: S105 - a text for people
INVALID_PHONE: Final = "Invalid phone number format."
CODE_EXPIRED: Final = "The code has expired. Please request a new one."
INVALID_CODE: Final = "Invalid code. Please try again."
INVALID_PASSWORD: Final = "Invalid password. Please try again."  # noqa: S105 - a text for people
INVALID_FILE: Final = "Invalid file type or format."
FILE_TOO_LARGE: Final = "The file is too large."

# A code that went by e-mail has errors of its own, which are no others to a frontend.
_INVALID_EMAIL_CODE: Final = Answer(400, INVALID_CODE, code="PHONE_CODE_INVALID")
_INVALID_FILE: Final = Answer(400, INVALID_FILE)
_NOT_EDITABLE: Final = Answer(403, "Telegram does not let the caption of this message be changed.")
# Telegram names no time for these two; an hour is what its own apps suggest.
_UNTIMED_FLOOD: Final = Answer(429, TOO_MANY_REQUESTS, retry_after=3600)

ANSWERS: Final[Mapping[str, Answer]] = MappingProxyType(
    {
        # Logging in (https://core.telegram.org/method/auth.sendCode, auth.signIn, auth.checkPassword)
        "PHONE_NUMBER_INVALID": Answer(400, INVALID_PHONE),
        "PHONE_NUMBER_UNOCCUPIED": Answer(400, "No Telegram account uses this phone number."),
        "PHONE_NUMBER_BANNED": Answer(403, "This phone number is banned from Telegram."),
        "PHONE_NUMBER_FLOOD": _UNTIMED_FLOOD,
        "PHONE_PASSWORD_FLOOD": _UNTIMED_FLOOD,
        "PHONE_CODE_INVALID": Answer(400, INVALID_CODE),
        "PHONE_CODE_EMPTY": Answer(400, INVALID_CODE),
        "PHONE_CODE_EXPIRED": Answer(400, CODE_EXPIRED),
        "CODE_INVALID": _INVALID_EMAIL_CODE,
        "EMAIL_CODE_INVALID": _INVALID_EMAIL_CODE,
        "EMAIL_TOKEN_INVALID": _INVALID_EMAIL_CODE,
        "EMAIL_VERIFY_EXPIRED": Answer(400, CODE_EXPIRED, code="PHONE_CODE_EXPIRED"),
        "PASSWORD_HASH_INVALID": Answer(400, INVALID_PASSWORD),
        "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN": Answer(
            403, "This phone number has no Telegram account yet. Please create one in a Telegram app first."
        ),
        # Our names for auth.sentCodePaymentRequired and auth.sentCodeTypeSetUpEmailRequired, no RPC errors.
        "CODE_PAYMENT_REQUIRED": Answer(
            403,
            "Telegram wants to be paid for a code to this number. Please sign in to a Telegram app first.",
        ),
        "EMAIL_SETUP_REQUIRED": Answer(
            403, "Telegram wants an e-mail address for this account first. Please add one in a Telegram app."
        ),
        # https://core.telegram.org/method/account.resetAuthorization
        "FRESH_RESET_AUTHORISATION_FORBIDDEN": Answer(
            403, "Telegram lets a session end others only 24 hours after it has signed in."
        ),
        # Uploading (https://core.telegram.org/api/files, messages.sendMedia)
        "IMAGE_PROCESS_FAILED": _INVALID_FILE,
        "MEDIA_INVALID": _INVALID_FILE,
        "PHOTO_EXT_INVALID": _INVALID_FILE,
        "PHOTO_INVALID": _INVALID_FILE,
        "PHOTO_INVALID_DIMENSIONS": _INVALID_FILE,
        "PHOTO_SAVE_FILE_INVALID": _INVALID_FILE,
        "VIDEO_FILE_INVALID": _INVALID_FILE,
        "FILE_PARTS_INVALID": Answer(
            500, "Telegram has counted other parts of the file than were sent. Please upload it again."
        ),
        "MEDIA_CAPTION_TOO_LONG": Answer(400, "The caption is too long."),
        # Editing (https://core.telegram.org/method/messages.editMessage): of what is there, and not theirs.
        "MESSAGE_AUTHOR_REQUIRED": _NOT_EDITABLE,
        "MESSAGE_EDIT_TIME_EXPIRED": _NOT_EDITABLE,
        "MESSAGE_ID_INVALID": _NOT_EDITABLE,
    }
)
"""Telegram's errors that have an answer of their own, the same wherever they come up."""


def failure_of(  # noqa: C901, PLR0911 - one case for each branch of the tree
    error: BridgeError, *, failed: str, not_found: NotFound | None = None
) -> HTTPFailure:
    """Say ``error`` in HTTP; ``failed`` is the endpoint's own text for 500 and 503, ``not_found`` its 404."""
    match error:
        case HTTPFailure():
            return error
        case PasswordNeeded():
            hint = {"password_hint": error.hint}
            return HTTPFailure(401, PASSWORD_REQUIRED, code=error.name, extra=hint)
        case SessionEnded():
            return HTTPFailure(401, NOT_AUTHENTICATED, code=error.name)
        case FloodWait():
            return HTTPFailure(429, TOO_MANY_REQUESTS, code=error.name, retry_after=error.seconds)
        case TelegramRefused() if error.name in ANSWERS:
            answer = ANSWERS[error.name]
            return HTTPFailure(
                answer.status,
                answer.text,
                code=answer.code or error.name,
                details=error.name if answer.code else None,
                retry_after=answer.retry_after,
            )
        case TelegramRefused():
            return HTTPFailure(500, failed, code=error.name, details=error.name)
        case TelegramUnavailable():
            return HTTPFailure(
                503, failed, code=UNAVAILABLE, details=error.reason, retry_after=error.retry_after
            )
        case PoolExhausted():
            return HTTPFailure(503, failed, code=EXHAUSTED, retry_after=error.retry_after)
        case FileTooLarge():
            return HTTPFailure(413, FILE_TOO_LARGE, code=FILE_TOO_LARGE_CODE, details=str(error))
        case MediaNotFound() if not_found is not None:
            return HTTPFailure(404, not_found.text, code=not_found.code)
        case _:
            return HTTPFailure(500, failed, code=INTERNAL, details=type(error).__name__)
