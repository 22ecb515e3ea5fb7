"""The main connection of an account: what TelegramClient has for its MTProtoSender.

It is opened when something is asked, and one at a time. Telegram ends an authorization that has two of them
(https://core.telegram.org/api/errors#406-not-acceptable), so that each has ended for certain before the next
one is opened. One that was lost is made again by the next request, and not before: a data centre that
restarts is not to see all of its clients in one moment.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from telethon.errors import rpc_message_to_error
from telethon.tl import TLRequest, types
from telethon.tl.functions.auth import LogOutRequest

from tgbridge.errors import SessionEnded
from tgbridge.telegram.futures import look_at
from tgbridge.telegram.mtproto.auth_key import AuthorizationKey, KeyState
from tgbridge.telegram.mtproto.failures import (
    TRANSPORT_FLOOD,
    UNKNOWN_KEY,
    ConnectionFailed,
    PeerSilent,
    RpcFailed,
    TransportRefused,
)
from tgbridge.telegram.mtproto.key_exchange import create_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tgbridge.telegram.datacentres.directory import Directory, Place
    from tgbridge.telegram.mtproto.calls import Preamble
    from tgbridge.telegram.mtproto.connection import Connection

# auth.logOut is sometimes acknowledged and never answered.
_LOGOUT_GRACE_SECONDS: Final = 1.0


class Sender:
    """One MTProto session at a time, of one key at one data centre, on one connection.

    ``locate`` tells where that is. ``key`` is made when the connection is opened, if it is None; ``state`` is
    what is known of it, shared with its other sessions. ``on_open`` is told where a connection was opened,
    and with which key. ``hear`` is called with updates, and with None where some may have been lost.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[Place]],
        data_centres: Directory,
        *,
        key: bytes | None,
        state: KeyState,
        preamble: Callable[[], Preamble],
        connect_timeout: float,
        on_open: Callable[[Place, AuthorizationKey], None],
        hear: Callable[[Any], None],
    ) -> None:
        self._locate = locate
        self._data_centres = data_centres
        self._key = None if key is None else AuthorizationKey(key, state)
        self._state = state
        self._preamble = preamble
        self._connect_timeout = connect_timeout
        self._on_open = on_open
        self._hear = hear
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._waiting = 0  # how many wait for it to be opened
        self._usable = False
        self._unknown_key = 0  # how often in a row the server has said that it does not know the key
        self._closed = asyncio.get_running_loop().create_future()

    @property
    def key(self) -> AuthorizationKey:
        """The key, with what is known of it. Raises ConnectionFailed while there is none."""
        if self._key is None:
            raise ConnectionFailed("there is no key yet", not_received=True)
        return self._key

    # What TelegramClient uses of a sender, under its names

    def is_connected(self) -> bool:
        """Whether requests have a chance: it is open, or was lost and will be opened by the next one."""
        return self._usable and not self._closed.done()

    @property
    def disconnected(self) -> asyncio.Future[None]:
        """Is done when it is closed for good."""
        return self._closed

    def send(self, request: Any, ordered: bool = False) -> Any:  # noqa: ARG002 - Telethon's signature
        """Send one request, or several; futures of answers, as Telethon has them."""
        if not isinstance(request, TLRequest):
            return [self.send(one) for one in request]
        return asyncio.ensure_future(self._answer(request))

    async def _answer(self, request: TLRequest) -> Any:
        try:
            return await self.call(request)
        except RpcFailed as error:
            raise rpc_message_to_error(types.RpcError(error.code, error.message), request) from None
        except ConnectionFailed as error:
            raise ConnectionError(str(error)) from None

    async def disconnect(self) -> None:
        """Close for good; whoever waits gets ConnectionFailed. Returns when the server knows. Idempotent."""
        if not self._closed.done():
            self._closed.set_result(None)
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        if self._connection is not None:
            await self._connection.aclose()

    # Calls

    async def call(
        self, request: TLRequest, *, repeatable: bool = True, patience: float | None = None
    ) -> Any:
        """Make one attempt at a request.

        ``repeatable``: it may be sent again where the server has lost its memory of the session.
        ``patience``: how many seconds its answer may take; as a rule those of any request.
        Raises RpcFailed if the answer is an error, ConnectionFailed if there is none, and SessionEnded when
        the server says twice in a row that it does not know the key.
        """
        connection = await self.connection()
        call = connection.start(request, repeatable=repeatable, patience=patience)
        if isinstance(request, LogOutRequest):
            loop = asyncio.get_running_loop()
            call.acknowledged = lambda: loop.call_later(_LOGOUT_GRACE_SECONDS, call.succeed, True)
        try:
            answer = await call.answer
        except TransportRefused as error:
            if error.code == UNKNOWN_KEY and self._unknown_key > 1:
                raise SessionEnded("AUTH_KEY_NOT_FOUND") from error
            raise
        except RpcFailed:
            self._unknown_key = 0
            raise
        finally:
            connection.give_up(call)
        self._unknown_key = 0
        return answer

    async def connection(self) -> Connection:
        """Return the connection, open. Raises ConnectionFailed, and what ``locate`` raises."""
        current = self._connection
        if current is not None and current.usable:
            return current
        if self._closed.done():
            raise ConnectionFailed("closed", not_received=True)
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        task = self._opening
        self._waiting += 1
        try:
            await asyncio.wait({task})
        finally:
            self._waiting -= 1
            if not self._waiting and not task.done():
                # Nobody is left who waits for it.
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled():
            raise ConnectionFailed("closed", not_received=True)
        error = task.exception()
        if error is not None:
            # The same error for all who waited: each has a traceback of its own.
            raise error.with_traceback(None)
        return task.result()

    # Opening

    def _opened(self, task: asyncio.Task[Connection]) -> None:
        self._opening = None
        look_at(task)
        self._usable = not task.cancelled() and task.exception() is None

    async def _open(self) -> Connection:
        last = self._connection
        if last is not None:
            await last.aclose()  # kept until then: whoever gives up while waiting leaves that to the next
        try:
            async with asyncio.timeout(self._connect_timeout):
                place = await self._locate()
                connection = await self._begin(place)
        except TimeoutError as error:
            raise PeerSilent("connecting took too long", not_received=True) from error
        except OSError as error:
            raise ConnectionFailed(f"not connected ({type(error).__name__})", not_received=True) from error
        connection.on_end = self._lost
        self._connection = connection
        self._data_centres.statistics.reopened += last is not None
        return connection

    async def _begin(self, place: Place) -> Connection:
        centres = self._data_centres
        connection = await centres.connector.open(place.address.host, place.address.port)
        try:
            if self._key is None:
                made = await create_key(connection.exchange, centres.public_keys, centres.number(place.dc_id))
                self._state.salt, self._state.time_offset = made.state.salt, made.state.time_offset
                self._key = AuthorizationKey(made.key, self._state)
            connection.is_only = True
            connection.use(self._key, self._preamble, self._hear)
            self._on_open(place, self._key)
        except TransportRefused as error:
            await connection.aclose()
            if error.code == TRANSPORT_FLOOD:
                raise
            raise ConnectionFailed("the key exchange was refused", not_received=True) from error
        except BaseException:
            await connection.aclose()
            raise
        return connection

    def _lost(self, failure: ConnectionFailed) -> None:
        if isinstance(failure, TransportRefused) and failure.code == UNKNOWN_KEY:
            self._unknown_key += 1
        self._hear(None)
