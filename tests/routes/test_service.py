"""The service's own endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tgbridge.sandbox import Sandbox


async def test_healthz(browser: ClientSession, sandbox: Sandbox) -> None:
    """The process lives, whether or not Telegram does; nobody is asked who they are."""
    for centre in sandbox.data_centres.values():
        await centre.stop()
    async with browser.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with browser.head("/healthz") as response:
        assert (response.status, await response.read()) == (200, b"")
