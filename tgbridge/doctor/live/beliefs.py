"""Which lines of docs/telegram.md are checked by what, and why others cannot be.

Each line has a name, ``[caption-utf16]``. A check says which line it is about; a test holds that each line
has a check, or a reason here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tgbridge.doctor.live.account import Live

Answer = Literal["holds", "differs", "unseen"]
"""What came of a look: as believed, another thing, or no occasion to see it this time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What Telegram did. ``data`` are numbers and names, never anything of the account's own."""

    answer: Answer
    text: str
    data: dict[str, Any] = field(default_factory=dict)


def holds(text: str, **data: Any) -> Seen:
    """It is as believed."""
    return Seen("holds", text, data)


def differs(text: str, **data: Any) -> Seen:
    """It is not."""
    return Seen("differs", text, data)


def unseen(text: str, **data: Any) -> Seen:
    """There was no occasion."""
    return Seen("unseen", text, data)


def expect(condition: object, text: str, otherwise: str, **data: Any) -> Seen:
    """Say ``text`` where the condition is met, else ``otherwise``."""
    return holds(text, **data) if condition else differs(otherwise, **data)


Look: TypeAlias = "Callable[[Live], Awaitable[Seen]]"
_looks: dict[str, Look] = {}


def belief(name: str) -> Callable[[Look], Look]:
    """Declare a coroutine function to be the check of the line ``[name]``."""

    def declare(look: Look) -> Look:
        assert name not in _looks  # noqa: S101 - two checks of one line would hide one
        _looks[name] = look
        return look

    return declare


def looks() -> Mapping[str, Look]:
    """Return all checks, in the order in which their modules were imported."""
    return MappingProxyType(_looks)


_OTHERS: Final = "Nobody but Telegram decides when that happens, and no message of ours brings it about."
_COSTS: Final = "It would cost the number codes or passwords, of which Telegram counts the wrong ones."
_NO_BELIEF: Final = "Nothing is believed: the service does without knowing."
_TDLIB: Final = "It is about TDLib's source, and not about what Telegram answers."
_TROUBLE: Final = "It needs a server in trouble."
_FLOOD: Final = "It would take a flood, which is the account's to suffer from for hours."
_LONG: Final = "It would take hours."

UNCHECKED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "file-cached-size": _OTHERS,
        "file-sticker-thumbnails": "Stickers are not to be sent by accounts that have none.",
        "holds-bought": "It needs media that were bought.",
        "holds-cover": "It needs a video with a cover, of a channel.",
        "holds-edit-hide": _OTHERS,
        "holds-expired": _LONG,
        "holds-live-photo": _OTHERS,
        "holds-polls": _OTHERS,
        "holds-qualities": _OTHERS,
        "holds-story": "It needs a story of somebody else's.",
        "holds-ten": "It needs media that are paid for.",
        "holds-topics": "It needs a message that was forwarded from another chat.",
        "holds-waveform": "It needs a voice message that Telegram takes for one.",
        "message-answer-time": "One session cannot see which of two things was true first.",
        "message-id-invalid": "Which ids bring it about is not known.",
        "message-id-once": "It would take the account's lifetime.",
        "reference-lasts": _LONG,
        "list-no-filter": "Stickers, polls and stories are not made here.",
        "update-ended": "It needs another device.",
        "update-gaps": "It is about what this service does.",
        "update-own": "That nothing comes is no proof in so short a time.",
        "update-seq": _OTHERS,
        "update-short": _OTHERS,
        "update-subscription": "It needs another device.",
        "send-slow-media": "It would take a file of 2 GB.",
        "send-made-anew": "It would take waiting until a reference expires.",
        "login-code-beside-password": _NO_BELIEF,
        "login-srp": _COSTS,
        "login-codes-cost": _COSTS,
        "login-auth-restart": _TROUBLE,
        "login-token-lost": _NO_BELIEF,
        "login-email": "It needs an account whose codes go by e-mail.",
        "login-calls": "It needs a number that is called.",
        "login-words": "It needs a number that is sent words or phrases.",
        "login-paid": "It needs a number of a country where codes are paid for.",
        "login-password-flood": _COSTS,
        "connection-429": _FLOOD,
        "key-resend": _TROUBLE,
        "key-new-session": "It needs a server that forgets.",
        "connection-no-updates": "That nothing comes is no proof in so short a time.",
        "connection-init": "What a server knows of a session is not to be taken back.",
        "connection-ping": "It would take a minute of silence; each idle client of a service shows it.",
        "connection-drop-answer": "What is not sent cannot be seen.",
        "login-export-flood": _FLOOD,
        "connection-addresses": "It would take months.",
        "connection-idle": _LONG,
        "end-for-good": "That it is never taken back cannot be shown, and a session is not ended twice.",
        "flood-scope": _FLOOD,
        "flood-bucket": _FLOOD,
        "tdlib-bytes": _TDLIB,
        "tdlib-connections": _TDLIB,
        "tdlib-bursts": _TDLIB,
        "internal-errors": _TROUBLE,
        "part-short": _TROUBLE,
        "part-cdn": "Only what many people read is at a CDN.",
    }
)
"""Lines that no run can check, each with the reason."""
