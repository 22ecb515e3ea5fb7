"""messages.*: finding what Saved Messages hold of a kind: a page of it, how much, and on which days.

Sources: https://core.telegram.org/method/messages.search and its neighbours, https://core.telegram.org/api/offsets
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.methods.history import page
from tgbridge.sandbox.world.access import moment, saved_messages
from tgbridge.sandbox.world.filters import matcher
from tgbridge.sandbox.world.history import Window

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Account

MAX_DAYS = 100
MAX_CALENDAR = 1000
"""Messages that one answer of the calendar counts; its last day may go on in the next one."""

_NOT_IN_CALENDAR = (types.InputMessagesFilterEmpty, types.InputMessagesFilterMyMentions)


@method(functions.messages.SearchRequest)
async def search(call: Call, request: functions.messages.SearchRequest) -> Any:
    """Give a page of the messages that match."""
    account = saved_messages(call, request.peer)
    if not request.q and isinstance(request.filter, types.InputMessagesFilterEmpty):
        raise RpcError(400, "SEARCH_QUERY_EMPTY")
    found = _found(account, request.filter, request.q, moment(request.min_date), moment(request.max_date))
    return page(account, found, Window.of(request), None, request.hash)


@method(functions.messages.GetSearchCountersRequest)
async def get_search_counters(
    call: Call, request: functions.messages.GetSearchCountersRequest
) -> list[types.messages.SearchCounter]:
    """Count the messages that each of some filters finds."""
    account = saved_messages(call, request.peer)
    return [
        types.messages.SearchCounter(message_filter, len(_found(account, message_filter)))
        for message_filter in request.filters
    ]


@method(functions.messages.GetSearchResultsCalendarRequest)
async def get_search_results_calendar(
    call: Call, request: functions.messages.GetSearchResultsCalendarRequest
) -> types.messages.SearchResultsCalendar:
    """Count them by days, newest first, from an offset on: as many days as one answer takes.

    A day begins when it does for the client, by the ``tz_offset`` of its initConnection. ``messages`` are the
    oldest of each day, from the last of which a client goes on.
    """
    account = saved_messages(call, request.peer)
    if isinstance(request.filter, _NOT_IN_CALENDAR):
        raise RpcError(400, "FILTER_NOT_SUPPORTED")
    found = _found(account, request.filter)
    stop = bisect_left(found, request.offset_id) if request.offset_id > 0 else len(found)
    date = moment(request.offset_date)
    if date is not None and request.offset_id <= 0:
        stop = bisect_left(found, date, key=partial(_date, account))
    asked = found[max(stop - MAX_CALENDAR, 0) : stop]
    asked.reverse()
    timezone = timedelta(seconds=(call.client_info and call.client_info.tz_offset) or 0)

    def day(message_id: int) -> datetime:
        local = _date(account, message_id) + timezone
        return local.replace(hour=0, minute=0, second=0, microsecond=0) - timezone

    periods = []
    for date, group in groupby(asked, day):
        ids = list(group)
        periods.append(
            types.SearchResultsCalendarPeriod(date, min_msg_id=ids[-1], max_msg_id=ids[0], count=len(ids))
        )
    periods = periods[:MAX_DAYS]
    oldest = account.history.get(found[0]) if found else None
    return types.messages.SearchResultsCalendar(
        count=len(found),
        min_date=oldest.date if oldest is not None else None,
        min_msg_id=oldest.id if oldest is not None else 0,
        periods=periods,
        messages=[account.files.stamp(account.history.get(period.min_msg_id)) for period in periods],
        chats=[],
        users=[account.user()],
        offset_id_offset=len(found) - stop,
    )


def _date(account: Account, message_id: int) -> datetime:
    message: Any = account.history.get(message_id)
    date: datetime = message.date.astimezone(UTC)
    return date


def _found(
    account: Account,
    message_filter: Any,
    query: str = "",
    min_date: datetime | None = None,
    max_date: datetime | None = None,
) -> list[int]:
    """Give the ids, ascending."""
    matches = matcher(query, message_filter, min_date, max_date)
    found = [message.id for message in account.history if matches(message)]
    found.reverse()
    return found
