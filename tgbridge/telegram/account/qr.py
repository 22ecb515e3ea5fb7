"""Signing in by a QR code that another device of the user's scans (https://core.telegram.org/api/qr-login).

Telegram tells by an update that the code was accepted, and signs in when it is asked again. Asking again is
also how a code is renewed, so that a lost update costs no more than the rest of a code's time. It is not done
more often, since at some servers it makes the code before it void.
"""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import FloodWait, PasswordNeeded, TelegramFailure, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.account import login
from tgbridge.telegram.futures import look_at

if TYPE_CHECKING:
    from datetime import datetime

    from tgbridge.models import User
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.rpc.patience import Patience

# A code is good for about 30 seconds; it is renewed a little earlier.
_EARLY_SECONDS: Final = 3.0
_LEAST_SECONDS: Final = 1.0
_MOST_SECONDS: Final = 30.0
# Of being sent on to another data centre, and of accepted codes that have expired meanwhile.
_ATTEMPTS: Final = 3
_STALE: Final = frozenset({"AUTH_TOKEN_EXPIRED", "AUTH_TOKEN_INVALID", "AUTH_TOKEN_INVALIDX"})


@dataclass(frozen=True, slots=True)
class QrCode:
    """What to show: ``url`` is the tg://login link, a secret until ``expires``, by Telegram's clock."""

    url: str = field(repr=False)
    expires: datetime


def renew_after(lasts: float) -> float:
    """After how many seconds to ask for a code again that is good for so many."""
    return min(max(lasts - _EARLY_SECONDS, _LEAST_SECONDS), _MOST_SECONDS)


class QrLogin:
    """A login over ``client``, which nobody is signed in with.

    ``async for code in qr_login`` gives the first code at once, and the next one whenever it has to be shown
    instead. It ends when somebody has been signed in, who is ``user`` then, or after ``lifetime_seconds``. It
    raises PasswordNeeded, with the hint, where an account with two-step verification has accepted the code,
    and other TelegramFailure kinds; FLOOD_WAIT for the first code only, later ones are sat out.

    A login that is given up in any way but these has to be abandoned.
    """

    def __init__(self, client: BridgeClient, *, lifetime_seconds: float) -> None:
        self.user: User | None = None
        self._client = client
        self._ends = asyncio.get_running_loop().time() + lifetime_seconds
        self._stirred = asyncio.Event()
        self._shown: QrCode | None = None
        self._asking: asyncio.Task[QrCode | User] | None = None
        client.hear(self._hear)  # for as long as there is a client: nobody has another use for it

    def __repr__(self) -> str:
        return f"QrLogin(signed_in={self.user is not None})"

    @property
    def session(self) -> str:
        """The session string, a secret; another one once the login has moved to another data centre."""
        return self._client.session_string()

    def __aiter__(self) -> QrLogin:
        return self

    async def __anext__(self) -> QrCode:
        """Wait for the next code."""
        before = self._shown
        while self.user is None and (before is None or await self._is_due(before)):
            try:
                answer = await self._ask_apart()
            except FloodWait as wait:
                if before is None:
                    raise
                await asyncio.sleep(min(wait.seconds, self._left()))
                continue
            if not isinstance(answer, QrCode):
                self.user = answer
            elif answer != before:
                self._shown = answer
                return answer
        raise StopAsyncIteration

    async def abandon(self) -> None:
        """Sign out whoever has been signed in, or is about to be. Raises TelegramFailure kinds."""
        if self._asking is not None:
            try:
                await asyncio.wait({self._asking})
            except asyncio.CancelledError:
                self._asking.cancel()
                await asyncio.wait({self._asking})
                raise
        await self._client.connect()  # if it has lost its connection: there may be somebody to sign out
        if self._stirred.is_set():
            # Accepted, but not yet signed in; what comes of it, log_out tells.
            with suppress(TelegramFailure):
                await self._ask()
        await login.log_out(self._client)

    # When to ask

    def _hear(self, updates: Any) -> None:
        """Note that it is worth asking: the code was accepted, or updates may have been lost."""
        match updates:
            case None | types.UpdatesTooLong() | types.UpdateShort(update=types.UpdateLoginToken()):
                self._stirred.set()
            case types.Updates(updates=found) | types.UpdatesCombined(updates=found):
                if any(isinstance(update, types.UpdateLoginToken) for update in found):
                    self._stirred.set()

    async def _is_due(self, shown: QrCode) -> bool:
        """Wait until it is worth asking, or time to; False if the login's time is over before."""
        server_time = time.time() + self._client.home_key().state.time_offset
        pause, left = renew_after(shown.expires.timestamp() - server_time), self._left()
        try:
            async with asyncio.timeout(min(pause, left)):
                await self._stirred.wait()
        except TimeoutError:
            return pause < left
        return True

    def _left(self) -> float:
        return max(0.0, self._ends - asyncio.get_running_loop().time())

    # Asking

    async def _ask_apart(self) -> QrCode | User:
        """Ask in a task of its own: if the caller goes away, ``abandon`` has to know what came of it."""
        task = self._asking = asyncio.create_task(self._ask())
        task.add_done_callback(look_at)
        await asyncio.wait({task})
        return task.result()

    async def _ask(self) -> QrCode | User:
        self._stirred.clear()
        return await login.until_known(self._client, self._redeemed_or_renewed, login.standing)

    async def _redeemed_or_renewed(self, patience: Patience) -> QrCode | User:
        try:
            answer = await self._token(patience)
        except PasswordNeeded as error:
            raise PasswordNeeded(await login.password_hint(self._client)) from error
        if isinstance(answer, types.auth.LoginTokenSuccess):
            return login.authorized(answer.authorization)
        text = base64.urlsafe_b64encode(answer.token).decode().rstrip("=")
        return QrCode(f"tg://login?token={text}", answer.expires)

    async def _token(self, patience: Patience) -> types.auth.LoginToken | types.auth.LoginTokenSuccess:
        """Ask for a token, or for what has become of the last one, where the account is at home."""
        client = self._client
        export = functions.auth.ExportLoginTokenRequest(client.api_id, client.api_hash, except_ids=[])
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = await client.call(export, patience)
                if isinstance(answer, types.auth.LoginTokenMigrateTo):
                    await client.follow(answer.dc_id)
                    token = functions.auth.ImportLoginTokenRequest(answer.token)
                    answer = await client.call(token, patience)
            except TelegramRefused as error:
                if error.name not in _STALE or attempt == _ATTEMPTS:
                    raise
                continue
            if not isinstance(answer, types.auth.LoginTokenMigrateTo):
                return answer
        raise TelegramUnavailable("Telegram's data centres send the login to one another")
