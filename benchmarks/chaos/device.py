"""A browser of somebody's: it signs in by a code or a QR code, and has a page that is open mostly."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from benchmarks.chaos.browser import Browser, Failed
from benchmarks.chaos.page import Page, events

if TYPE_CHECKING:
    import random

    from aiohttp import ClientSession

    from benchmarks.chaos.account import Account
    from benchmarks.chaos.ledger import Fault, Ledger

_TRIES = 30
_BY_QR = 0.25
_PASSWORD_NEEDED = "SESSION_PASSWORD_NEEDED"


class Device:
    """One cookie jar, and somebody without any, to whom it gives tickets."""

    def __init__(
        self,
        account: Account,
        letter: str,
        *,
        url: str,
        ledger: Ledger,
        control: ClientSession,
        chance: random.Random,
    ) -> None:
        self.name = account.name + letter
        self.browser = Browser(url, ledger, self.name)
        self.stranger = Browser(url, ledger, f"{self.name} ticket")
        self.page = Page(self.browser, account, ledger)
        self.ticket = ""
        """The last one that was given."""
        self._account = account
        self._ledger = ledger
        self._control = control
        self._chance = chance
        self._signing_in = asyncio.Lock()
        self._is_out: Fault | None = None

    def is_signed_out(self) -> None:
        """Take note that the session is ended: for as long as it takes to sign in again."""
        self._is_out = self._is_out or self._ledger.fault(f"logout {self.name}")

    async def sign_in(self) -> None:
        """Sign in, however long that takes."""
        async with self._signing_in:
            fault = self._ledger.fault(f"logout {self.name}")
            try:
                for _ in range(_TRIES):
                    try:
                        await self._try_to_sign_in()
                    except Failed:
                        await asyncio.sleep(1)
                    else:
                        if self._is_out is not None:
                            self._ledger.over(self._is_out)
                            self._is_out = None
                        return
            finally:
                self._ledger.over(fault)
            self._ledger.is_wrong("no login", who=self.name)

    async def _try_to_sign_in(self) -> None:
        if (await self.browser.ask("GET", "/is-authenticated")).body["authenticated"]:
            return
        by_qr = bool(self._account.user_id) and self._chance.random() < _BY_QR
        user = await (self._by_qr() if by_qr else self._by_code())
        self._account.user_id = user["id"]

    async def _by_code(self) -> Any:
        phone = self._account.phone
        await self.browser.ask("POST", "/send-code", json={"phone": phone})
        body = {"phone": phone, "code": self._account.code}
        answer = await self.browser.ask("POST", "/sign-in", json=body, fine=(_PASSWORD_NEEDED,))
        if answer.status != 200:
            return await self._by_password()
        return answer.body["user"]

    async def _by_password(self) -> Any:
        body = {"password": self._account.password}
        return (await self.browser.ask("POST", "/sign-in-password", json=body)).body["user"]

    async def _by_qr(self) -> Any:
        async with self.browser.opened("GET", "/qr-login") as response:
            async for told in events(response):
                data = json.loads(told.data) if told.data else {}
                match told.name:
                    case "qr":
                        body = {"phone": self._account.phone, "url": data["url"]}
                        async with self._control.post("/scan", json=body) as scanned:
                            await scanned.read()  # it may have expired just now
                    case "authenticated":
                        body = {"claim": data["claim"]}
                        return (await self.browser.ask("POST", "/qr-login/claim", json=body)).body["user"]
                    case "password_required":
                        return await self._by_password()
        raise Failed(0)

    async def sign_out(self) -> None:
        """Log out and in again. The tickets end with the login."""
        ticket, self.ticket = self.ticket, ""
        self.is_signed_out()
        try:
            async with self._signing_in:  # whose cookies the answer would remove
                await self.browser.ask("POST", "/logout")
            if ticket:
                answer = await self.stranger.ask("HEAD", ticket, fine=(410,))
                if answer.status != 410:
                    self._ledger.is_wrong("a ticket outlives its login", who=self.name, status=answer.status)
        finally:
            await self.sign_in()

    async def turn_page(self) -> None:
        """Close the page and open it again."""
        await self.page.close()
        await asyncio.sleep(self._chance.uniform(0, 1))
        self.page.open()

    async def close(self) -> None:
        """Close page and browsers."""
        await self.page.close()
        await self.browser.close()
        await self.stranger.close()
