"""The sandbox with its control port, and a port that tells the truth.

`python -m benchmarks.chaos.telegram` prints where all of that is, and serves until it is told to end, or
until whoever has started it is gone: its standard input ends then. Nothing of it is left on disk.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from aiohttp import web

from benchmarks.chaos.truth import Truth
from benchmarks.processes import answer
from tgbridge.sandbox import Sandbox
from tgbridge.sandbox.control import Control

HOME = 2


async def main() -> None:
    """Serve until the end."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C is for whoever has started it

    def read() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, daemon=True).start()
    async with Sandbox() as sandbox:
        control = Control(sandbox)
        await control.start()
        runner = web.AppRunner(Truth(sandbox).app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        key = sandbox.state.directory / "public_key.pem"
        key.write_text(sandbox.public_key_pem)
        answer(
            {
                "port": sandbox.data_centres[HOME].address.port,
                "key": str(key),
                "control": control.url,
                "truth": f"http://127.0.0.1:{runner.addresses[0][1]}",
            }
        )
        await over.wait()
        await runner.cleanup()
        await control.close()


if __name__ == "__main__":
    asyncio.run(main())
