"""A connection that fails under a request is no failure of the request, until patience ends."""

from __future__ import annotations

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import InternalError, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import ConnectionFailed, PeerSilent
from tgbridge.telegram.rpc.lost_connections import outlast_lost_connections

pytestmark = pytest.mark.swift_time


@pytest.mark.parametrize(
    "lost", [ConnectionFailed("reset"), PeerSilent("silent"), TelegramUnavailable("main")], ids=str
)
async def test_the_next_attempt_follows_at_once(lost: Exception) -> None:
    """Most connections that are lost can be had again."""
    script = Script(lost, True)
    assert await outlast_lost_connections(script)(REQUEST, patience()) is True
    assert script.seconds < 0.05


async def test_an_outage_is_outlasted_with_growing_pauses() -> None:
    """Of two minutes less a little, by some dozens of attempts."""
    script = Script(ConnectionFailed("refused"))
    with pytest.raises(TelegramUnavailable, match="refused"):
        await outlast_lost_connections(script)(REQUEST, patience(120))
    assert 115 < script.seconds < 120
    assert script.attempts < 100


async def test_what_may_not_repeat_is_not_repeated() -> None:
    """Its answer may be what got lost."""
    script = Script(ConnectionFailed("reset"), True)
    with pytest.raises(TelegramUnavailable):
        await outlast_lost_connections(script)(REQUEST, patience(repeatable=False))
    assert script.attempts == 1


async def test_internal_errors_are_not_its_business() -> None:
    """Though they are unavailability too: no layer multiplies another's attempts."""
    script = Script(InternalError("RPC_CALL_FAIL"))
    with pytest.raises(InternalError):
        await outlast_lost_connections(script)(REQUEST, patience())
    assert script.attempts == 1
