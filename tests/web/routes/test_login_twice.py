"""Steps of a login that come twice: at once, because the first answer was lost, or after it has come.

Each is answered as the first one, done once at Telegram, and leaves one authorization.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from tests.devices import signed_in_as
from tests.web.routes.rows import (
    CODE_FIRST,
    INVALID_CODE,
    INVALID_PASSWORD,
    PASSWORD_NEEDED,
    PHONE,
    SIGN_IN_FAILED,
    TOO_MANY,
    WITH_PASSWORD,
    is_authenticated,
    post,
)
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import Scanned, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

    CopyOf = Callable[[ClientSession], ClientSession]

OTHER_PHONE, SMS_THEN_CALL = "+9996620001", "+9996610001"
FORM = {"phone": PHONE, "code": "11111"}
PASSWORD_FORM = {"phone": WITH_PASSWORD, "code": "11111"}
PASSWORD = {"password": "tgbridge"}


@pytest.fixture
def copy_of(service: Service, new_browser: NewBrowser) -> CopyOf:
    """A browser with the cookie that another one has now, which stays as it is while the other goes on."""

    def copy_of(browser: ClientSession) -> ClientSession:
        copy = new_browser()
        cookies = {cookie.key: cookie.value for cookie in browser.cookie_jar}
        copy.cookie_jar.update_cookies(cookies, URL(service.url))
        return copy

    return copy_of


async def me(browser: ClientSession) -> str | None:
    async with browser.get("/me") as response:
        phone: str | None = (await response.json()).get("phone")
        return phone


async def twice_at_once(browser: ClientSession, path: str, form: Any) -> tuple[int, Any]:
    """The answer to two equal requests, which is one."""
    one, two = await asyncio.gather(post(browser, path, form), post(browser, path, form))
    assert one == two
    return one


async def each_time(browser: ClientSession, copy: ClientSession, path: str, form: Any) -> tuple[int, Any]:
    """The answer to a request, to it with the cookie of before, and to it with the cookie of after."""
    first = await post(browser, path, form)
    assert await post(copy, path, form) == first
    assert await post(browser, path, form) == first
    return first


# /send-code


async def test_send_code_at_once(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A browser that has a cookie is sent one code, whose login goes on whichever answer it keeps."""
    phone = {"phone": OTHER_PHONE}
    assert (await twice_at_once(signed_in, "/send-code", phone))[0] == 200
    assert sandbox.counters.of("auth.sendCode", 2) == 1
    assert (await post(signed_in, "/sign-in", phone | {"code": "22222"}))[0] == 200


async def test_send_code_whose_answer_was_lost(
    signed_in: ClientSession, copy_of: CopyOf, sandbox: Sandbox
) -> None:
    """The code that is under way is the one that the second answer is about; later another can be had."""
    copy = copy_of(signed_in)
    first = await post(signed_in, "/send-code", {"phone": OTHER_PHONE})
    assert await post(copy, "/send-code", {"phone": OTHER_PHONE}) == first
    assert sandbox.counters.of("auth.sendCode", 2) == 1
    assert (await post(copy, "/sign-in", {"phone": OTHER_PHONE, "code": "22222"}))[0] == 200
    assert await post(signed_in, "/send-code", {"phone": OTHER_PHONE}) != first  # in the app by now
    assert sandbox.counters.of("auth.sendCode", 2) == 2


async def test_send_code_without_a_cookie(browser: ClientSession, copy_of: CopyOf, sandbox: Sandbox) -> None:
    """Such a browser is told from others only as far as another request of its is answered at the time."""
    copy = copy_of(browser)
    assert (await twice_at_once(browser, "/send-code", {"phone": PHONE}))[0] == 200
    assert sandbox.counters.of("auth.sendCode") == 1
    await post(copy, "/send-code", {"phone": PHONE})
    assert sandbox.counters.of("auth.sendCode") == 2
    assert (await post(browser, "/sign-in", FORM))[0] == 200
    assert (await post(copy, "/sign-in", FORM))[0] == 200
    assert signed_in_as(sandbox, PHONE) == ["tgbridge", "tgbridge"]


async def test_send_code_that_failed(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A failure is no answer to keep."""
    sandbox.faults.flood_wait("auth.sendCode", seconds=3)
    assert (await post(signed_in, "/send-code", {"phone": PHONE}))[0] == 429
    assert (await post(signed_in, "/send-code", {"phone": PHONE}))[0] == 200


# /resend-code


async def test_resend_code_at_once(browser: ClientSession, sandbox: Sandbox) -> None:
    """The code goes by the next way, and not by the one after it."""
    await post(browser, "/send-code", {"phone": SMS_THEN_CALL})
    status, body = await twice_at_once(browser, "/resend-code", {"phone": SMS_THEN_CALL})
    assert (status, body["type"]) == (200, "call")
    assert sandbox.counters.of("auth.resendCode") == 1


async def test_resend_code_whose_answer_was_lost(
    browser: ClientSession, copy_of: CopyOf, sandbox: Sandbox
) -> None:
    """The second answer is the first one; whoever has had it may ask for the way after."""
    await post(browser, "/send-code", {"phone": SMS_THEN_CALL})
    copy = copy_of(browser)
    first = await post(browser, "/resend-code")
    assert await post(copy, "/resend-code") == first
    assert first[1]["type"] == "call"
    assert sandbox.counters.of("auth.resendCode") == 1
    assert (await post(browser, "/resend-code"))[1]["code"] == "SEND_CODE_UNAVAILABLE"


# /sign-in


async def test_sign_in_at_once(browser: ClientSession, sandbox: Sandbox) -> None:
    """Both are signed in, by one auth.signIn."""
    await post(browser, "/send-code", {"phone": PHONE})
    assert (await twice_at_once(browser, "/sign-in", FORM))[0] == 200
    assert sandbox.counters.of("auth.signIn") == 1
    assert (await me(browser), signed_in_as(sandbox, PHONE)) == (PHONE[1:], ["tgbridge"])


async def test_sign_in_again(browser: ClientSession, copy_of: CopyOf, sandbox: Sandbox) -> None:
    """A code that has signed in does so again, with the cookie of before or of after."""
    await post(browser, "/send-code", {"phone": PHONE})
    copy = copy_of(browser)
    assert (await each_time(browser, copy, "/sign-in", FORM))[0] == 200
    assert (await me(browser), await me(copy)) == (PHONE[1:], PHONE[1:])
    assert signed_in_as(sandbox, PHONE) == ["tgbridge"]


async def test_another_code_afterwards(browser: ClientSession, copy_of: CopyOf) -> None:
    """Who has the cookie of before and not the code is nobody."""
    await post(browser, "/send-code", {"phone": PHONE})
    copy = copy_of(browser)
    await post(browser, "/sign-in", FORM)
    assert (await post(copy, "/sign-in", FORM | {"code": "11112"}))[0] == 400
    assert await is_authenticated(copy) is False
    assert await post(browser, "/sign-in", FORM | {"code": "11112"}) == (400, CODE_FIRST)
    assert await post(browser, "/sign-in", FORM | {"phone": OTHER_PHONE}) == (400, CODE_FIRST)


async def test_sign_in_after_the_logout(browser: ClientSession, copy_of: CopyOf) -> None:
    """A login that has ended since is not there again."""
    await post(browser, "/send-code", {"phone": PHONE})
    copy = copy_of(browser)
    await post(browser, "/sign-in", FORM)
    await post(browser, "/logout")
    assert (await post(copy, "/sign-in", FORM))[1]["code"] == "PHONE_CODE_EXPIRED"
    assert await is_authenticated(copy) is False


async def test_code_with_a_password_behind_it(
    browser: ClientSession, copy_of: CopyOf, sandbox: Sandbox
) -> None:
    """The right code is answered by the question for the password each time, at once and later."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    copy = copy_of(browser)
    assert await twice_at_once(browser, "/sign-in", PASSWORD_FORM) == (401, PASSWORD_NEEDED)
    assert await each_time(browser, copy, "/sign-in", PASSWORD_FORM) == (401, PASSWORD_NEEDED)
    assert sandbox.counters.of("auth.signIn") == 1
    assert (await post(copy, "/sign-in-password", PASSWORD))[0] == 200


async def test_code_with_a_password_behind_it_in_another_process(
    browser: ClientSession, service: Service
) -> None:
    """A process that remembers nothing tells by the cookie that the code was right before."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    await post(browser, "/sign-in", PASSWORD_FORM)
    service.app[keys.ATTEMPTS]._memory._logins.clear()
    assert await post(browser, "/sign-in", PASSWORD_FORM) == (401, PASSWORD_NEEDED)


async def test_code_and_password_together(browser: ClientSession, copy_of: CopyOf, sandbox: Sandbox) -> None:
    """A form with both is as good, twice at once and later."""
    form = PASSWORD_FORM | PASSWORD
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    copy = copy_of(browser)
    assert (await twice_at_once(browser, "/sign-in", form))[0] == 200
    assert (await each_time(browser, copy, "/sign-in", form))[0] == 200
    assert signed_in_as(sandbox, WITH_PASSWORD) == ["tgbridge"]


async def test_code_without_the_password_afterwards(browser: ClientSession, copy_of: CopyOf) -> None:
    """Who has the cookie of before and the code is still asked for the password."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    copy = copy_of(browser)
    await post(browser, "/sign-in", PASSWORD_FORM | PASSWORD)
    assert await post(copy, "/sign-in", PASSWORD_FORM) == (401, PASSWORD_NEEDED)
    assert await is_authenticated(copy) is False
    assert await post(copy, "/sign-in-password", {"password": "wrong"}) == (400, INVALID_PASSWORD)
    assert await is_authenticated(copy) is False


# /sign-in-password


async def halfway(browser: ClientSession) -> None:
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    await post(browser, "/sign-in", PASSWORD_FORM)


async def test_password_at_once(browser: ClientSession, sandbox: Sandbox) -> None:
    """Both are signed in, by one proof."""
    await halfway(browser)
    assert (await twice_at_once(browser, "/sign-in-password", PASSWORD))[0] == 200
    assert sandbox.counters.of("auth.checkPassword") == 1
    assert await me(browser) == WITH_PASSWORD[1:]


async def test_password_while_the_first_is_on_its_way(
    browser: ClientSession, sandbox: Sandbox, until: Until, service: Service
) -> None:
    """The second attempt waits for the first, which would otherwise lose the parameters of its proof."""
    await halfway(browser)
    held = sandbox.faults.hold("auth.checkPassword")
    first = asyncio.create_task(post(browser, "/sign-in-password", PASSWORD))
    await held.reached(1)
    second = asyncio.create_task(post(browser, "/sign-in-password", PASSWORD))
    await until(lambda: len(service.app[keys.COMPLETION]) == 2)
    held.release()
    assert await first == await second
    assert (await first)[0] == 200
    assert sandbox.counters.of("auth.checkPassword") == 1


async def test_wrong_and_right_password_at_once(browser: ClientSession, copy_of: CopyOf) -> None:
    """Each is answered for itself, whichever comes first."""
    await halfway(browser)
    copy = copy_of(browser)
    wrong, right = await asyncio.gather(
        post(copy, "/sign-in-password", {"password": "wrong"}), post(browser, "/sign-in-password", PASSWORD)
    )
    assert (wrong, right[0]) == ((400, INVALID_PASSWORD), 200)
    assert (await is_authenticated(copy), await is_authenticated(browser)) == (False, True)


async def test_password_again(browser: ClientSession, copy_of: CopyOf, sandbox: Sandbox) -> None:
    """A password that has signed in does so again; another one does not."""
    await halfway(browser)
    copy = copy_of(browser)
    assert (await each_time(browser, copy, "/sign-in-password", PASSWORD))[0] == 200
    assert (await me(browser), await me(copy)) == (WITH_PASSWORD[1:], WITH_PASSWORD[1:])
    assert await post(browser, "/sign-in-password", {"password": "wrong"}) == (400, CODE_FIRST)
    assert sandbox.counters.of("auth.checkPassword") == 1


async def test_password_that_has_changed(browser: ClientSession, sandbox: Sandbox) -> None:
    """A proof for the password of before is no end: parameters are asked for anew, and tell the truth."""
    await halfway(browser)
    account = sandbox.state.account_of(WITH_PASSWORD)
    held = sandbox.faults.hold("auth.checkPassword")
    asking = asyncio.create_task(post(browser, "/sign-in-password", PASSWORD))
    await held.reached(1)
    sandbox.faults.change_password(account.id, "another")
    held.release()
    assert await asking == (400, INVALID_PASSWORD)
    assert (await post(browser, "/sign-in-password", {"password": "another"}))[0] == 200


@pytest.mark.parametrize("name", ["SRP_ID_INVALID", "SRP_PASSWORD_CHANGED"])
async def test_proofs_that_are_never_in_time(browser: ClientSession, sandbox: Sandbox, name: str) -> None:
    """After some attempts the answer says when to try again, and the login goes on waiting."""
    await halfway(browser)
    rule = sandbox.faults.error("auth.checkPassword", 400, name, times=None)
    told = {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 5}
    assert await post(browser, "/sign-in-password", PASSWORD) == (429, told)
    sandbox.faults.remove(rule)
    assert (await post(browser, "/sign-in-password", PASSWORD))[0] == 200


# Beside another login


async def test_beside_another(signed_in: ClientSession, copy_of: CopyOf, sandbox: Sandbox) -> None:
    """Whoever was signed in before is signed out once, and nobody else."""
    await post(signed_in, "/send-code", {"phone": OTHER_PHONE})
    copy = copy_of(signed_in)
    form = {"phone": OTHER_PHONE, "code": "22222"}
    assert (await twice_at_once(signed_in, "/sign-in", form))[0] == 200
    assert (await each_time(signed_in, copy, "/sign-in", form))[0] == 200
    assert sandbox.counters.of("auth.logOut") == 1
    assert (signed_in_as(sandbox, PHONE), signed_in_as(sandbox, OTHER_PHONE)) == ([], ["tgbridge"])


# /qr-login/claim and its password


async def test_claim_at_once(signed_in: ClientSession, scanned: Scanned, sandbox: Sandbox) -> None:
    """A claim is good for both, and whoever was signed in before is signed out once."""
    _, claim = await scanned(signed_in)
    assert (await twice_at_once(signed_in, "/qr-login/claim", claim))[0] == 200
    assert sandbox.counters.of("auth.logOut") == 1
    assert await me(signed_in) == "9996610002"


async def test_scanned_password(
    browser: ClientSession, scanned: Scanned, copy_of: CopyOf, sandbox: Sandbox
) -> None:
    """The password of a login by QR code may come as often as that of another."""
    await scanned(browser, WITH_PASSWORD)
    copy, late = copy_of(browser), copy_of(browser)
    assert (await twice_at_once(browser, "/sign-in-password", PASSWORD))[0] == 200
    assert (await each_time(browser, copy, "/sign-in-password", PASSWORD))[0] == 200
    assert await post(late, "/sign-in-password", {"password": "wrong"}) == (400, CODE_FIRST)
    assert sandbox.counters.of("auth.checkPassword") == 1
    assert signed_in_as(sandbox, WITH_PASSWORD) == ["telephone", "tgbridge"]


async def test_scanned_password_after_the_logout(
    browser: ClientSession, scanned: Scanned, copy_of: CopyOf
) -> None:
    """A login that has ended since is not there again."""
    await scanned(browser, WITH_PASSWORD)
    copy = copy_of(browser)
    await post(browser, "/sign-in-password", PASSWORD)
    await post(browser, "/logout")
    assert await post(copy, "/sign-in-password", PASSWORD) == (400, CODE_FIRST)


# /cancel-code and /logout


async def test_cancel(browser: ClientSession, copy_of: CopyOf) -> None:
    """A code that is void may be cancelled again, with the cookie of before or with none."""
    await post(browser, "/send-code", {"phone": PHONE})
    copy = copy_of(browser)
    assert (await twice_at_once(browser, "/cancel-code", {"phone": PHONE}))[0] == 200
    assert (await each_time(browser, copy, "/cancel-code", {"phone": PHONE}))[0] == 200
    assert await post(browser, "/cancel-code", {"phone": OTHER_PHONE}) == (400, CODE_FIRST)


async def test_logout(signed_in: ClientSession, copy_of: CopyOf, sandbox: Sandbox) -> None:
    """Two at once are both told that they are signed out."""
    held = sandbox.faults.hold("auth.logOut")
    asking = asyncio.create_task(twice_at_once(signed_in, "/logout", None))
    await held.reached(2)
    held.release()
    assert (await asking)[0] == 200
    assert signed_in_as(sandbox, PHONE) == []


# Answers of Telegram's that were lost


@pytest.mark.parametrize("executed", [True, False])
async def test_lost_sign_in(browser: ClientSession, sandbox: Sandbox, executed: bool) -> None:
    """A connection that breaks while the code is on its way is not the person's concern."""
    await post(browser, "/send-code", {"phone": PHONE})
    sandbox.faults.drop("auth.signIn", executed=executed)
    assert (await post(browser, "/sign-in", FORM))[0] == 200
    assert signed_in_as(sandbox, PHONE) == ["tgbridge"]


async def test_lost_password(browser: ClientSession, sandbox: Sandbox) -> None:
    """Nor is one that breaks while the password is."""
    await halfway(browser)
    sandbox.faults.drop("auth.checkPassword", executed=True)
    assert (await post(browser, "/sign-in-password", PASSWORD))[0] == 200


async def test_lost_send_code(
    browser: ClientSession, service: Service, sandbox: Sandbox, until: Until
) -> None:
    """A code that nobody could use is told as a failure, and no second one follows by itself."""
    sandbox.faults.drop("auth.sendCode", executed=True)
    assert (await post(browser, "/send-code", {"phone": PHONE}))[0] == 503
    assert sandbox.counters.of("auth.sendCode") == 1
    await until(lambda: service.app[keys.POOL].stats.clients == 0)


@pytest.mark.swift_time
@pytest.mark.parametrize(
    ("phone", "path", "form", "method"),
    [
        (PHONE, "/sign-in", FORM, "auth.signIn"),
        (WITH_PASSWORD, "/sign-in-password", PASSWORD, "auth.checkPassword"),
    ],
)
async def test_lost_for_longer(
    browser: ClientSession,
    copy_of: CopyOf,
    sandbox: Sandbox,
    phone: str,
    path: str,
    form: dict[str, str],
    method: str,
) -> None:
    """Where nobody could say whether the step was taken, the same step finds out later, and no other does."""
    await post(browser, "/send-code", {"phone": phone})
    if phone == WITH_PASSWORD:
        await post(browser, "/sign-in", PASSWORD_FORM)
    copy = copy_of(browser)
    sandbox.faults.drop(method, executed=True)
    sandbox.faults.internal_error("users.getUsers", times=None)
    status, body = await post(browser, path, form)
    assert (status, body["error"]) == (503, SIGN_IN_FAILED)
    sandbox.faults.clear()
    wrong = {name: "0" if name in {"code", "password"} else value for name, value in form.items()}
    assert (await post(copy, path, wrong))[0] == 400
    assert await is_authenticated(copy) is False
    assert (await post(browser, path, form))[0] == 200
    assert signed_in_as(sandbox, phone) == ["tgbridge"]


@pytest.mark.swift_time
async def test_lost_for_longer_before_the_password(browser: ClientSession, sandbox: Sandbox) -> None:
    """That the code was right, and the password is next, is found out later as well."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    sandbox.faults.drop("auth.signIn", executed=True)
    rule = sandbox.faults.internal_error("users.getUsers", times=None)
    assert (await post(browser, "/sign-in", PASSWORD_FORM))[0] == 503
    sandbox.faults.remove(rule)
    assert await post(browser, "/sign-in", PASSWORD_FORM) == (401, PASSWORD_NEEDED)
    assert (await post(browser, "/sign-in-password", PASSWORD))[0] == 200


async def test_wrong_code_is_wrong_each_time(browser: ClientSession, sandbox: Sandbox) -> None:
    """Only steps that were taken are remembered."""
    await post(browser, "/send-code", {"phone": PHONE})
    for _ in range(2):
        assert await post(browser, "/sign-in", FORM | {"code": "00000"}) == (400, INVALID_CODE)
    assert sandbox.counters.of("auth.signIn") == 2


async def test_send_code_is_not_shared(
    browser: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Two browsers of one person have logins of their own, whatever they ask at the same time."""
    other = new_browser()
    await sign_in(browser)
    await sign_in(other)
    phone = {"phone": OTHER_PHONE}
    await asyncio.gather(post(browser, "/send-code", phone), post(other, "/send-code", phone))
    assert (await post(browser, "/cancel-code", phone))[0] == 200
    assert (await post(other, "/sign-in", phone | {"code": "22222"}))[0] == 200
