"""A page's view of an account's events: from where it left off, in order, and each step with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from tgbridge.telegram.saved.changes import Added, Deleted, Edited
from tgbridge.telegram.saved.meaning import Position

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.live import Live
    from tgbridge.telegram.saved.meaning import Happened

MOST_WAITING: Final = 1000
"""Steps that wait while what was missed is told. With more, the page is to read anew what there is."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What has happened can't be told: the page is to read anew what there is."""


@dataclass(frozen=True, slots=True)
class Over:
    """The session has ended; ``code`` is why."""

    code: str


@dataclass(frozen=True, slots=True)
class GivenWay:
    """Nothing more comes for now: others need the connection to Telegram."""


News: TypeAlias = Added | Edited | Deleted | Reload | Over | GivenWay
"""What a page is told. Nothing follows the last two."""


class PageReader:
    """Hands on to `tell` what is news to one page.

    ``since`` is what the page knows of; None if it does not say: then it is told what comes from now on.
    """

    def __init__(self, live: Live, since: Position | None, tell: Callable[[News], object]) -> None:
        self.position = live.position if since is None else since
        """What the page knows of, once it has all that was handed on."""
        self._live = live
        self._tell = tell
        self._told_through = self.position.pts
        self._waiting: list[Happened] | None = []
        if since is None:
            # What it has been shown before, nobody here knows.
            self.position = self.position._replace(life=0)

    async def missed(self, client: BridgeClient) -> AsyncGenerator[None, None]:
        """Tell what the page has missed, with pauses in which it is to be sent; from then on tell at once.

        Raises TelegramFailure kinds; before the first pause, nothing was told.
        """
        pts = self.position.pts
        if pts != self._live.position.pts:
            async for steps in self._live.missed(client, pts):
                if steps is None:
                    self.start_anew()
                    pts = self.position.pts
                    break
                for step in steps:
                    self._hand_on(step)
                pts = steps[-1].through
                yield
        self._told_through = max(pts, self._told_through)
        waiting, self._waiting = self._waiting, None
        for step in waiting or ():
            self._hand_on_news(step)

    def take(self, happened: Happened) -> None:
        """Take note of a step of the account's."""
        if self._waiting is None:
            self._hand_on_news(happened)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(happened)
        else:
            self.start_anew()

    def start_anew(self) -> None:
        """Tell the page to read anew what there is; what it gets to see then, it is told the changes of."""
        if self._waiting:
            self._waiting.clear()
        self.position = self._live.position
        self._told_through = self.position.pts
        self._tell(Reload())

    def end(self, news: Over | GivenWay) -> None:
        """Tell that nothing more comes."""
        self._tell(news)

    def _hand_on_news(self, step: Happened) -> None:
        # The account may be behind what the page was told: twice, it would see what is no longer so.
        if step.through > self._told_through:
            self._hand_on(step)

    def _hand_on(self, step: Happened) -> None:
        life, pts = self._live.shown.life, max(step.pts, self.position.pts)
        if step.in_doubt and self.position.life != life:
            # Instead of what is known: whoever is cut off behind that would go on from a state half told.
            self.position = Position(pts, life)
            self._tell(Reload())
            return
        self.position = self.position._replace(pts=pts)
        if step.change is not None:
            self._tell(step.change)
