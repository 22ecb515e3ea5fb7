"""Who sits at the terminal: is shown a QR code, and asked for a code or a password."""

from __future__ import annotations

import asyncio
import getpass
import sys
import threading
from typing import TYPE_CHECKING

import segno

if TYPE_CHECKING:
    from collections.abc import Callable


class Person:
    """Someone at a terminal. What is typed is never printed, logged or kept."""

    async def agrees(self, question: str) -> bool:
        """Ask a question whose answer is no unless it is yes."""
        return (await _typed(lambda: input(f"{question} [y/N] "))).strip().lower() in {"y", "yes"}

    async def code(self) -> str:
        """Ask for the code that Telegram has sent."""
        return (await _typed(lambda: input("The code that Telegram has sent: "))).strip()

    async def password(self, hint: str | None) -> str:
        """Ask for the two-step verification password, without showing it."""
        shown = f" (hint: {hint})" if hint else ""
        return await _typed(lambda: getpass.getpass(f"The two-step verification password{shown}: "))

    def shows(self, url: str) -> None:
        """Show a QR code, to be scanned in Telegram: Settings, Devices, Link Desktop Device."""
        sys.stdout.write("\nScan this in Telegram: Settings, Devices, Link Desktop Device.\n")
        segno.make(url, error="l").terminal(out=sys.stdout, compact=True)
        sys.stdout.flush()


async def _typed(ask: Callable[[], str]) -> str:
    """Wait for what is typed in a thread that does not keep the process from ending, as asyncio's own would.

    Raises EOFError where there is nobody.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def settle(text: str | None) -> None:
        if answer.done():
            return
        if text is None:
            answer.set_exception(EOFError("there is no terminal to ask at"))
        else:
            answer.set_result(text)

    def run() -> None:
        try:
            text: str | None = ask()
        except (EOFError, OSError):
            text = None
        loop.call_soon_threadsafe(settle, text)

    threading.Thread(target=run, daemon=True).start()
    return await answer
