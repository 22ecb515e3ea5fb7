"""A client that is lent for as long as it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import SessionEnded, TelegramUnavailable
from tgbridge.telegram.account import login
from tgbridge.telegram.account.log_out import end_session
from tgbridge.telegram.loan import Loan

if TYPE_CHECKING:
    from tests.telegram.conftest import SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.pool import ClientPool


async def test_it_is_lent_when_it_is_asked_for(pool: ClientPool, sign_in: SignIn) -> None:
    """And not while nobody needs it: another may have its place then."""
    async with Loan(pool, await sign_in(pool)) as loan:
        assert pool.stats.lent == 0
        assert await loan.client() is await loan.client()
        assert pool.stats.lent == 1
        await loan.put_back()
        assert pool.stats.lent == 0
        assert (await login.get_me(await loan.client())).id
    assert pool.stats.lent == 0


async def test_the_pool_knows_of_a_session_that_has_ended(
    pool: ClientPool, sign_in: SignIn, sandbox: Sandbox
) -> None:
    """Whoever comes with its cookie is told so without asking Telegram."""
    session = await sign_in(pool)
    sandbox.faults.revoke(error="SESSION_REVOKED")
    with pytest.raises(SessionEnded):
        async with Loan(pool, session) as loan:
            await login.get_me(await loan.client())
    assert pool.ended.reason(session) == "SESSION_REVOKED"


async def test_signing_out_meanwhile_is_no_outage(pool: ClientPool, sign_in: SignIn) -> None:
    """A client that was closed by it says that the session has ended."""
    session = await sign_in(pool)

    async def work() -> None:
        async with Loan(pool, session) as loan:
            await loan.client()
            await end_session(pool, session)
            raise TelegramUnavailable("the client was closed")

    with pytest.raises(SessionEnded):
        await work()
