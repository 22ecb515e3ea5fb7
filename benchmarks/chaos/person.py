"""Somebody who does all that one can do, by chance, on one device or two at once."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from benchmarks.chaos.browser import Failed
from benchmarks.chaos.changing import Changing
from benchmarks.chaos.device import Device
from benchmarks.chaos.looking import Looking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientSession

    from benchmarks.chaos.account import Account
    from benchmarks.chaos.ledger import Ledger


class Person:
    """One account and its devices, each with a session of its own and a page."""

    def __init__(
        self,
        account: Account,
        *,
        devices: int,
        url: str,
        ledger: Ledger,
        truth: ClientSession,
        control: ClientSession,
    ) -> None:
        self.account = account
        self._ledger = ledger
        self.devices = [
            Device(
                account,
                letter,
                url=url,
                ledger=ledger,
                control=control,
                chance=random.Random(account.chance.random()),
            )
            for letter in "abcdef"[:devices]
        ]
        looking = Looking(account, ledger, truth)
        changing = Changing(account, ledger, truth=truth, control=control)
        self._acts: dict[Callable[[Device], Awaitable[None]], int] = {
            looking.stream: 30,
            looking.pages: 8,
            looking.item: 6,
            looking.whole_list: 4,
            looking.thumbnail: 8,
            looking.ticket: 5,
            looking.small_thing: 8,
            changing.upload: 10,
            changing.resumable: 8,
            changing.edit: 8,
            changing.delete: 3,
            changing.telephone: 8,
            Device.turn_page: 3,
            Device.sign_out: 1,
        }

    async def begin(self) -> None:
        """Sign all devices in, and open their pages."""
        await self.account.mirror.follow()
        self.account.seeds_to = max(self.account.mirror.held)
        for device in self.devices:
            await device.sign_in()
            await device.page.load()
            device.page.open()

    async def live(self, seconds: float) -> None:
        """Do one thing after another until then."""
        chance = self.account.chance
        while self._ledger.now() < seconds:
            (act,) = chance.choices(list(self._acts), list(self._acts.values()))
            device = chance.choice(self.devices)
            self._ledger.acts[act.__name__] += 1
            try:
                await act(device)
            except Failed as failed:
                await asyncio.sleep(0.3)
                if failed.status == 401:
                    await device.sign_in()
            await asyncio.sleep(chance.uniform(0, 0.3))

    async def close(self) -> None:
        """Close all devices."""
        for device in self.devices:
            await device.close()
