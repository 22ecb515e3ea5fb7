"""Each error becomes one of ours, from the original, and gives nothing away."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from typing import Any

import pytest
from telethon import errors
from telethon.errors import rpcerrorlist
from telethon.tl import functions, types

from tgbridge.errors import (
    FLOOD_WAITS,
    SESSION_ENDED,
    FloodWait,
    PasswordNeeded,
    SessionEnded,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.telegram.mtproto.failures import (
    ConnectionFailed,
    PeerSilent,
    ProtocolViolated,
    TransportRefused,
)
from tgbridge.telegram.rpc.errors import failure, is_internal, name_and_value, translated

REQUEST = functions.auth.SignInRequest("15551234567", "the-hash", "54321")
SECRETS = ("15551234567", "the-hash", "54321")

ALL_CLASSES: list[Any] = sorted(
    {
        cls
        for _, cls in inspect.getmembers(rpcerrorlist, inspect.isclass)
        if issubclass(cls, errors.RPCError) and cls.__module__ == rpcerrorlist.__name__
    },
    key=lambda cls: cls.__name__,
)
NUMBERED: set[Any] = {cls for _, cls in rpcerrorlist.rpc_errors_re}


def rpc_error(code: int, message: str) -> errors.RPCError:
    return errors.rpc_message_to_error(types.RpcError(code, message), REQUEST)


@pytest.mark.parametrize("cls", ALL_CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_of_telethon_is_mapped(cls: Any) -> None:
    """No class of rpcerrorlist is left without its name and kind, and one that carries a number keeps it."""
    error = cls(REQUEST, capture=7) if cls in NUMBERED else cls(REQUEST)
    name, value = name_and_value(error)
    ours = failure(error)
    assert name.isupper()
    assert not name.endswith("_7")
    if cls in NUMBERED:
        assert value == 7
    if name in FLOOD_WAITS:
        assert isinstance(ours, FloodWait)
        assert (ours.seconds, ours.name) == (7, name)
    elif name in SESSION_ENDED:
        assert isinstance(ours, SessionEnded)
    elif name == "SESSION_PASSWORD_NEEDED":
        assert isinstance(ours, PasswordNeeded)
    elif is_internal(error):
        assert isinstance(ours, TelegramUnavailable)
    else:
        assert type(ours) is TelegramRefused
        assert (ours.name, ours.value) == (name, value)


def test_the_names_of_the_contract_are_telethons() -> None:
    """The kinds that the contract tells apart are all reached from names that Telethon knows."""
    made = (cls(None, capture=1) if cls in NUMBERED else cls(None) for cls in ALL_CLASSES)
    known = {name_and_value(error)[0] for error in made}
    assert known >= FLOOD_WAITS
    assert known >= SESSION_ENDED - {"AUTH_KEY_NOT_FOUND"}


@pytest.mark.parametrize(
    ("code", "message", "name", "value"),
    [
        (303, "FILE_MIGRATE_3", "FILE_MIGRATE", 3),
        (400, "FILE_PART_0_MISSING", "FILE_PART_MISSING", 0),
        (400, "FILE_PART_12_MISSING", "FILE_PART_MISSING", 12),
        (400, "PHONE_NUMBER_INVALID", "PHONE_NUMBER_INVALID", None),
        (400, "MD5_CHECKSUM_INVALID", "MD5_CHECKSUM_INVALID", None),
        (420, "2FA_CONFIRM_WAIT_60", "2FA_CONFIRM_WAIT", 60),
        (406, "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_5MIN", "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_MIN", 5),
        (400, "SOMETHING_NEW_42", "SOMETHING_NEW", 42),
        (400, "SOMETHING_NEW", "SOMETHING_NEW", None),
        (500, "RANDOM_ID_DUPLICATE", "RANDOM_ID_DUPLICATE", None),
        (500, "AUTH_RESTART", "AUTH_RESTART", None),
    ],
)
def test_a_refusal_keeps_telegrams_name_and_number(
    code: int, message: str, name: str, value: int | None
) -> None:
    """The number leaves the name and becomes the value, for names that Telethon knows and for others."""
    ours = failure(rpc_error(code, message))
    assert type(ours) is TelegramRefused
    assert (ours.name, ours.value) == (name, value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (500, "INTERNAL_SERVER_ERROR"),
        (-500, "No workers running"),
        (-503, "Timeout"),
        (500, "RPC_CALL_FAIL"),
        (400, "RPC_MCGET_FAIL"),
        (500, "INTERDC_2_CALL_ERROR"),
        (500, "INTERDC_2_CALL_RICH_ERROR"),
    ],
)
def test_telegrams_own_troubles_are_unavailability(code: int, message: str) -> None:
    """Internal errors are no refusals: the same request may succeed the next moment."""
    error = rpc_error(code, message)
    assert is_internal(error)
    assert isinstance(failure(error), TelegramUnavailable)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("FLOOD_WAIT_30", 30),
        ("FLOOD_WAIT_0", 1),
        ("FLOOD_PREMIUM_WAIT_4", 4),
        ("SLOWMODE_WAIT_9", 9),
        ("FLOOD_TEST_PHONE_WAIT_2", 2),
    ],
)
def test_all_waits_are_flood_waits(message: str, seconds: int) -> None:
    """Each kind of wait tells its seconds, and never less than one."""
    ours = failure(rpc_error(420, message))
    assert isinstance(ours, FloodWait)
    assert ours.seconds == seconds
    assert ours.name == message.rpartition("_")[0]


@pytest.mark.parametrize(
    "message", ["the number 15551234567 is wrong", "PHONE_15551234567_BAD", "X" * 200 + " "]
)
def test_a_text_that_is_no_name_is_not_repeated(message: str) -> None:
    """Nobody knows what stands in a server's prose, so that only its code survives."""
    with pytest.raises(TelegramRefused) as caught, translated():
        raise rpc_error(400, message)
    assert caught.value.name == "BAD_REQUEST"
    assert message not in "".join(traceback.format_exception(caught.value))
    assert "15551234567" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TransportRefused(-404), "failed: transport error -404"),
        (TransportRefused(-429), "no more connections"),
        (PeerSilent("nothing came"), "in time"),
        (ProtocolViolated("a message of another session"), "could not be understood"),
        (ConnectionFailed("ConnectionResetError"), "the connection to Telegram failed"),
        (TimeoutError(), "in time"),
        (ConnectionResetError(104, "reset"), "the connection to Telegram failed"),
        (OSError(113, "no route to 149.154.167.51"), "the connection to Telegram failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_happens_on_the_way_is_translated(error: Exception, text: str) -> None:
    """Transport, protocol and operating system: unavailability, from the original, and what it was."""
    with pytest.raises(TelegramUnavailable, match=text) as caught, translated():
        raise error
    assert caught.value.__cause__ is error
    assert "149.154" not in str(caught.value)


def test_the_request_is_not_kept() -> None:
    """An error of Telethon's carries the whole request; once translated it does not."""
    error: Any = rpc_error(400, "PHONE_CODE_INVALID")
    with pytest.raises(TelegramRefused) as caught, translated():
        raise error
    cause: Any = caught.value.__cause__
    assert cause is error
    assert cause.request is None
    assert not any(secret in repr(vars(error)) + str(error) for secret in SECRETS)


def test_several_errors_are_the_first() -> None:
    """A failed batch of requests is its first error."""
    several = errors.MultiError([None, rpc_error(400, "PHONE_CODE_INVALID")], [1, None], [REQUEST, REQUEST])
    ours = failure(several)
    assert isinstance(ours, TelegramRefused)
    assert ours.name == "PHONE_CODE_INVALID"


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), KeyError("a bug"), asyncio.CancelledError()], ids=repr
)
def test_bugs_and_cancellation_pass(error: BaseException) -> None:
    """What is no failure of Telegram's stays what it is."""
    with pytest.raises(type(error)) as caught, translated():
        raise error
    assert caught.value is error


def test_our_own_failures_pass() -> None:
    """Nested translation changes nothing."""
    ours = FloodWait(3)
    with pytest.raises(FloodWait) as caught, translated(), translated():
        raise ours
    assert caught.value is ours
