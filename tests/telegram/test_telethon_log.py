"""What Telethon logs, as a sysadmin sees it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import telethon

from tgbridge.errors import TelegramUnavailable
from tgbridge.telegram import login
from tgbridge.telegram.telethon_log import LOGGERS, MENDED

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn, Until
    from tgbridge.sandbox import Sandbox

NAME = "tgbridge.telegram.telethon"


def levels(caplog: pytest.LogCaptureFixture) -> set[int]:
    return {level for name, level, _ in caplog.record_tuples if name == NAME}


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
async def test_what_mends_itself(
    make_pool: MakePool,
    sign_in: SignIn,
    sandbox: Sandbox,
    until: Until,
    caplog: pytest.LogCaptureFixture,
    level: int,
) -> None:
    """Connections that Telegram closes are ordinary: only whoever debugs is told of them."""
    pool = make_pool()
    session = await sign_in(pool)
    caplog.clear()
    caplog.set_level(level)
    async with pool.borrow(session) as client:
        before = sandbox.counters.connections[1]
        sandbox.faults.drop_connections()
        await until(lambda: sandbox.counters.connections[1] > before)
        assert (await login.get_me(client)).phone == "9996610001"
    assert levels(caplog) == ({logging.DEBUG} if level == logging.DEBUG else set())


async def test_what_cannot_be_reached(
    make_pool: MakePool, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Attempts at connecting are no warnings either: whoever asked is told, which is one."""
    caplog.set_level(logging.DEBUG)
    pool = make_pool()
    sandbox.faults.refuse_connections()
    with pytest.raises(TelegramUnavailable):
        async with pool.anonymous():
            pass
    assert levels(caplog) <= {logging.DEBUG}


def test_what_does_not_mend_itself(caplog: pytest.LogCaptureFixture) -> None:
    """Other warnings and errors stay what they are, without what could not be read."""
    LOGGERS["telethon.network"].warning("Server indicated flood error at transport level: %s", "429")
    try:
        int("+15551234567x")
    except ValueError:
        LOGGERS["telethon.network"].exception("Unhandled error while processing msgs")
    assert caplog.record_tuples == [
        (NAME, logging.WARNING, "Server indicated flood error at transport level: 429"),
        (NAME, logging.ERROR, "Unhandled error while processing msgs (ValueError)"),
    ]
    assert "+15551234567" not in caplog.text


@pytest.mark.parametrize("text", sorted(MENDED))
def test_telethon_says_it_so(text: str) -> None:
    """What is played down is known by its text, which another Telethon may have changed."""
    sources = Path(telethon.__file__).parent.glob("network/**/*.py")
    assert any(f".warning('{text}'" in source.read_text() for source in sources)
