"""How much Saved Messages hold of each type, and on which days: by Telegram's own counts, without reading.

Sources: https://core.telegram.org/method/messages.getSearchCounters,
https://core.telegram.org/method/messages.getSearchResultsCalendar
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from telethon.tl import functions, types

from tgbridge.telegram.saved.search_filters import FILTERS, filters_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from tgbridge.models import MediaType
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.search_filters import Filter


@dataclass(slots=True)
class Day:
    """What was sent on one day, in UTC: how many, and the newest of them."""

    count: int = 0
    newest: int = 0


async def counts(client: BridgeClient) -> Mapping[MediaType, int]:
    """Count the messages of each type that Telegram has a filter for. Raises TelegramFailure kinds."""
    answer = await client.patiently(
        functions.messages.GetSearchCountersRequest(
            peer=types.InputPeerSelf(), filters=[message_filter() for message_filter in FILTERS.values()]
        )
    )
    # By their filters: nobody promises an order.
    by_filter = {type(counter.filter): counter.count for counter in answer}
    return {kind: by_filter.get(message_filter, 0) for kind, message_filter in FILTERS.items()}


async def days(client: BridgeClient, kinds: Iterable[MediaType]) -> Mapping[date, Day]:
    """Count the messages of some types by the days on which they were sent.

    One filter after the other, each in as many requests as its days take. Raises TelegramFailure kinds.
    """
    found: dict[date, Day] = {}
    for message_filter in filters_of(kinds):
        await _count_days(client, message_filter, found)
    return found


async def _count_days(client: BridgeClient, message_filter: Filter, found: dict[date, Day]) -> None:
    offset_id = counted = 0
    while True:
        calendar = await client.patiently(
            functions.messages.GetSearchResultsCalendarRequest(
                peer=types.InputPeerSelf(),
                filter=message_filter(),
                offset_id=offset_id,
                offset_date=None,
            )
        )
        for period in calendar.periods:
            # The last day of an answer may be incomplete: it goes on in the next one.
            day = found.setdefault(period.date.astimezone(UTC).date(), Day())
            day.count += period.count
            day.newest = max(day.newest, period.max_msg_id)
            counted += period.count
        oldest = min((period.min_msg_id for period in calendar.periods), default=0)
        # A server that did not heed the offset would otherwise be asked for ever.
        if not oldest or counted >= calendar.count or 0 < offset_id <= oldest:
            return
        offset_id = oldest
