"""What an account holds, and since which state, so that what a page shows can be judged state by state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession


SETTLED_SECONDS = 90.0
"""More than a storm, the longest pause between two tries to listen, or the time that memory is believed."""


class Held(NamedTuple):
    """A message: the state ``pts`` in which it became what it is; ``caption`` None if it is none any more."""

    pts: int
    caption: str | None
    seen_at: float


class Mirror:
    """One account's messages, by the truth."""

    def __init__(self, truth: ClientSession, phone: str) -> None:
        self.pts = 0
        self.held: dict[int, Held] = {}
        self._truth = truth
        self._phone = phone
        self._seen: list[tuple[float, int]] = []

    async def follow(self) -> int:
        """Take in what has changed, and return the state of now."""
        async with self._truth.get(f"/changes/{self._phone}", params={"since": self.pts}) as response:
            response.raise_for_status()
            told = await response.json()
        now = asyncio.get_running_loop().time()
        for number, pts, caption in told["changes"]:
            if number not in self.held or self.held[number].pts < pts:
                self.held[number] = Held(pts, caption, now)
        if told["pts"] > self.pts:
            self.pts = told["pts"]
            self._seen.append((now, self.pts))
        return int(told["pts"])

    def unlike(
        self, shown: Mapping[int, Mapping[str, Any]], through: int, after: int
    ) -> list[dict[str, Any]]:
        """Tell which messages with ids beyond ``after`` differ, of those that are as they were in a state.

        What has changed since ``through`` may be shown as it was or as it is. Call `follow` before.
        """
        wrong: list[dict[str, Any]] = []
        for number, held in self.held.items():
            if number <= after or held.pts > through:
                continue
            item = shown.get(number)
            caption = None if item is None else item["caption"]
            if caption != held.caption:
                wrong.append({"id": number, "pts": held.pts, "is": held.caption, "shown": caption})
        wrong += [{"id": number, "is": "never there"} for number in shown.keys() - self.held.keys()]
        return wrong

    def settled(self, seconds: float) -> dict[int, Held]:
        """Give messages that changed so long ago that whoever follows knows: something else came since."""
        until = asyncio.get_running_loop().time() - seconds
        followed = max((pts for seen_at, pts in self._seen if seen_at < until), default=0)
        return {
            number: held for number, held in self.held.items() if held.pts < followed and held.seen_at < until
        }

    def is_overdue(self, position: int, seconds: float) -> bool:
        """Whether two changes or more after a state are so old: the second one shows that one was missed."""
        until = asyncio.get_running_loop().time() - seconds
        old = [pts for seen_at, pts in self._seen if seen_at < until and pts > position]
        return len(old) > 1
