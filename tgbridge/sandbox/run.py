"""A sandbox as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tgbridge.sandbox.control import Control, describe_data_centres
from tgbridge.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOME = 2
"""The data centre that clients are sent to first, as Telegram's own are."""


async def run_sandbox(
    host: str = "127.0.0.1",
    port: int = 0,
    state_dir: Path | None = None,
    control_port: int = 0,
    *,
    exit_with_stdin: bool = False,
) -> None:
    """Serve a sandbox until SIGTERM or SIGINT, or with ``exit_with_stdin`` until standard input ends.

    One line of JSON on standard output says when it is ready: ``dc_id``, ``host``, ``port`` (where to connect
    first), ``public_key`` (path of the PEM file that clients need), ``control`` (URL of the control port) and
    ``data_centres``. ``port`` 0 is any that is free; another one is data centre 2's, and the seven after it
    are the other addresses'. Raises OSError if a port or the directory can't be had, ValueError if what is in
    the directory is damaged.
    """
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):  # before there is anything to remove
            loop.add_signal_handler(number, stop.set)
            stack.callback(loop.remove_signal_handler, number)
        sandbox = await stack.enter_async_context(
            Sandbox(host=host, fixed_ports=ports_from(port), state_dir=state_dir)
        )
        control = Control(sandbox, host=host, port=control_port)
        await control.start()
        stack.push_async_callback(control.close)
        public_key = (sandbox.state.directory / "public_key.pem").resolve()
        await asyncio.to_thread(public_key.write_text, sandbox.public_key_pem, encoding="ascii")
        if exit_with_stdin:
            _watch_stdin(loop, stop)
        ready = {
            "dc_id": HOME,
            "host": host,
            "port": sandbox.data_centres[HOME].address.port,
            "public_key": str(public_key),
            "control": control.url,
            "data_centres": describe_data_centres(sandbox),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()


def ports_from(first: int) -> Mapping[int, tuple[int, int]] | None:
    """Give eight ports in a row, the first two to the home data centre; 0: let the system choose."""
    if not first:
        return None
    order = sorted((*Sandbox.DATA_CENTRES, Sandbox.CDN), key=lambda dc_id: (dc_id != HOME, dc_id))
    return {dc_id: (first + 2 * index, first + 2 * index + 1) for index, dc_id in enumerate(order)}


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def read() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass  # closed from the beginning: that is an end, too
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    # A daemon thread: a read from a terminal or a file can't be waited for by a selector, nor be cancelled.
    threading.Thread(target=read, name="stdin", daemon=True).start()
