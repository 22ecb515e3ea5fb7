"""Telethon's, the operating system's and asyncio's errors, as the tree of tgbridge/errors.py.

Telethon throws the name away that Telegram sent when it knows it, and keeps a class instead; unknown names
stay as text. Both become Telegram's own name here, without the number that some carry.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from telethon import errors
from telethon.errors import rpcerrorlist

from tgbridge.errors import (
    FLOOD_WAITS,
    SESSION_ENDED,
    FloodWait,
    InternalError,
    PasswordNeeded,
    SessionEnded,
    TelegramFailure,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.telegram.mtproto.failures import (
    TRANSPORT_FLOOD,
    ConnectionFailed,
    PeerSilent,
    ProtocolViolated,
    TransportRefused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A number stands at the end or between underscores: FLOOD_WAIT_5, FILE_PART_3_MISSING. No longer than a
# count of seconds, so that a telephone number is never taken for one.
_NUMBER: Final = re.compile(r"_(\d{1,9})(?=_|$)")
_NAME: Final = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+|[A-Z]{3,}")
_MANY_DIGITS: Final = re.compile(r"\d{5}")

# A sentence in place of a name (https://core.telegram.org/method/auth.sendCode).
_TOO_MANY_PASSWORDS: Final = "TOO MANY INVALID ATTEMPTS TO ENTER YOUR PASSWORD"

# They come with code 500, and say something of the request all the same: asking again changes nothing.
_REFUSALS_AMONG_500: Final = frozenset(
    {
        "AUTH_RESTART",
        "MEMBER_NO_LOCATION",
        "NEED_CHAT_INVALID",
        "NEED_MEMBER_INVALID",
        "PTS_CHANGE_EMPTY",
        "RANDOM_ID_DUPLICATE",
        "STORE_INVALID_SCALAR_TYPE",
        "UNKNOWN_METHOD",
    }
)

# Some servers send these with code 400.
_INTERNAL: Final = frozenset(
    {
        "INTERDC_CALL_ERROR",
        "INTERDC_CALL_RICH_ERROR",
        "RPC_CALL_FAIL",
        "RPC_MCGET_FAIL",
        "SMS_CODE_CREATE_FAILED",
        "TIMEDOUT",
        "TIMEOUT",
    }
)
_INTERNAL_CODES: Final = frozenset({500, 503})  # and -500 (No workers running), -503 (Timeout)


def _without_number(name: str) -> tuple[str, int | None]:
    found = _NUMBER.search(name)
    return (name, None) if found is None else (name[: found.start()] + name[found.end() :], int(found[1]))


def _known_names() -> Mapping[type[Exception], tuple[str, int | None]]:
    names = {cls: _without_number(name.upper()) for name, cls in rpcerrorlist.rpc_errors_dict.items()}
    for pattern, cls in rpcerrorlist.rpc_errors_re:
        names[cls] = (re.sub(r"_\(\\d\+\)(?=_|$)|\(\\d\+\)", "", pattern), None)
    return MappingProxyType(names)


_KNOWN: Final = _known_names()


def name_and_value(error: errors.RPCError) -> tuple[str, int | None]:
    """Telegram's own name of ``error`` without its number, and that number: ("FILE_MIGRATE", 3).

    A text that is no name ("No workers running") becomes the name of its code: INTERNAL, BAD_REQUEST and so
    on, since nobody knows what may stand in it.
    """
    known = _KNOWN.get(type(error))
    if known is not None:
        name, value = known
        numbers = (v for k, v in vars(error).items() if k not in {"request", "code"} and isinstance(v, int))
        return name, next(numbers, value)
    name, value = _without_number(str(error.message).upper())
    if _NAME.fullmatch(name) and not _MANY_DIGITS.search(name):
        return name, value
    if _TOO_MANY_PASSWORDS in name:
        return "PHONE_PASSWORD_FLOOD", None
    base = errors.base_errors.get(abs(error.code or 0))
    return ("RPC_ERROR" if base is None else base.message.upper()), None


def is_internal(error: errors.RPCError) -> bool:
    """Whether Telegram failed on its own side, so that the same request may well succeed the next moment."""
    name, _ = name_and_value(error)
    return name not in _REFUSALS_AMONG_500 and (name in _INTERNAL or abs(error.code or 0) in _INTERNAL_CODES)


def _refusal(error: errors.RPCError) -> TelegramFailure:
    name, value = name_and_value(error)
    # Tracebacks with local variables must not find the phone number or code in it.
    error.request = None
    if type(error) not in _KNOWN:
        error.args = (f"{error.code}: {name}",)
    if name in FLOOD_WAITS:
        # FLOOD_WAIT_0 has been seen; asking again at once would only earn the next.
        return FloodWait(max(value or 0, 1), name)
    if name in SESSION_ENDED:
        return SessionEnded(name)
    if name == "SESSION_PASSWORD_NEEDED":
        return PasswordNeeded()
    if is_internal(error):
        return InternalError(name)
    return TelegramRefused(name, value)


def _lost(error: ConnectionFailed | OSError) -> TelegramUnavailable:
    match error:
        case TransportRefused(code=code) if code == TRANSPORT_FLOOD:
            return TelegramUnavailable("Telegram takes no more connections from here for now", retry_after=30)
        case PeerSilent() | TimeoutError():
            return TelegramUnavailable("Telegram did not answer in time")
        case ProtocolViolated():
            return TelegramUnavailable("Telegram's answer could not be understood")
        case ConnectionFailed():
            return TelegramUnavailable(f"the connection to Telegram failed: {error}")
    return TelegramUnavailable("the connection to Telegram failed")


def failure(error: BaseException) -> TelegramFailure | None:
    """The failure that ``error`` means, or None if it is no failure of Telegram's or of the way there.

    ``error`` loses what may be secret in it (the request), so that it can be chained and logged.
    """
    match error:
        case TelegramFailure():
            return error
        case errors.RPCError():
            return _refusal(error)
        case errors.MultiError():
            return next((failure(one) for one in error.exceptions if one is not None), None)
        case ConnectionFailed() | OSError():
            return _lost(error)
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Raise what goes wrong inside as a ``TelegramFailure``, from the original. Bugs pass as they are."""
    try:
        yield
    except TelegramFailure:
        raise
    except Exception as error:
        ours = failure(error)
        if ours is None:
            raise
        raise ours from error
