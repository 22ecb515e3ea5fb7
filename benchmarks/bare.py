"""The least that an answer can cost: a bare handler of aiohttp, on the service's event loop.

`python -m benchmarks.bare` listens on the port that it prints.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from benchmarks.processes import answer
from tgbridge.__main__ import loop_factory


async def healthz(_request: web.Request) -> web.Response:
    """Answer what the service's /healthz does."""
    return web.json_response({"status": "ok"})


async def main() -> None:
    """Serve until terminated."""
    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answer({"port": runner.addresses[0][1]})
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as loop:
        loop.run(main())
