"""The service from its start to its end: what signals ask of it, and what the service manager is told."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

import structlog

from tgbridge.app import Service, stop_seconds
from tgbridge.collecting import collecting_rarely
from tgbridge.errors import SettingsError
from tgbridge.web import keys
from tgbridge.web.logs import configure_logging, log_uncaught

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from socket import socket

    from tgbridge.settings import Settings
    from tgbridge.systemd.notify import Notifier

_STANDARD_INPUT: Final = 0
_MARGIN_SECONDS: Final = 30.0  # for a busy machine
_log = structlog.get_logger(__name__)


async def serve(
    load: Callable[[], Settings],
    *,
    sockets: Sequence[socket],
    notifier: Notifier,
    announce: Callable[[str], None],
    companion: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until ``companion`` raises. SIGHUP reads the settings anew.

    ``load`` reads and checks them; ``announce`` is told the URL as soon as the service listens. Raises
    SettingsError, and OSError if the address cannot be taken.
    """
    settings = load()
    configure_logging(settings.log)
    log_uncaught()
    if notifier.watchdog_seconds is not None:
        # systemd ends a loop that is stuck by SIGABRT: this tells where it was.
        faulthandler.enable()
    stop = _stop_signal()
    told_to_reload = _hangup_signal(stop)
    service = Service(settings, sockets=sockets)
    try:
        await service.start()
    except OSError as error:
        where = f"{settings.server.host}:{settings.server.port}"
        raise OSError(f"cannot listen on {where}: {error.strerror or error}") from error
    reloading = _Reloading(service, load, notifier)
    async with AsyncExitStack() as stack:
        stack.enter_context(collecting_rarely())
        stack.callback(notifier.close)
        stack.push_async_callback(service.stop)
        await stack.enter_async_context(notifier.alive(reloading.status))
        notifier.ready(reloading.status())
        announce(service.url)
        waits: set[asyncio.Task[Any]] = {
            asyncio.create_task(stop.wait()),
            asyncio.create_task(reloading.whenever(told_to_reload)),
        }
        if companion is not None:
            waits.add(asyncio.create_task(companion()))
        done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.wait(waits)
        notifier.stopping("Stopping", seconds=stop_seconds(settings) + _MARGIN_SECONDS)
        for task in done:
            task.result()


class _Reloading:
    """Reads the settings anew: all of them, or none."""

    def __init__(self, service: Service, load: Callable[[], Settings], notifier: Notifier) -> None:
        self._service = service
        self._load = load
        self._notifier = notifier
        self._outcome = ""

    async def whenever(self, told: asyncio.Event) -> None:
        """Reload each time that ``told`` is set."""
        while True:
            await told.wait()
            told.clear()
            self._notifier.reloading()
            try:
                settings = await asyncio.to_thread(self._load)
            except SettingsError as error:
                self._refused(str(error))
            except Exception as error:  # noqa: BLE001 - whatever is in a file, the service goes on
                self._refused(f"nobody expected {type(error).__name__}")
            else:
                kept = self._service.reload(settings)
                self._outcome = f"; restart for {', '.join(sorted(kept))}" if kept else ""
            self._notifier.ready(self.status())

    def _refused(self, why: str) -> None:
        _log.error("settings not changed", error=why)
        self._outcome = f"; settings not changed: {why}"

    def status(self) -> str:
        """Say in one line how things are."""
        app = self._service.app
        in_flight, clients = app[keys.IN_FLIGHT], app[keys.POOL].stats.clients
        doing = "Stopping" if in_flight.draining else f"Serving {self._service.url}"
        return f"{doing}; requests: {len(in_flight)}, Telegram clients: {clients}{self._outcome}"


def _stop_signal() -> asyncio.Event:
    """Return an event that the first SIGTERM or SIGINT sets; the second one ends the process at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def stop_and_unhook(told: signal.Signals) -> None:
        _log.info("told to stop", signal=told.name)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_and_unhook, number)
    return stop


def _hangup_signal(stop: asyncio.Event) -> asyncio.Event:
    """Return an event that SIGHUP sets, unless it says that our terminal is gone: that sets ``stop``."""
    told, had_terminal = asyncio.Event(), os.isatty(_STANDARD_INPUT)

    def tell() -> None:
        gone = had_terminal and not os.isatty(_STANDARD_INPUT)
        _log.info("told to stop" if gone else "told to reload", signal="SIGHUP")
        (stop if gone else told).set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, tell)
    return told
