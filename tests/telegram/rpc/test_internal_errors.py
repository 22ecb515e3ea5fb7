"""Errors on Telegram's own side are asked again, by time and not by attempts."""

from __future__ import annotations

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import InternalError, TelegramRefused
from tgbridge.telegram.rpc.internal_errors import repeat_internal_errors

pytestmark = pytest.mark.swift_time

FAILED = InternalError("RPC_CALL_FAIL")


async def test_the_second_attempt_follows_at_once() -> None:
    """And the third soon."""
    script = Script(FAILED, FAILED, True)
    assert await repeat_internal_errors(script)(REQUEST, patience()) is True
    assert script.times[1] - script.times[0] < 0.05
    assert script.seconds < 0.2


async def test_patience_ends_it_however_many_attempts_there_were() -> None:
    """None begins after it, and they become rare."""
    script = Script(FAILED)
    with pytest.raises(InternalError):
        await repeat_internal_errors(script)(REQUEST, patience(120))
    assert 115 < script.seconds < 120
    assert script.attempts < 100


async def test_other_refusals_pass() -> None:
    """They would be the same the next time."""
    script = Script(TelegramRefused("LOCATION_INVALID"))
    with pytest.raises(TelegramRefused):
        await repeat_internal_errors(script)(REQUEST, patience())
    assert script.attempts == 1


@pytest.mark.parametrize("error", [FAILED, InternalError("TIMEOUT")], ids=str)
async def test_what_may_not_repeat_is_not_repeated(error: InternalError) -> None:
    """A server that failed, or timed out, may have done it."""
    script = Script(error, True)
    with pytest.raises(InternalError):
        await repeat_internal_errors(script)(REQUEST, patience(repeatable=False))
    assert script.attempts == 1
