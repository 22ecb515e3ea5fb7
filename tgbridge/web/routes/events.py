"""What changes in Saved Messages, and how the session's uploads get on, as server-sent events.

By the rules of Mercure (https://mercure.rocks/spec): each event's id is a place to go on from, what was
missed comes first, and where that can't be told, ``reload`` says so.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from tgbridge.errors import (
    NOT_AUTHENTICATED,
    NOT_AUTHENTICATED_CODE,
    TOO_MANY_REQUESTS,
    HTTPFailure,
    TelegramUnavailable,
)
from tgbridge.http.sse import KEEP_ALIVE, MEDIA_TYPE, Event, aside
from tgbridge.models import ErrorBody, Failed, ListsOutdated, MediaGone, MediaItem, SessionOver, UploadNews
from tgbridge.telegram.datacentres.session_keys import key_of
from tgbridge.telegram.saved.changes import Added, Deleted, Edited
from tgbridge.telegram.saved.meaning import Position
from tgbridge.telegram.saved.reader import GivenWay, Over, Reload
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.event_stream import event_stream, no_events
from tgbridge.web.open_streams import FULL, TOO_MANY
from tgbridge.web.outbox import Outbox
from tgbridge.web.routes.upload_events import event_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from tgbridge.models import Model
    from tgbridge.telegram.saved.reader import News, PageReader
    from tgbridge.uploads.progress import Progress
    from tgbridge.web.event_stream import EventStream

LAST_EVENT_ID: Final = "Last-Event-ID"

_FROM_ANOTHER: Final = Position(0, 0)  # a state that never is, so that nothing can be told since
_UPLOAD_SECONDS: Final = 0.1  # between two pieces of news: more often than people can see
_GOODBYE_SECONDS: Final = 1.0  # for the last words to a page, when the service stops

# When a page is to connect again, in seconds: soon, but not all in the same moment; or later, where there is
# no place for it now.
_SOON: Final = 1.0, 5.0
_LATER: Final = 15.0, 45.0


async def events(request: web.Request) -> web.StreamResponse:
    """Tell what a page has missed, and then what changes, until one of the two goes away."""
    if request.method == hdrs.METH_HEAD:
        return await no_events(request)
    session, account = request[keys.SESSION].telegram or "", request[keys.SESSION].user_id
    if account is None:
        raise HTTPFailure(401, NOT_AUTHENTICATED, code=NOT_AUTHENTICATED_CODE)
    outbox = Outbox(request.app[keys.SETTINGS].events.behind_bytes, lambda: _cut_off(request))
    page = _Page(request, account, outbox)
    with request.app[keys.OPEN_STREAMS].open(key_of(session)):
        try:
            return await _follow(request, page, session, account)
        except TelegramUnavailable:
            pool = request.app[keys.POOL]
            if request[keys.EXCHANGE].started is not None or not (pool.is_crowded or pool.stopping):
                raise
            # Nothing is wrong, as after a restart with many pages open; and after any status but 200
            # EventSource never comes back.
            page.come_back(_LATER)
            async with event_stream(request, keep_alive_seconds=None) as stream:
                await stream.send(outbox.take())
            return stream.response


async def _follow(request: web.Request, page: _Page, session: str, account: int) -> web.StreamResponse:
    """Answer with the stream. Raises TelegramFailure kinds and PoolExhausted, as a rule before it begins."""
    outbox = page.outbox
    listening = request.app[keys.LISTENING].open(session, account, page.since(), page.tell)
    async with (
        listening as (page.reader, client),
        aclosing(page.reader.missed(client)) as missed,
    ):
        outbox.unbounded = True
        greeting = page.greeting()
        await anext(missed, None)  # while there is no status line yet
        async with event_stream(request, keep_alive_seconds=None) as stream:
            try:
                await _send(request, stream, greeting + outbox.take())
                async for _ in missed:
                    await _send(request, stream, outbox.take())
                outbox.unbounded = False
                with page.following_uploads(session):
                    await _go_on(request, stream, page)
            except asyncio.CancelledError:
                if not request.app[keys.IN_FLIGHT].ended_by_stop:
                    raise
                page.come_back(_SOON)
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await stream.send(outbox.take())
    return stream.response


async def _go_on(request: web.Request, stream: EventStream, page: _Page) -> None:
    """Send what comes, for as long as the settings have it."""
    settings, outbox = request.app[keys.SETTINGS].events, page.outbox
    loop = asyncio.get_running_loop()
    ends = loop.time() + settings.longest_seconds * random.uniform(0.5, 1)
    while (left := ends - loop.time()) > 0:
        if not await outbox.wait(min(settings.heartbeat_seconds, left)):
            return
        await _send(request, stream, outbox.take() or page.heartbeat())
    page.come_back(_SOON)


async def _send(request: web.Request, stream: EventStream, piece: bytes) -> None:
    """Send a piece. Raises ConnectionError for a page that takes nothing for too long, and cuts it off."""
    try:
        async with asyncio.timeout(request.app[keys.SETTINGS].events.behind_seconds):
            await stream.send(piece)
    except TimeoutError:
        _cut_off(request)
        raise ConnectionResetError("the page has fallen behind") from None


def _cut_off(request: web.Request) -> None:
    """Break off, without waiting for what is unread. The page connects again, and is told what it missed."""
    if request.transport is not None:
        request.transport.abort()


class _Page:
    """One stream: what it is told, in the words of server-sent events."""

    def __init__(self, request: web.Request, account: int, outbox: Outbox) -> None:
        self.outbox = outbox
        self.reader: PageReader
        self._request = request
        self._account = account
        self._cursors = request.app[keys.CURSORS]
        self._told_id = ""
        self._uploads: dict[str, Progress] = {}
        self._timer: asyncio.TimerHandle | None = None

    def since(self) -> Position | None:
        """Return from where the page wants to go on; None if it does not say."""
        text = self._request.headers.get(LAST_EVENT_ID) or self._request.query.get("last_event_id")
        if not text:
            return None
        return self._cursors.read(self._account, text) or _FROM_ANOTHER

    @property
    def _id(self) -> str:
        self._told_id = self._cursors.write(self._account, self.reader.position)
        return self._told_id

    def greeting(self) -> bytes:
        """Write what a stream begins with, before anything is told."""
        return aside(id=self._id, retry=_milliseconds(_SOON))

    def heartbeat(self) -> bytes:
        """Write a sign of life; with it where to go on from, if there is news that is none for the page."""
        before = self._told_id
        return KEEP_ALIVE if before == self._id else KEEP_ALIVE + aside(id=self._told_id)

    def come_back(self, between: tuple[float, float]) -> None:
        """Say when to connect again, at the end."""
        self.outbox.put(aside(retry=_milliseconds(between)))
        self.outbox.close()

    def tell(self, news: News) -> None:
        """Tell what is new."""
        match news:
            case Added():
                self._send("media_added", news.media.item)
            case Edited():
                self._send("media_edited", news.media.item)
            case Deleted():
                self._send("media_deleted", MediaGone(ids=list(news.ids)))
            case Reload():
                self._send("reload", ListsOutdated())
            case Over():
                self._send("session_ended", SessionOver(code=news.code))
                self.outbox.close()
            case GivenWay():
                self.come_back(_LATER)

    def _send(self, name: str, data: Model) -> None:
        self.outbox.put(Event(data.model_dump_json(), name, id=self._id).encode())

    @contextmanager
    def following_uploads(self, session: str) -> Iterator[None]:
        """Tell how the session's uploads get on while the block runs."""
        with self._request.app[keys.PROGRESS].following(self._account, session, self._upload):
            try:
                yield
            finally:
                if self._timer is not None:
                    self._timer.cancel()

    def _upload(self, progress: Progress) -> None:
        """Tell how an upload gets on: soon, and with what comes until then."""
        self._uploads[progress.upload_id] = progress
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_UPLOAD_SECONDS, self._send_uploads)

    def _send_uploads(self) -> None:
        self._timer = None
        uploads, self._uploads = self._uploads, {}
        for upload_id, progress in uploads.items():
            news = progress.news
            data = Failed(**news.model_dump()) if isinstance(news, ErrorBody) else news
            told = UploadNews(id=upload_id, event=event_name(news), data=data)
            self.outbox.put(Event(told.model_dump_json(), "upload").encode(), key=upload_id)


def _milliseconds(between: tuple[float, float]) -> int:
    return int(1000 * random.uniform(*between))


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/events",
        events,
        summary="What changes in Saved Messages, and how the session's uploads get on",
        failed="Failed to follow Saved Messages.",
        signed_in=True,
        borrows=False,
        parameters=(
            Parameter(
                "last_event_id",
                "query",
                str,
                "From a list, or the last event's id: what came since then is told first. What names no "
                "place in this account's events, or one too far back, is answered by `reload`.",
            ),
            Parameter(LAST_EVENT_ID, "header", str, "The same, as EventSource sends it; it goes before."),
        ),
        answers=(
            Success(
                "Server-sent events, whose data is JSON. An event may come twice. The stream ends from time "
                "to time, or at once while too many others connect, and `retry` says when to connect again.",
                None,
                media_type=MEDIA_TYPE,
                events=(
                    ("media_added", MediaItem),
                    ("media_edited", MediaItem),
                    ("media_deleted", MediaGone),
                    ("upload", UploadNews),
                    ("reload", ListsOutdated),
                    ("session_ended", SessionOver),
                ),
            ),
            Refusal(429, TOO_MANY_REQUESTS, TOO_MANY),
            Refusal(503, FULL, TOO_MANY),
        ),
    ),
)
