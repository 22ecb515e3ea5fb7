"""Whether Telegram can be reached, told from what is known as long as that is fresh."""

from __future__ import annotations

import asyncio
import math
import secrets
from typing import TYPE_CHECKING, Final

from telethon.tl import functions

from tgbridge.errors import TelegramUnavailable
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from tgbridge.telegram.datacentres.directory import Directory

FRESH_SECONDS: Final = 60.0
"""For so long an answer to anybody is proof enough."""

PROBE_SECONDS: Final = 10.0
"""Without one Telegram is asked, and not again before this."""

ANSWER_SECONDS: Final = 3.0
"""How long that may take: whoever asks for readiness gives up soon."""


class Reachability:
    """Knows of the data centre where clients begin whether it answers.

    What clients hear says so at no cost. Only while they hear nothing, or cannot connect, it is asked for the
    first step of a key exchange (https://core.telegram.org/mtproto/auth_key), which concerns no account.
    """

    def __init__(self, centres: Directory) -> None:
        self._centres = centres
        self._answered = False
        self._asked_at = -math.inf
        self._turn = asyncio.Lock()

    async def check(self) -> bool:
        """Tell whether it answers, within ANSWER_SECONDS, by what was learnt within FRESH_SECONDS."""
        if self._is_fresh():
            return True
        async with self._turn:  # all who ask meanwhile are told the same
            if now() - self._asked_at >= PROBE_SECONDS:
                self._answered = await self._ask()
                self._asked_at = now()
            return self._answered

    def _is_fresh(self) -> bool:
        statistics = self._centres.statistics
        is_recent = now() - statistics.heard_at < FRESH_SECONDS
        return is_recent and statistics.heard_at >= statistics.failed_at

    async def _ask(self) -> bool:
        nonce = int.from_bytes(secrets.token_bytes(16), "little", signed=True)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                address = (await self._centres.start()).address
                connection = await self._centres.connector.open(address.host, address.port)
                try:
                    await connection.exchange(functions.ReqPqMultiRequest(nonce))
                finally:
                    await connection.aclose()
        except (ConnectionFailed, TelegramUnavailable, OSError):  # TimeoutError is one of the last
            return False
        return True
