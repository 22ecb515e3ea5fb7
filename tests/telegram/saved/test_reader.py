"""What one page is told, of what it has missed and of what happens meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tgbridge.telegram.saved.changes import Deleted
from tgbridge.telegram.saved.meaning import Happened, Position
from tgbridge.telegram.saved.reader import MOST_WAITING, News, PageReader, Reload

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LIFE = 7


class Account:
    """What has happened in an account, one deletion a state, up to ``position``."""

    def __init__(self, pts: int) -> None:
        self.position = Position(pts, LIFE)
        self.shown = SimpleNamespace(life=LIFE)

    async def missed(self, _client: Any, pts: int) -> AsyncGenerator[list[Happened] | None, None]:
        """All of it in pieces of two, as Telegram tells it; more may have happened by then."""
        while pts < self.position.pts:
            through = min(pts + 2, self.position.pts)
            yield [deleted(state) for state in range(pts + 1, through + 1)]
            pts = through


def deleted(pts: int) -> Happened:
    return Happened(Deleted((pts,), pts), pts, pts)


async def read(account: Any, reader: PageReader) -> None:
    async for _ in reader.missed(account):
        pass


def ids(told: list[News]) -> list[int]:
    return [message_id for news in told if isinstance(news, Deleted) for message_id in news.ids]


async def test_what_happens_while_it_is_told_what_it_missed() -> None:
    """Each change is told once and in order, also one that Telegram has told of among those missed."""
    account: Any = Account(14)
    told: list[News] = []
    reader = PageReader(account, Position(10, LIFE), told.append)
    for pts in (13, 14, 15, 16):  # of which two are among those missed
        reader.take(deleted(pts))
    assert told == []
    await read(account, reader)
    reader.take(deleted(17))
    assert ids(told) == list(range(11, 18))
    assert reader.position == Position(17, LIFE)


async def test_an_account_that_is_behind_the_page() -> None:
    """What the page knows already is not told again when the account has come so far."""
    account: Any = Account(5)
    account.missed = Account(8).missed
    told: list[News] = []
    reader = PageReader(account, Position(4, LIFE), told.append)
    await read(account, reader)
    for pts in range(6, 11):
        reader.take(deleted(pts))
    assert ids(told) == list(range(5, 11))


async def test_deletions_of_which_not_all_can_be_told() -> None:
    """The page reads anew, and is never at a state of which it was told a part: it may be cut off there."""
    account: Any = Account(10)
    told: list[tuple[News, Position]] = []
    reader = PageReader(account, Position(10, LIFE - 1), lambda news: told.append((news, reader.position)))
    await read(account, reader)
    reader.take(deleted(11)._replace(in_doubt=True))
    reader.take(deleted(12)._replace(in_doubt=True))
    assert told == [(Reload(), Position(11, LIFE)), (Deleted((12,), 12), Position(12, LIFE))]


async def test_more_than_can_wait() -> None:
    """The page reads anew what there is, and nothing is kept of it."""
    account: Any = Account(10)
    told: list[News] = []
    reader = PageReader(account, Position(9, LIFE), told.append)
    for pts in range(11, 12 + MOST_WAITING):
        account.position = Position(pts, LIFE)
        reader.take(deleted(pts))
    assert told == [Reload()]
    assert reader.position == account.position
    await read(account, reader)
    assert told == [Reload()]
