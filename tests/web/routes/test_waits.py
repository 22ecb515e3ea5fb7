"""Waits that Telegram imposes in the middle of a body, either way, as a browser sees them."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import Form, send, send_file, stored

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import AddFile
    from tgbridge.sandbox import Sandbox

pytestmark = pytest.mark.swift_time

MIB = 1024 * 1024
GET_FILE, SAVE_BIG = "upload.getFile", "upload.saveBigFilePart"
NOISE = random.Random(21).randbytes(12 * MIB)


async def read(browser: ClientSession, path: str) -> bytes:
    async with browser.get(path) as answer:
        assert answer.status == 200
        return await answer.read()


@pytest.mark.parametrize(("seconds", "premium"), [(6, False), (9, True), (20, False)])
async def test_streams_stall_and_go_on(
    sandbox: Sandbox, signed_in: ClientSession, add_file: AddFile, seconds: int, *, premium: bool
) -> None:
    """All of the account, whichever was told: none ends before its last byte."""
    files = [add_file(6 * MIB + number) for number in range(3)]
    flood = sandbox.faults.flood_wait(GET_FILE, seconds, premium=premium, skip=12)
    begun = asyncio.get_running_loop().time()
    bodies = await asyncio.gather(*(read(signed_in, file.path) for file in files))
    assert bodies == [file.content for file in files]
    assert flood.applied == 1
    assert asyncio.get_running_loop().time() - begun >= seconds


async def test_before_the_status_a_wait_is_told(
    sandbox: Sandbox, signed_in: ClientSession, add_file: AddFile
) -> None:
    """By 429 with its seconds, also while a stream sits it out."""
    file, other = add_file(6 * MIB), add_file(MIB)
    sandbox.faults.flood_wait(GET_FILE, 20, skip=6)
    async with signed_in.get(file.path) as answer:
        body = await answer.content.readexactly(2 * MIB)
        async with signed_in.get(other.path) as told:
            assert (told.status, (await told.json())["code"]) == (429, "FLOOD_WAIT")
            assert 0 < int(told.headers["Retry-After"]) <= 20
        body += await answer.content.read()
    assert body == file.content


@pytest.mark.parametrize("skip", [0, 20])
async def test_a_form_is_not_lost(sandbox: Sandbox, signed_in: ClientSession, skip: int) -> None:
    """Neither at its first part nor near its last: 429 cost the whole upload."""
    sandbox.faults.flood_wait(SAVE_BIG, 9, premium=True, skip=skip)
    message_id = await send_file(signed_in, NOISE)
    assert await stored(signed_in, message_id) == NOISE


@pytest.mark.parametrize("method", ["messages.uploadMedia", "messages.sendMedia"])
async def test_a_file_that_is_up_waits_for_its_message(
    sandbox: Sandbox, signed_in: ClientSession, method: str
) -> None:
    """Nobody could send the bytes again."""
    sandbox.faults.flood_wait(method, 20)
    status, _ = await send(signed_in, Form().file(b"patience"))
    assert status == 200
