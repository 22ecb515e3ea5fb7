"""Saved Messages as lists of media: pages of them, and all of them, by what is wanted.

Two ways lead to a page. History has every kind of message, and 100 of them cost a request whether they hold
files or not. Telegram's search filters find nothing but files, some requests at the same time, and know no
stickers, forwarded stories, paid media or polls with a picture. So:

- what is asked for by types, words or album is searched for;
- all types together, and stickers, are read out of history: a list of everything lacks nothing. A page reads
  a bounded number of messages, by several requests at the same time where they are known to be needed. It may
  then hold fewer items than it could, and says where the next one begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import FloodWait
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.saved import search_filters
from tgbridge.telegram.saved.paging import MOST, Merged, Reader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime

    from telethon.tl import TLRequest

    from tgbridge.models import MediaItem, MediaType
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.library import AccountLibrary
    from tgbridge.telegram.saved.search_filters import Filter

_ROUNDS: Final = 10
"""How often a page asks for more, before it is handed on as it is."""

_AT_ONCE: Final = 5
"""Pages of history that are asked for at the same time."""

_FEW_FILTERS: Final = 2
"""So many are asked at once; of more, those that find nothing are left out, which one request tells."""

_AROUND_ALBUM: Final = 100
"""Messages of an album are sent together: what is so many ids older than one of them belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is wanted of Saved Messages. Without anything said it is all."""

    kinds: frozenset[MediaType] = frozenset()
    """The types; all, if there are none."""
    text: str = ""
    """Words of the caption or the file's name, as Telegram's search understands them."""
    since: datetime | None = None
    """The first moment, in whole seconds; after 1970."""
    until: datetime | None = None
    """The moment after the last one, in whole seconds; after 1970."""
    album: str | None = None
    before: int = 0
    """Only messages that are older than the one with this id, whether that is there or not; 0: all."""
    blur: bool = True
    """Whether items have their `blur_data_url`."""

    @property
    def reads_history(self) -> bool:
        """Whether no filters of Telegram's may be used, since they would not find all."""
        if self.text or self.album is not None:
            return False
        return not self.kinds or not self.kinds <= search_filters.FOUND

    @property
    def filters(self) -> tuple[Filter, ...]:
        """Telegram's filters that find what is wanted, as far as any does."""
        kinds = self.kinds or search_filters.FOUND
        return search_filters.filters_of(kinds if self.album is None else kinds & search_filters.IN_ALBUMS)

    def reader(self, message_filter: Filter | None = None) -> Reader:
        """Return a reader of what a filter finds, or of history."""
        return Reader(
            message_filter=message_filter,
            text=self.text,
            since=self.since,
            until=self.until,
            before=self.before,
        )

    def wants(self, item: MediaItem) -> bool:
        """Tell whether an item that was found is wanted: filters may find others than by our types."""
        return (not self.kinds or item.type in self.kinds) and self.album in (None, item.album_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Items, newest first, and the id before which the next page begins; None if there is none."""

    items: Sequence[MediaItem]
    next: int | None


class MediaList:
    """Lists an account's media, once: by `page`, or by `pages`. Not for two tasks at the same time."""

    def __init__(self, client: BridgeClient, library: AccountLibrary, query: Query) -> None:
        self._client = client
        self._library = library
        self._query = query
        self._begun = False

    async def page(self, limit: int) -> Page:
        """Return the first ``limit`` items; fewer where those that follow would take too long to find.

        Asks with the patience of first bytes. A longer wait ends a page that has begun: nothing is read twice
        for it. Raises TelegramFailure kinds.
        """
        merged = await self._merged()
        items, start, rounds = list[Any](), merged.before, _ROUNDS + 2 * limit // MOST
        while len(items) <= limit and not merged.ended and rounds > 0:
            try:
                rounds -= await self._read(merged, limit + 1 - len(items), rounds)
            except FloodWait:
                if merged.before == start:
                    raise
                rounds = 0
            items += merged.take()
            if self._query.album is not None and items and merged.before < items[-1].id - _AROUND_ALBUM:
                return Page(items[:limit], items[limit - 1].id if len(items) > limit else None)
        return _page(items, merged, limit)

    async def pages(self) -> AsyncGenerator[Sequence[MediaItem], None]:
        """Yield all items in pieces, some of which may be empty; a piece or two are held at a time.

        The first one has the patience of first bytes. From then on waits are sat out: each page has the
        patience of a transfer, from when it is asked for. Raises TelegramFailure kinds.
        """
        merged = await self._merged()
        while True:
            if not merged.ended:
                await merged.read(self._ask, self._keep)
            yield merged.take()
            self._begun = True
            if merged.ended:
                return

    async def _merged(self) -> Merged:
        """Return history, or what Telegram's filters find, without those that find nothing."""
        if self._query.reads_history:
            return Merged([self._query.reader()])
        filters = self._query.filters
        if len(filters) > _FEW_FILTERS:
            counters = await self._ask(
                functions.messages.GetSearchCountersRequest(
                    peer=types.InputPeerSelf(), filters=[one() for one in filters]
                )
            )
            none = {type(one.filter) for one in counters if not one.count and not one.inexact}
            filters = tuple(one for one in filters if one not in none)
        return Merged([self._query.reader(one) for one in filters])

    async def _read(self, merged: Merged, missing: int, rounds: int) -> int:
        """Read more, to find so many items; return how often each list was asked, ``rounds`` at most."""
        if self._query.reads_history:
            pages = min(merged.readers[0].pages_for(missing), _AT_ONCE, rounds)
            await merged.read(self._ask, self._keep, pages=pages)
            return pages
        # Of what a filter finds nearly all is listed, but for albums.
        most = min(missing, MOST) if self._query.album is None else MOST
        await merged.read(self._ask, self._keep, most)
        return 1

    def _keep(self, messages: Sequence[Any], asked_at: float) -> list[MediaItem]:
        known = self._library.remember(messages, asked_at=asked_at)
        items = (media.described(blur=self._query.blur) for media in known)
        return [item for item in items if self._query.wants(item)]

    async def _ask(self, request: TLRequest) -> Any:
        telegram = self._client.files.telegram
        # From now on: a reader who pauses takes nothing from the patience with Telegram.
        patience = Patience.of_transfer(telegram) if self._begun else Patience.of_first_bytes(telegram)
        answer = await self._client.call(request, patience)
        if not isinstance(answer, list):
            await self._library.identify(self._client, answer.users)
        return answer


def _page(items: list[MediaItem], merged: Merged, limit: int) -> Page:
    if len(items) > limit:
        return Page(items[:limit], items[limit - 1].id)
    return Page(items, None if merged.ended else merged.before)
