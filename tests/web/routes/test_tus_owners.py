"""Whose resumable uploads are: nobody else sees them, and they go with the session that signs out."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from tests.web.routes.rows import PHONE, post
from tests.web.routes.tus_client import (
    GONE,
    UNKNOWN,
    Line,
    begin,
    delete,
    finish,
    head,
    held,
    patch,
    until_offset,
)
from tgbridge.uploads import resumable
from tgbridge.uploads.turns import Turns
from tgbridge.web import keys

if TYPE_CHECKING:
    import pytest
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

MIB = 1024 * 1024
NOISE = random.Random(12).randbytes(3 * MIB)
OTHER = "+9996610002"
SIZE = 3 * MIB


async def sign_in_by_code(browser: ClientSession, phone: str) -> None:
    """Sign in, and whoever was signed in before in this browser out."""
    assert (await post(browser, "/send-code", {"phone": phone}))[0] == 200
    assert (await post(browser, "/sign-in", {"phone": phone, "code": phone[6] * 5}))[0] == 200


async def test_another_account(signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn) -> None:
    """For others it is as if there was no such upload, before and after its end."""
    stranger = new_browser()
    await sign_in(stranger, OTHER)
    path = await begin(signed_in, 100)
    for _ in range(2):
        for answer in (await patch(stranger, path, 0, NOISE[:100]), await delete(stranger, path)):
            assert (answer.status, answer.body) == (404, UNKNOWN)
        assert (await head(stranger, path)).status == 404
        await delete(signed_in, path)


async def test_nobody(signed_in: ClientSession, new_browser: NewBrowser) -> None:
    """Who is not signed in is told so."""
    path = await begin(signed_in, 100)
    nobody = new_browser()
    for answer in (await patch(nobody, path, 0, b"x"), await delete(nobody, path)):
        assert (answer.status, answer.body) == (
            401,
            {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"},
        )
    assert (await head(nobody, path)).status == 401


async def test_another_login(signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn) -> None:
    """An upload goes on in another browser of its owner, and after he has signed in anew in the same one."""
    path = await begin(signed_in, SIZE)
    await patch(signed_in, path, 0, NOISE[: MIB + 1])
    again = new_browser()
    await sign_in(again)
    assert (await patch(again, path, MIB + 1, NOISE[MIB + 1 : 2 * MIB])).status == 204
    await sign_in_by_code(signed_in, PHONE)
    await finish(signed_in, path, NOISE)


async def logout(browser: ClientSession) -> None:
    assert (await post(browser, "/logout"))[0] == 200


async def test_logout(
    service: Service, signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Who signs out leaves nothing behind, neither bytes nor uploads; what another browser is at goes on."""
    again = new_browser()
    await sign_in(again)
    mine, taken_over = await begin(signed_in, SIZE), await begin(signed_in, SIZE)
    for path in (mine, taken_over):
        await patch(signed_in, path, 0, NOISE[: MIB + 1])
    await patch(again, taken_over, MIB + 1, NOISE[MIB + 1 : MIB + 3])
    assert held(service) == 1 + 3
    await logout(signed_in)
    assert (held(service), len(service.app[keys.UPLOADS])) == (3, 1)
    assert (await head(signed_in, mine)).status == 401
    answer = await patch(again, mine, MIB + 1, b"x")
    assert (answer.status, answer.body) == (410, GONE)
    await finish(again, taken_over, NOISE)


async def test_logout_in_the_middle(
    service: Service, signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """A request that is sending bytes is ended with its session."""
    again = new_browser()
    await sign_in(again)
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, SIZE)
    await line.send(NOISE[:1000])
    await until_offset(signed_in, path, 1000)
    await logout(signed_in)
    assert await line.status() == 410
    await line.close()
    assert held(service) == 0
    assert (await head(again, path)).status == 410


async def test_logout_of_somebody_who_was_refused(
    service: Service,
    signed_in: ClientSession,
    new_browser: NewBrowser,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who only tried to go on, while another browser was at work, takes nothing away from that one."""
    monkeypatch.setattr(resumable, "Turns", partial(Turns, wait_seconds=0.0))
    again = new_browser()
    await sign_in(again)
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, SIZE)
    await line.send(NOISE[:1000])
    await until_offset(signed_in, path, 1000)
    assert (await patch(again, path, 1000, NOISE[1000:])).status == 423
    await logout(again)
    await line.send(NOISE[1000:])
    assert await line.status() == 204
    await line.close()


async def test_logout_that_fails(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """Who could not sign out goes on with his uploads."""
    path = await begin(signed_in, SIZE)
    sandbox.faults.flood_wait("auth.logOut", 33)
    assert (await post(signed_in, "/logout"))[0] == 429
    await finish(signed_in, path, NOISE)


async def test_somebody_else_signs_in(service: Service, signed_in: ClientSession, until: Until) -> None:
    """Whose browser it was before has been signed out: his uploads are gone with him."""
    path = await begin(signed_in, SIZE)
    await patch(signed_in, path, 0, NOISE[:1000])
    await sign_in_by_code(signed_in, OTHER)
    await until(lambda: not len(service.app[keys.UPLOADS]))
    assert held(service) == 0
    assert (await head(signed_in, path)).status == 404
