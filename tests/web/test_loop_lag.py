"""How late the event loop is."""

from __future__ import annotations

import asyncio
import time

import pytest

from tgbridge.web.loop_lag import SAMPLE_SECONDS, WATCHED_SECONDS, LoopLag

pytestmark = pytest.mark.swift_time


async def samples(lag: LoopLag, seconds: float) -> int:
    before = sum(lag.seconds.counts)
    await asyncio.sleep(seconds)
    return sum(lag.seconds.counts) - before


async def test_measured_while_somebody_looks() -> None:
    """Twice a second while it is read, no more when nobody has for a while, and again when somebody does."""
    lag = LoopLag()
    assert await samples(lag, 10) == 0
    lag.watch()
    lag.watch()
    assert 18 <= await samples(lag, 10) <= 20
    await samples(lag, WATCHED_SECONDS)
    assert await samples(lag, 10) == 0
    lag.watch()
    assert await samples(lag, 10) > 0
    lag.stop()
    assert await samples(lag, 10) == 0


async def test_what_blocks_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that is late by two seconds counts as such."""
    lag, clock = LoopLag(), [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    lag.watch()
    clock[0] += SAMPLE_SECONDS + 2
    await samples(lag, SAMPLE_SECONDS)
    lag.stop()
    assert lag.seconds.total == pytest.approx(2.0)
