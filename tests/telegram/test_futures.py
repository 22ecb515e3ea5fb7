"""Waiting for what others wait for as well."""

from __future__ import annotations

import asyncio

import pytest

from tgbridge.telegram.futures import end_of

pytestmark = pytest.mark.swift_time


async def test_the_end_is_told() -> None:
    """Be it a result, an error or a cancellation, which are the future's and not raised here."""
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(3)]
    waiting = [asyncio.create_task(end_of(future)) for future in futures]
    await asyncio.sleep(0)
    futures[0].set_result(None)
    futures[1].set_exception(ValueError("seen"))
    futures[2].cancel()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert [await end_of(future) for future in futures] == [True] * 3
    assert isinstance(futures[1].exception(), ValueError)


async def test_patience_ends() -> None:
    """The future is left as it is."""
    future = asyncio.get_running_loop().create_future()
    assert not await end_of(future, seconds=0.5)
    assert not future.done()


async def test_who_waits_may_be_cancelled() -> None:
    """Nothing of it is left behind, and the others wait on."""
    future = asyncio.get_running_loop().create_future()
    leaving, staying = (asyncio.create_task(end_of(future, seconds=10)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait((leaving,))
    assert leaving.cancelled()
    future.set_result(None)
    assert await staying
