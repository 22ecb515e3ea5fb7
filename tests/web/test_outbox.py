"""What a page is still to be sent, within bounds."""

from __future__ import annotations

import asyncio

import pytest

from tgbridge.web.outbox import Outbox


def test_pieces_in_order() -> None:
    """All that is there is one piece; of those with a key the latest one, where it came last."""
    outbox = Outbox(100, lambda: None)
    outbox.put(b"a")
    outbox.put(b"1", key="upload")
    outbox.put(b"b")
    outbox.put(b"2", key="upload")
    assert outbox.take() == b"ab2"
    assert outbox.take() == b""


def test_a_bound_in_bytes() -> None:
    """Beyond it is told, once; what was taken does not count, nor what a later piece has replaced."""
    told: list[int] = []
    outbox = Outbox(10, lambda: told.append(1))
    for _ in range(5):
        outbox.put(b"x" * 10)
        assert outbox.take()
    for _ in range(5):
        outbox.put(b"x" * 10, key="upload")
    assert told == []
    outbox.put(b"x")
    outbox.put(b"x")
    assert told == [1]


def test_no_bound_for_what_is_waited_for() -> None:
    """Whoever fills it waits for it to be empty."""
    told: list[int] = []
    outbox = Outbox(10, lambda: told.append(1))
    outbox.unbounded = True
    outbox.put(b"x" * 100)
    assert told == []


@pytest.mark.swift_time
async def test_waiting() -> None:
    """For a piece, for so long, or for the end."""
    outbox = Outbox(10, lambda: None)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await outbox.wait(15)
    assert loop.time() - begun >= 15
    loop.call_later(1, outbox.put, b"x")
    assert await outbox.wait(15)
    assert loop.time() - begun < 20
    outbox.close()
    assert await outbox.wait(15)  # for what is there
    assert outbox.take() == b"x"
    assert not await outbox.wait(15)
