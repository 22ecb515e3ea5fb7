"""One account's connections to one data centre."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import SESSION_ENDED, SessionEnded, TelegramFailure, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import (
    TRANSPORT_FLOOD,
    UNKNOWN_KEY,
    ConnectionFailed,
    PeerSilent,
    RpcFailed,
    TransportRefused,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from telethon.tl import TLRequest

    from tgbridge.telegram.files.account import Address
    from tgbridge.telegram.files.authorization import Authorization
    from tgbridge.telegram.files.dialling import Dialler
    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.connection import FileConnection
    from tgbridge.telegram.mtproto.conversation import Call

_log = logging.getLogger(__name__)

OPENING_COSTS: Final = 2 * 1024 * 1024
"""Bytes in flight with which an open connection is as good as one that has to be opened first."""

HOLD_SECONDS: Final = 30.0
"""After one connection could not be opened, no further one is opened beside the others for so long."""

# What only home can tell of the session as a whole; elsewhere, a login or a key is to be had anew.
_KEY_LOST: Final = frozenset({"AUTH_KEY_DUPLICATED", "AUTH_KEY_INVALID"})
_NOT_LOGGED_IN: Final = SESSION_ENDED - _KEY_LOST | {"MSG_WAIT_FAILED"}  # the last: after a login that failed


class Lane:
    """A connection, open or being opened, and what is under way on it."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[FileConnection] = asyncio.get_running_loop().create_future()
        self.address: Address | None = None
        self.after: Call | None = None
        self.calls = 0
        self.bytes = 0

    def fail(self, error: Exception) -> None:
        """Let all that wait know that it was not opened, if it was not."""
        if not self.ready.done():
            self.ready.set_exception(error)
            self.ready.exception()  # there may be nobody who waits

    @property
    def connection(self) -> FileConnection | None:
        """The connection, if it is open."""
        if not self.ready.done() or self.ready.exception() is not None:
            return None
        connection = self.ready.result()
        return connection if connection.failure is None else None

    @property
    def ended(self) -> bool:
        """Whether it could not be opened, or has been lost."""
        return self.ready.done() and self.connection is None

    @property
    def burden(self) -> int:
        """How little to choose it, in bytes."""
        return self.bytes if self.ready.done() else self.bytes + OPENING_COSTS


class DataCentre:
    """Up to `limit` connections, opened as they are needed, the least burdened chosen first."""

    def __init__(
        self,
        addresses: Callable[[], Awaitable[Sequence[Address]]],
        authorization: Authorization,
        dialler: Dialler,
        *,
        limit: int,
        connect_timeout: float,
    ) -> None:
        self._addresses = addresses
        self._authorization = authorization
        self._dialler = dialler
        self.limit = limit
        """How many connections there may be."""
        self._connect_timeout = connect_timeout
        self._lanes: list[Lane] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._hold_until = 0.0
        self._closed = False

    @property
    def connections(self) -> int:
        """How many are open."""
        return sum(lane.connection is not None for lane in self._lanes)

    @property
    def calls(self) -> int:
        """How many wait for their answers."""
        return sum(lane.calls for lane in self._lanes)

    def warm(self) -> None:
        """Begin to open the first connection, if there is none."""
        if not self._lanes and not self._closed:
            self._lanes.append(self._open_lane())

    async def call(self, request: TLRequest, weight: int) -> Any:
        """Make one attempt at a call of `weight` bytes; log in anew where that is the remedy.

        Raises RpcFailed for an error that the server answers, ConnectionFailed where another attempt may do,
        the TelegramFailure that the account's main connection met, and FloodWait where the login has to wait.
        """
        for renewed in (False, True):
            generation = self._authorization.generation
            lane = self._choose()
            lane.calls += 1
            lane.bytes += weight
            try:
                connection = await asyncio.shield(lane.ready)
                return await connection.call(request, after=lane.after)
            except TransportRefused as error:
                self._refused(lane, error)
                raise
            except RpcFailed as error:
                if self._authorization.is_home or error.message not in _KEY_LOST | _NOT_LOGGED_IN:
                    raise
                if error.message in _KEY_LOST:
                    self._forget_key(connection.key)
                    raise ConnectionFailed("the key was lost") from error
                if renewed or not await self._authorization.renew(connection, generation):
                    raise TelegramUnavailable("the data centre does not accept the authorization") from error
            finally:
                lane.calls -= 1
                lane.bytes -= weight
        raise AssertionError("unreachable: the second attempt returns or raises")

    async def aclose(self) -> None:
        """Close all connections; calls fail with ConnectionFailed. Idempotent."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for lane in self._lanes:
            lane.fail(ConnectionFailed("closed"))  # unless its task came to do so
            if lane.ready.exception() is None:
                await lane.ready.result().aclose()
        await self._authorization.aclose()

    def _choose(self) -> Lane:
        if self._closed:
            raise ConnectionFailed("closed")
        self._lanes = [lane for lane in self._lanes if not lane.ended]
        lanes = self._lanes
        busy = all(lane.calls for lane in lanes)
        if busy and len(lanes) < self.limit and (not lanes or _now() >= self._hold_until):
            lanes.append(self._open_lane())
        return min(lanes, key=lambda lane: lane.burden)

    def _open_lane(self) -> Lane:
        lane = Lane()
        task = asyncio.create_task(self._open(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return lane

    async def _open(self, lane: Lane) -> None:
        try:
            lane.ready.set_result(await self._connect(lane))
        except asyncio.CancelledError:
            lane.fail(ConnectionFailed("closed"))
            raise
        except Exception as error:
            self._hold_until = _now() + HOLD_SECONDS
            lane.fail(error)
            if not isinstance(error, ConnectionFailed | TelegramFailure):
                raise
            _log.debug("a file connection was not opened: %s", error)

    async def _connect(self, lane: Lane) -> FileConnection:
        addresses = await self._addresses()
        preparing = asyncio.create_task(self._authorization.prepare(partial(self._apart, addresses)))
        connection = None
        try:
            async with asyncio.timeout(self._connect_timeout) as limit:
                lane.address, connection = await self._dialler.dial(addresses)
                await preparing
                # A login has time-outs of its own, and may have to sit a flood wait out.
                limit.reschedule(None)
                lane.after = await self._authorization.admit(connection)
        except BaseException as error:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)
            if connection is not None:
                await connection.aclose()
            if isinstance(error, TimeoutError):
                if lane.address is not None:
                    self._dialler.failed(lane.address)
                raise PeerSilent("the data centre does not answer") from error
            raise
        return connection

    @asynccontextmanager
    async def _apart(self, addresses: Sequence[Address]) -> AsyncIterator[FileConnection]:
        """Open a connection to make a key on, rather not at an address for files, as other clients do."""
        ordered = sorted(addresses, key=lambda address: address.media_only)
        address, connection = await self._dialler.dial(ordered)
        try:
            yield connection
        except (ConnectionFailed, asyncio.CancelledError):
            self._dialler.failed(address)
            raise
        finally:
            await connection.aclose()

    def _refused(self, lane: Lane, error: TransportRefused) -> None:
        if error.code == TRANSPORT_FLOOD:
            self._hold_until = _now() + HOLD_SECONDS
        elif error.code == UNKNOWN_KEY and lane.address is not None:
            if lane.address.media_only:
                self._dialler.failed(lane.address)  # a server that does not share all keys, perhaps
            elif self._authorization.is_home:
                raise SessionEnded("AUTH_KEY_NOT_FOUND") from error
            self._forget_key(lane.ready.result().key)

    def _forget_key(self, key: AuthorizationKey | None) -> None:
        """Have another key made, and end what is encrypted with this one."""
        self._authorization.forget_key(key)
        for lane in self._lanes:
            if lane.connection is not None and lane.connection.key == key:
                lane.connection.close()


def _now() -> float:
    return asyncio.get_running_loop().time()
