"""What is known of one account: who it is, what was promised to it, and what it really holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from benchmarks.chaos.mirror import Mirror
    from tgbridge.web.cursor import Cursors

_WITH_PASSWORD = "2"


@dataclass(slots=True)
class Promise:
    """A file that was acknowledged."""

    id: int
    sha256: str
    captions: set[str]
    """Which it may have: more than one after a change of which nobody knows whether it came through."""
    is_gone: bool | None = False
    """None: nobody knows."""
    by_telephone: int = 0
    """How often the telephone has edited it."""


@dataclass(slots=True)
class Account:
    """One account. ``starts``: when the service was ended and started, which ends its memory of names."""

    phone: str
    chance: random.Random
    mirror: Mirror
    cursors: Cursors
    starts: list[float]
    password: str = ""
    user_id: int = 0
    seeds_to: int = 0
    """The last message that was there before anything happened."""
    promises: dict[str, Promise] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    """When each file was sent first."""
    by_telephone: list[int] = field(default_factory=list)
    elsewhere: list[int] = field(default_factory=list)
    """Messages of other chats."""
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        if self.name.startswith(_WITH_PASSWORD):
            self.password = "tgbridge"

    @property
    def name(self) -> str:
        """For the log."""
        return self.phone[-4:]

    @property
    def code(self) -> str:
        """What signs it in."""
        return self.phone[6] * 5

    def position(self, event_id: str) -> int:
        """Read which state an event's id stands for; 0 if for none."""
        found = self.cursors.read(self.user_id, event_id)
        return 0 if found is None else found.pts

    def may_be_twice(self, name: str) -> bool:
        """Whether the service was ended after a file was sent first, and with it the memory of its name."""
        return any(start >= self.began[name] for start in self.starts)

    def some_promise(self) -> Promise | None:
        """Choose one that is there."""
        there = [promise for promise in self.promises.values() if promise.is_gone is False]
        return self.chance.choice(there) if there else None
