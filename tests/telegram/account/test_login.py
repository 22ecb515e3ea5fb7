"""Signing in by code and password, and out again."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
from telethon import password
from telethon.tl import types

from tgbridge.errors import FloodWait, PasswordNeeded, SessionEnded, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.account import login, sent_codes
from tgbridge.telegram.datacentres import main_connection as sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.telegram.conftest import SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

PHONE = "+9996610001"
CODE = "11111"
WITH_PASSWORD = "+9996612345"
PASSWORD = "tgbridge"


@pytest.fixture
async def client(pool: ClientPool) -> AsyncIterator[BridgeClient]:
    """A client that nobody is signed in with."""
    async with pool.anonymous() as client:
        yield client


async def send(client: BridgeClient, phone: str = PHONE) -> str:
    return (await login.send_code(client, phone)).phone_code_hash


@pytest.mark.parametrize("phone", ["+9996610001", "9996610001"])
async def test_a_code_signs_in(client: BridgeClient, phone: str) -> None:
    """The right code gives the user, and the session is the user's from then on."""
    sent = await login.send_code(client, phone)
    user = await login.sign_in(client, phone, sent.phone_code_hash, CODE)
    assert (user.phone, user.first_name, user.is_premium) == ("9996610001", "Sandbox", False)
    assert await login.get_me(client) == user


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("0001", "sms"),
        ("9005", "email"),
        ("9006", "call"),
        ("9007", "fragment"),
        ("9010", "sms"),
        ("9011", "flash_call"),
        ("9012", "missed_call"),
        ("9014", "sms_word"),
        ("9015", "sms_phrase"),
        ("9016", "sms"),
    ],
)
async def test_how_the_code_travels(client: BridgeClient, suffix: str, kind: str) -> None:
    """Each kind of delivery has its name in the contract."""
    sent = await login.send_code(client, f"+999661{suffix}")
    assert sent.type == kind


async def test_a_signed_in_user_gets_the_code_in_the_app(
    client: BridgeClient, pool: ClientPool, sign_in: SignIn
) -> None:
    """Who is signed in elsewhere finds the code there."""
    await sign_in(pool, PHONE)
    assert (await login.send_code(client, PHONE)).type == "app"


def test_every_kind_of_code_has_a_name() -> None:
    """No way of delivery that Telethon knows is left out."""
    known = {name for name in dir(types.auth) if name.startswith(("SentCodeType", "CodeType"))}
    assert known - {"SentCodeTypeSetUpEmailRequired"} == {kind.__name__ for kind in sent_codes._CODE_TYPES}


async def test_a_code_by_email_signs_in(client: BridgeClient) -> None:
    """Telegram wants such a code in another field."""
    sent = await login.send_code(client, "+9996619005")
    user = await login.sign_in(client, "+9996619005", sent.phone_code_hash, CODE, by_email=True)
    assert user.phone == "9996619005"


async def test_a_code_may_be_sent_again(client: BridgeClient) -> None:
    """By the next way, until there is none; the code is the same."""
    sent = await login.send_code(client, "+9996619010")
    again = await login.resend_code(client, "+9996619010", sent.phone_code_hash)
    assert again.type == sent.next_type == "call"
    while again.next_type is not None:
        again = await login.resend_code(client, "+9996619010", again.phone_code_hash)
    with pytest.raises(TelegramRefused, match="SEND_CODE_UNAVAILABLE"):
        await login.resend_code(client, "+9996619010", again.phone_code_hash)
    assert await login.sign_in(client, "+9996619010", again.phone_code_hash, CODE)


async def test_a_cancelled_code_is_void(client: BridgeClient) -> None:
    """After cancel_code, the right code has expired."""
    phone_code_hash = await send(client)
    await login.cancel_code(client, PHONE, phone_code_hash)
    with pytest.raises(TelegramRefused, match="PHONE_CODE_EXPIRED"):
        await login.sign_in(client, PHONE, phone_code_hash, CODE)


async def test_a_wrong_code_may_be_corrected(client: BridgeClient) -> None:
    """It is refused, and the right one still signs in."""
    phone_code_hash = await send(client)
    with pytest.raises(TelegramRefused, match="PHONE_CODE_INVALID"):
        await login.sign_in(client, PHONE, phone_code_hash, "00000")
    assert await login.sign_in(client, PHONE, phone_code_hash, CODE)


@pytest.mark.parametrize(
    ("phone", "name"),
    [
        ("+15551234567", "PHONE_NUMBER_INVALID"),
        ("+9996619001", "PHONE_NUMBER_BANNED"),
        ("+9996619002", "PHONE_NUMBER_FLOOD"),
        ("+9996619004", "PHONE_PASSWORD_FLOOD"),
        ("+9996619013", "EMAIL_SETUP_REQUIRED"),
        ("+9996619017", "CODE_PAYMENT_REQUIRED"),
    ],
)
async def test_numbers_that_get_no_code(client: BridgeClient, phone: str, name: str) -> None:
    """Telegram's own names reach the caller; an answer that no code was sent is no success."""
    with pytest.raises(TelegramRefused) as caught:
        await login.send_code(client, phone)
    assert caught.value.name == name


async def test_a_number_without_account(client: BridgeClient) -> None:
    """Signing up is for Telegram's own apps."""
    phone_code_hash = await send(client, "+9996619003")
    with pytest.raises(TelegramRefused, match="PHONE_NUMBER_UNOCCUPIED"):
        await login.sign_in(client, "+9996619003", phone_code_hash, CODE)


async def test_a_deactivated_account(client: BridgeClient) -> None:
    """A deleted account is an ended session."""
    phone_code_hash = await send(client, "+9996619008")
    with pytest.raises(SessionEnded, match="USER_DEACTIVATED"):
        await login.sign_in(client, "+9996619008", phone_code_hash, CODE)


async def test_a_restarted_login_begins_again(client: BridgeClient, sandbox: Sandbox) -> None:
    """AUTH_RESTART is no answer for a person; after some, Telegram is unavailable."""
    sandbox.faults.error("auth.sendCode", 500, "AUTH_RESTART", times=2)
    assert await send(client)
    sandbox.faults.error("auth.sendCode", 500, "AUTH_RESTART", times=None)
    with pytest.raises(TelegramUnavailable):
        await send(client)


async def test_a_login_that_is_to_begin_again(client: BridgeClient, sandbox: Sandbox) -> None:
    """AUTH_RESTART to a code says that another one is needed."""
    phone_code_hash = await send(client)
    sandbox.faults.error("auth.signIn", 500, "AUTH_RESTART")
    with pytest.raises(TelegramRefused, match="PHONE_CODE_EXPIRED"):
        await login.sign_in(client, PHONE, phone_code_hash, CODE)


async def test_a_flood_wait_is_told_at_once(client: BridgeClient, sandbox: Sandbox) -> None:
    """Logins do not wait, however short it is."""
    sandbox.faults.flood_wait("auth.sendCode", seconds=1)
    with pytest.raises(FloodWait) as caught:
        await send(client)
    assert caught.value.seconds == 1


# Two-step verification


async def test_a_password_is_asked_for_with_its_hint(client: BridgeClient) -> None:
    """The code alone does not sign in; the hint is the user's own."""
    phone_code_hash = await send(client, WITH_PASSWORD)
    with pytest.raises(PasswordNeeded) as caught:
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    assert caught.value.hint == "name of this project"
    with pytest.raises(SessionEnded):
        await login.get_me(client)
    user = await login.check_password(client, PASSWORD)
    assert user.phone == WITH_PASSWORD.removeprefix("+")
    assert await login.get_me(client) == user


async def test_a_wrong_password_may_be_corrected(client: BridgeClient) -> None:
    """It is refused by Telegram's name, and the login still waits."""
    phone_code_hash = await send(client, WITH_PASSWORD)
    with pytest.raises(PasswordNeeded):
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    with pytest.raises(TelegramRefused, match="PASSWORD_HASH_INVALID"):
        await login.check_password(client, "wrong")
    assert await login.check_password(client, PASSWORD)


@pytest.mark.parametrize("name", ["SRP_ID_INVALID", "SRP_PASSWORD_CHANGED"])
async def test_a_stale_proof_is_made_anew(client: BridgeClient, sandbox: Sandbox, name: str) -> None:
    """The parameters were used up, or the password changed, so new ones are asked for; a few times."""
    phone_code_hash = await send(client, WITH_PASSWORD)
    with pytest.raises(PasswordNeeded):
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    always = sandbox.faults.error("auth.checkPassword", 400, name, times=None)
    with pytest.raises(FloodWait) as caught:
        await login.check_password(client, PASSWORD)
    assert (caught.value.name, caught.value.seconds, always.applied) == ("FLOOD_WAIT", 5, 3)
    sandbox.faults.remove(always)
    sandbox.faults.error("auth.checkPassword", 400, name)
    assert await login.check_password(client, PASSWORD)


async def test_the_proof_does_not_hold_up_others(
    client: BridgeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenths of a second that it takes are another thread's."""
    phone_code_hash = await send(client, WITH_PASSWORD)
    with pytest.raises(PasswordNeeded):
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    threads = []

    def compute_check(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return password.compute_check(*arguments)

    monkeypatch.setattr(login, "compute_check", compute_check)
    await login.check_password(client, PASSWORD)
    assert len(threads) == 1
    assert threads != [threading.get_ident()]


# Signing out


async def test_signing_out_ends_the_session(pool: ClientPool, session: str, sandbox: Sandbox) -> None:
    """At Telegram, for this key and all copies of the session."""
    async with pool.borrow(session) as client:
        await login.log_out(client)
        with pytest.raises(SessionEnded):
            await login.get_me(client)
        await login.log_out(client)
    assert sandbox.counters.of("auth.logOut") == 2


async def test_signing_out_without_an_answer(
    pool: ClientPool, session: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram sometimes acknowledges auth.logOut and never answers it; that will do."""
    monkeypatch.setattr(sender, "_LOGOUT_GRACE_SECONDS", 0.0)
    held = sandbox.faults.hold("auth.logOut")
    async with pool.borrow(session) as client:
        await login.log_out(client)
        assert held.held == 1


async def test_signing_out_of_a_forgotten_key(pool: ClientPool, session: str, sandbox: Sandbox) -> None:
    """A session that Telegram has ended is signed out."""
    sandbox.faults.revoke(error=None)
    async with pool.borrow(session) as client:
        await login.log_out(client)


async def test_nobody_is_signed_in(client: BridgeClient) -> None:
    """A new key belongs to nobody."""
    with pytest.raises(SessionEnded, match="AUTH_KEY_UNREGISTERED"):
        await login.get_me(client)


async def test_nothing_secret_is_logged(
    pool: ClientPool, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """A login with faults on the way leaves no number, code, password or hash in a log, at any level."""
    caplog.set_level(logging.DEBUG)
    sandbox.faults.internal_error("auth.*", times=2)
    sandbox.faults.drop("auth.signIn", skip=1)
    async with pool.anonymous() as client:
        phone_code_hash = await send(client, WITH_PASSWORD)
        with pytest.raises(TelegramRefused):
            await login.sign_in(client, WITH_PASSWORD, phone_code_hash, "00000")
        with pytest.raises(PasswordNeeded) as caught:
            await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
        await login.check_password(client, PASSWORD)
        shown = caplog.text + repr(caught.value) + repr(await login.get_me(client))
        for secret in (WITH_PASSWORD.removeprefix("+"), phone_code_hash, client.session_string(), "00000"):
            assert secret not in shown
