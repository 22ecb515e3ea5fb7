"""One of Telegram's lists of Saved Messages, read page by page, and several of them read as one.

What makes a list stable while messages come and go is that all goes by ids: whatever was read, the next page
is what is older than the oldest of it (https://core.telegram.org/api/offsets).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from telethon.tl import TLRequest

    from tgbridge.models import MediaItem

    Ask = Callable[[TLRequest], Awaitable[Any]]
    """Asks Telegram, with the patience of whoever lists."""
    Keep = Callable[[Sequence[Any], float], list[MediaItem]]
    """Makes items of messages, of those that are listed, which were asked for at some time of the loop."""

MOST: Final = 100
"""Messages in a page, the most that messages.getHistory and messages.search answer."""

LARGEST_ID: Final = 2**31 - 1


class Reader:
    """Messages, newest first, of all kinds or of those that a filter finds. Telegram is asked by `read`."""

    def __init__(
        self,
        *,
        message_filter: Any = None,
        text: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        before: int = 0,
    ) -> None:
        """Read what is older than the message ``before`` (0: all), from ``since`` to before ``until``.

        Without ``message_filter`` all is read, and ``text`` does not count. Dates are in whole seconds.
        """
        self.found: deque[MediaItem] = deque()
        """What was read and is listed, and nobody has taken."""
        self.before = before or LARGEST_ID + 1
        """Messages that are not older than this one were read."""
        self.ended = False
        """Whether there is nothing older."""
        self._filter = message_filter
        self._text = text
        self._since = since
        self._until = until
        self._first = before
        self._pages = 0
        self._read = 0
        self._listed = 0
        self._total = 0  # messages there are, read or not, as the latest answer said

    def pages_for(self, missing: int) -> int:
        """Guess in how many more pages so many items are, by those that were read; 1 if none was."""
        left = math.ceil((self._total - self._read) / (MOST - 1))
        needed = math.ceil(missing * self._pages / self._listed) if self._listed else left
        return max(min(needed, left), 1)

    async def read(self, ask: Ask, keep: Keep, most: int = MOST, pages: int = 1) -> None:
        """Read the next page, of ``most`` messages, with which it may end; or some, asked for at once.

        Those overlap by a message: where the next one does not begin with it, messages were deleted meanwhile
        and others have moved up, so that the rest is left for another time. Raises TelegramFailure kinds; the
        pages before the one that failed are read.
        """
        asked_at = now()
        requests = [self._request(most, number * (most - 1)) for number in range(pages)]
        answers = [asyncio.ensure_future(ask(request)) for request in requests]
        try:
            for answer in answers:
                if not self._take(await answer, most, keep, asked_at, follows=answer is not answers[0]):
                    return
        finally:
            for answer in answers:
                answer.cancel()
            await asyncio.gather(*answers, return_exceptions=True)

    def _take(self, answer: Any, most: int, keep: Keep, asked_at: float, *, follows: bool) -> bool:
        """Take a page; return whether one may follow. ``follows``: it overlaps with the one before it."""
        if follows and self.before != max((message.id for message in answer.messages), default=0):
            return False
        # A server that did not heed the offset would otherwise be asked for ever.
        messages = [message for message in answer.messages if message.id < self.before]
        self._pages += 1
        self._read += len(messages)
        if not messages:
            self.ended = True
            return False
        self.before = min(message.id for message in messages)
        whole = isinstance(answer, types.messages.Messages)
        self._total = len(messages) if whole else answer.count
        # A short page alone, or the count alone (messages read may be gone by now), does not mean the end.
        is_short = len(answer.messages) < most
        self.ended = whole or (not self._first and is_short and self._read >= self._total)
        dated = [(message, message.date) for message in messages if message.date is not None]
        if self._since is not None and any(date < self._since for _, date in dated):
            self.ended = True
        found = keep([message for message, date in dated if self._spans(date)], asked_at)
        self._listed += len(found)
        self.found.extend(found)
        return not self.ended

    def _spans(self, date: datetime) -> bool:
        return (self._since is None or date >= self._since) and (self._until is None or date < self._until)

    def _request(self, most: int, skipped: int) -> TLRequest:
        offset_id = self.before if self._pages or self._first else 0
        if self._filter is None:
            return functions.messages.GetHistoryRequest(
                peer=types.InputPeerSelf(),
                offset_id=offset_id,
                offset_date=None if offset_id else self._until,
                add_offset=skipped,
                limit=most,
                max_id=0,
                min_id=0,
                hash=0,
            )
        return functions.messages.SearchRequest(
            peer=types.InputPeerSelf(),
            q=self._text,
            filter=self._filter(),
            # Telegram's bounds are not part of the span.
            min_date=None if self._since is None else self._since - timedelta(seconds=1),
            max_date=self._until,
            offset_id=offset_id,
            add_offset=skipped,
            limit=most,
            max_id=0,
            min_id=0,
            hash=0,
        )


class Merged:
    """Several lists read as one: newest first, each message once, however many of them have it."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to read."""
        return all(reader.ended for reader in self.readers)

    @property
    def before(self) -> int:
        """From this id on, all lists were read: what they have there is complete. 0 at the end."""
        return max((reader.before for reader in self.readers if not reader.ended), default=0)

    def take(self) -> list[MediaItem]:
        """Return what is complete and was not taken before."""
        bound, items = self.before, {}
        for reader in self.readers:
            while reader.found and reader.found[0].id >= bound:
                item = reader.found.popleft()
                items[item.id] = item
        return [items[item_id] for item_id in sorted(items, reverse=True)]

    async def read(self, ask: Ask, keep: Keep, most: int = MOST, pages: int = 1) -> None:
        """Read a page, or some, of each list that holds the others up.

        Raises TelegramFailure kinds, the first one.
        """
        waiting = [reader for reader in self.readers if not reader.ended and not reader.found]
        try:
            async with asyncio.TaskGroup() as group:
                for reader in waiting:
                    group.create_task(reader.read(ask, keep, most, pages))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
