"""The sessions that listen for changes, each through its own client, for as long as pages want to know.

A client that listens is borrowed from the pool, and given back when others have no other place: waiting is
less than what they do. A lost connection is made again at once, and then ever more slowly.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog

from tgbridge.errors import BridgeError, FloodWait, SessionEnded, TelegramUnavailable
from tgbridge.telegram.client import VOUCHED_SECONDS
from tgbridge.telegram.datacentres.session_keys import key_of
from tgbridge.telegram.saved.reader import GivenWay, Over, PageReader
from tgbridge.telegram.updates.reading import read

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.saved.library import Library
    from tgbridge.telegram.saved.live import Live
    from tgbridge.telegram.saved.meaning import Position
    from tgbridge.telegram.saved.reader import News

GAP_SECONDS: Final = 0.5
"""How long a missing update is waited for (https://core.telegram.org/api/updates#recovering-gaps)."""

SILENCE_SECONDS: Final = 300.0
"""After so long it is asked whether there are any, and so whether the session lives (likewise: 900)."""

SHARED_SILENCE_SECONDS: Final = VOUCHED_SECONDS
"""The same where others of the account's sessions listen, too: one that has ended is told what they hear."""

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
"""Between two tries to listen again, after failures; each pause is up to twice as long as the last one."""

_log = structlog.get_logger(__name__)

_NO_LONGER: Final = "the session listens no longer"


class Listening:
    """All sessions that listen. One goes on for ``linger_seconds`` when its last page has gone.

    Pages connect anew with each navigation; what happens meanwhile is then known without being asked for.
    """

    def __init__(self, pool: ClientPool, library: Library, *, linger_seconds: float) -> None:
        self._pool = pool
        self._library = library
        self._linger_seconds = linger_seconds
        self._listeners: dict[str, _ListeningSession] = {}

    def __len__(self) -> int:
        """How many sessions listen."""
        return len(self._listeners)

    @asynccontextmanager
    async def open(
        self, session: str, account: int, since: Position | None, tell: Callable[[News], object]
    ) -> AsyncIterator[tuple[PageReader, BridgeClient]]:
        """Listen for a page while the block runs; ``tell`` is quick, raises nothing, and may be told at once.

        Gives what the page has to be told first, by ``reader.missed(client)``. Raises TelegramFailure kinds
        and PoolExhausted.
        """
        key = key_of(session)
        listener = self._listeners.get(key)
        if listener is None or listener.is_over:
            listener = self._listeners[key] = _ListeningSession(self, key, session, account)
        listener.begin_page()
        try:
            client = await self._begin(listener, since)
            reader = PageReader(listener.live, since, tell)
            listener.add(reader)
            try:
                yield reader, client
            finally:
                listener.remove(reader)
        finally:
            listener.end_page(self._linger_seconds)

    async def _begin(self, listener: _ListeningSession, since: Position | None) -> BridgeClient:
        """Return what a session listens with, once what a page that goes on from `since` needs is known."""
        try:
            return await self._begun(listener, since)
        except TelegramUnavailable as error:
            # Somebody has signed out meanwhile, perhaps.
            if (reason := self._pool.ended.reason(listener.session)) is not None:
                raise SessionEnded(reason) from error
            raise

    async def _begun(self, listener: _ListeningSession, since: Position | None) -> BridgeClient:
        client = await listener.client()
        if since is None or since.life != listener.live.shown.life:
            await listener.live.complete(client)
        if listener.is_over:
            raise TelegramUnavailable(_NO_LONGER)
        return client

    async def close(self) -> None:
        """Stop listening, of which pages are told. Idempotent."""
        listeners = list(self._listeners.values())
        for listener in listeners:
            listener.task.cancel()
        await asyncio.gather(*(listener.task for listener in listeners), return_exceptions=True)

    # For the sessions

    def library_of(self, account: int) -> Live:
        """Return what follows an account."""
        return self._library.account(account).live

    async def follow(self, listener: _ListeningSession) -> None:
        """Listen with a session until it ends or gives way, and tell its pages which."""
        error: BridgeError | None = None
        try:
            await self._persist(listener)
        except asyncio.CancelledError:
            if not listener.gives_way:
                raise
        except BridgeError as failure:
            error = failure
            if listener.has_begun and not isinstance(error, SessionEnded):
                _log.warning("a session listens no longer", error=type(error).__name__)
        finally:
            if self._listeners.get(listener.key) is listener:
                del self._listeners[listener.key]
        reason = self._pool.ended.reason(listener.session)
        listener.fail(error, GivenWay() if reason is None else Over(reason))
        if isinstance(error, SessionEnded):
            await self._pool.drop(listener.session)

    async def _persist(self, listener: _ListeningSession) -> None:
        pause = 0.0
        while True:
            try:
                lent = self._pool.borrow(
                    listener.session, account=listener.account, give_way=listener.give_way
                )
                async with lent as client, aclosing(listener.listen(client)) as listening:
                    async for _ in listening:
                        pause = 0.0
            except (TelegramUnavailable, FloodWait) as error:
                if not listener.has_begun:
                    raise
                pause = min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
                # Not all in the same moment, after an outage.
                await asyncio.sleep(max(getattr(error, "seconds", 0), pause * random.uniform(0.5, 1)))


class _ListeningSession:
    """One session that listens, for any number of pages."""

    def __init__(self, listening: Listening, key: str, session: str, account: int) -> None:
        self.key = key
        self.session = session
        self.account = account
        self.live = listening.library_of(account)
        self.in_sync = False
        self.is_over = False
        self.gives_way = False
        self._pages = 0
        self._readers: dict[PageReader, None] = {}
        self._client: BridgeClient | None = None
        self._began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stirred = asyncio.Event()
        self._lost = False
        self._linger: asyncio.TimerHandle | None = None
        self._gap: asyncio.TimerHandle | None = None
        self.task = asyncio.create_task(self._run(listening))

    async def _run(self, listening: Listening) -> None:
        try:
            await listening.follow(self)
        finally:
            self.fail(None, GivenWay())  # whatever it was: a page that is told nothing would wait for ever
            self.live.leave(self)
            for timer in (self._linger, self._gap):
                if timer is not None:
                    timer.cancel()
            self._began.cancel()

    # Pages

    @property
    def has_begun(self) -> bool:
        """Whether it has listened at least once."""
        return self._began.done()

    async def client(self) -> BridgeClient:
        """Return what it listens with. Raises what keeps it from beginning to."""
        await asyncio.wait({self._began})
        error = None if self._began.cancelled() else self._began.exception()
        if error is not None:
            # The same error for all who waited: each has a traceback of its own.
            raise error.with_traceback(None)
        if self._client is None or self.is_over:
            raise TelegramUnavailable(_NO_LONGER)
        return self._client

    def begin_page(self) -> None:
        """One page more. It is to be ended."""
        self._pages += 1
        if self._linger is not None:
            self._linger.cancel()

    def end_page(self, linger_seconds: float) -> None:
        """One page less; with the last one it stops listening, after a while."""
        self._pages -= 1
        if not self._pages and not self.is_over:
            seconds = linger_seconds if self.has_begun else 0.0
            self._linger = asyncio.get_running_loop().call_later(seconds, self.task.cancel)

    def add(self, reader: PageReader) -> None:
        """Tell a page from now on."""
        self._readers[reader] = None
        self.live.add(reader)

    def remove(self, reader: PageReader) -> None:
        """Tell it no more."""
        self.live.remove(reader)
        self._readers.pop(reader, None)

    def fail(self, error: BridgeError | None, news: Over | GivenWay) -> None:
        """Tell all pages that nothing more comes, those that were not told yet."""
        self.is_over = True
        if error is not None and not self._began.done():
            self._began.set_exception(error)
            self._began.exception()  # which nobody may be left to hear
        readers, self._readers = self._readers, {}
        for reader in readers:
            reader.end(news)

    def give_way(self) -> None:
        """Stop listening, since others need the client's place, or the session has ended."""
        self.gives_way = True
        self.task.cancel()

    # Listening

    async def listen(self, client: BridgeClient) -> AsyncGenerator[None, None]:
        """Listen with a client, and yield each time that nothing is missing. Raises TelegramFailure kinds."""
        stop = client.hear(lambda updates: self.live.hear(self, read(updates)))
        self._client, self._lost = client, True
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            while True:
                self._stirred.clear()
                if self._lost:
                    self._lost = False
                    asked_at = loop.time()
                    await self.live.join(self, client)
                    if not self._began.done():
                        self._began.set_result(None)
                else:
                    await self.live.fill_gap(client)
                yield
                if self.live.has_gap:
                    self.expect()
                try:
                    async with asyncio.timeout(SHARED_SILENCE_SECONDS):
                        await self._stirred.wait()
                except TimeoutError:
                    self._lost = self.live.is_shared or loop.time() >= asked_at + SILENCE_SECONDS
        finally:
            stop()
            self.live.lose(self)

    def stir(self) -> None:
        """Ask at once for what was missed."""
        self._lost = True
        self._stirred.set()

    def expect(self) -> None:
        """Ask for what is missing, unless it comes within a moment."""
        loop = asyncio.get_running_loop()
        if self._gap is None or self._gap.when() <= loop.time():
            self._gap = loop.call_later(GAP_SECONDS, self._stirred.set)
