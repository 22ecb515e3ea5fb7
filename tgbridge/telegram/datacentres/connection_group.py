"""One account's connections to one data centre.

Telegram lets one authorization have parallel connections at addresses for media alone: where a data centre
sees them at another address, it ends the authorization for good by AUTH_KEY_DUPLICATED
(https://core.telegram.org/api/errors#406-not-acceptable). Without an address for media, there is one
connection, and at home that is the main one.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import SESSION_ENDED, TelegramFailure, TelegramUnavailable
from tgbridge.telegram.datacentres.member import Member
from tgbridge.telegram.mtproto.failures import (
    TRANSPORT_FLOOD,
    UNKNOWN_KEY,
    ConnectionFailed,
    PeerSilent,
    RpcFailed,
    TransportRefused,
)
from tgbridge.telegram.mtproto.key_exchange import create_key
from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

    from telethon.tl import TLRequest

    from tgbridge.telegram.datacentres.account import Address
    from tgbridge.telegram.datacentres.authorization import Authorization
    from tgbridge.telegram.datacentres.dialling import Dialler
    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.connection import Connection
    from tgbridge.telegram.mtproto.rsa_keys import PublicKeys
    from tgbridge.telegram.rpc.patience import Patience

_log = logging.getLogger(__name__)

HOLD_SECONDS: Final = 30.0
"""After one connection could not be opened, no further one is opened beside the others for so long."""

# What only home can tell of the session as a whole; elsewhere, a login or a key is to be had anew.
_KEY_LOST: Final = frozenset({"AUTH_KEY_DUPLICATED", "AUTH_KEY_INVALID"})
_NOT_LOGGED_IN: Final = SESSION_ENDED - _KEY_LOST | {"MSG_WAIT_FAILED"}  # the last: after a login that failed


class ConnectionGroup:
    """Up to `limit()` connections, opened as they are needed, the least burdened chosen first.

    The limit may change at any time. They are closed when nothing was asked on them for `idle_seconds`.
    `connect_timeout` is in seconds, too.
    """

    def __init__(
        self,
        addresses: Callable[[], Awaitable[Sequence[Address]]],
        authorization: Authorization,
        dialler: Dialler,
        *,
        limit: Callable[[], int],
        connect_timeout: float,
        idle_seconds: float,
    ) -> None:
        self._limit = limit
        self._addresses = addresses
        self._authorization = authorization
        self._dialler = dialler
        self._connect_timeout = connect_timeout
        self._idle_seconds = idle_seconds
        self._members: list[Member] = []
        self._only: Connection | None = None  # the latest of those that may have no other beside them
        self._parallel: bool | None = None  # whether there may be several; None while no address is known
        self._tasks: set[asyncio.Task[None]] = set()
        self._hold_until = 0.0
        self._unknown_key = 0  # how often in a row the server has said that it does not know the key
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def connections(self) -> int:
        """How many are open."""
        return sum(member.connection is not None for member in self._members)

    @property
    def calls(self) -> int:
        """How many wait for their answers."""
        return sum(member.calls for member in self._members)

    def warm(self) -> None:
        """Begin to open the first connection, if there is none."""
        if not self._members and not self._closed:
            self._members.append(self._open_member())

    async def call(self, request: TLRequest, weight: int, patience: Patience) -> Any:
        """Make one attempt at a call of `weight` bytes; log in anew where that is the remedy.

        A connection that is being opened is waited for until patience ends, and opened on for others.
        Raises RpcFailed for an error that the server answers, ConnectionFailed where another attempt may do,
        the TelegramFailure that the account's main connection met, and FloodWait where the login has to wait.
        """
        if self._parallel is None:
            async with _until(patience):
                await self._locate()
        for renewed in (False, True):
            generation = self._authorization.generation
            member = self._choose()
            member.begin(weight)
            try:
                if not member.ready.done():
                    async with _until(patience):
                        await asyncio.shield(member.ready)
                connection = member.ready.result()
                answer = await connection.call(request, after=member.after)
            except TransportRefused as error:
                await self._refused(member, error)
                raise
            except RpcFailed as error:
                self._unknown_key = 0
                if self._authorization.is_home or error.message not in _KEY_LOST | _NOT_LOGGED_IN:
                    raise
                if error.message in _KEY_LOST:
                    self._forget_key(connection.key)
                    raise ConnectionFailed("the key was lost") from error
                if renewed or not await self._authorization.renew(connection, generation):
                    raise TelegramUnavailable("the data centre does not accept the authorization") from error
            else:
                self._unknown_key = 0
                return answer
            finally:
                member.end(weight)
                self._close_idle_later()
        raise AssertionError("unreachable: the second attempt returns or raises")

    async def aclose(self) -> None:
        """Close all connections; calls fail with ConnectionFailed. Idempotent."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for member in self._members:
            await member.aclose()
        await self._part()
        await self._authorization.aclose()

    # Which connection

    async def _locate(self) -> Sequence[Address]:
        """Return all addresses, and see whether there may be several connections."""
        addresses = await self._addresses()
        self._parallel = self._authorization.is_anonymous or any(map(_for_media, addresses))
        return addresses

    def _choose(self) -> Member:
        if self._closed:
            raise ConnectionFailed("closed")
        members = self._members = [member for member in self._members if not member.ended]
        limit = self._limit() if self._parallel else 1
        more_wanted = len(members) < limit and all(member.calls for member in members)
        if more_wanted and (not members or now() >= self._hold_until):
            members.append(self._open_member())
        # Those beyond what may be in use by now rest until they are closed. Of equals the one that has rested
        # longest, so that what is asked again is asked elsewhere.
        return min(members[:limit], key=lambda member: (member.burden, member.idle_since))

    def _close_idle_later(self) -> None:
        if self._timer is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._idle_seconds, self._close_idle)

    def _close_idle(self) -> None:
        """Close what has not been used for a while; Telegram's own apps do so, too."""
        self._timer = None
        since: list[float] = []
        for member in self._members:
            if member.connection is None or member.calls or member.borrowed:
                continue
            if member.idle_since + self._idle_seconds <= now():
                member.connection.close()
            else:
                since.append(member.idle_since)
        if since:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(min(since) + self._idle_seconds, self._close_idle)

    # Opening

    def _open_member(self) -> Member:
        member = Member()
        self._spawn(self._open(member))
        return member

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, member: Member) -> None:
        try:
            member.succeed(await self._connect(member))
        except asyncio.CancelledError:
            member.fail(ConnectionFailed("closed"))
            raise
        except Exception as error:
            if isinstance(error, ConnectionFailed):
                self._hold_until = now() + HOLD_SECONDS
            member.fail(error)
            if not isinstance(error, ConnectionFailed | TelegramFailure):
                raise
            _log.debug("a file connection was not opened: %s", error)
        else:
            member.idle_since = now()
            self._close_idle_later()

    async def _connect(self, member: Member) -> Connection:
        addresses = await self._locate()
        if not self._parallel:
            main = await self._authorization.main_connection()
            if main is not None:
                member.borrowed = True
                return main
            await self._part()
        preparing = asyncio.create_task(self._authorization.prepare(partial(self._make_key, addresses)))
        connection = None
        try:
            async with asyncio.timeout(self._connect_timeout) as limit:
                member.address, connection = await self._dialler.dial(
                    list(filter(_for_media, addresses)) or addresses
                )
                await preparing
                # A login has time-outs of its own, and may have to sit a flood wait out.
                limit.reschedule(None)
                if not self._parallel:
                    connection.is_only, self._only = True, connection
                member.after = await self._authorization.admit(connection)
        except BaseException as error:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)
            if connection is not None:
                await connection.aclose()
            if isinstance(error, TimeoutError):
                if member.address is not None:
                    self._dialler.failed(member.address)
                raise PeerSilent("the data centre does not answer") from error
            raise
        return connection

    async def _part(self) -> None:
        """Make sure that the server knows of the end of the only connection there was."""
        if self._only is not None:
            await self._only.aclose()

    async def _make_key(self, addresses: Sequence[Address], keys: PublicKeys) -> AuthorizationKey:
        """Make a key on a connection apart, at an ordinary address if one is known, as other clients do."""
        ordered = sorted(addresses, key=lambda address: address.media_only)
        address, connection = await self._dialler.dial(ordered)
        number = self._authorization.number
        try:
            return await create_key(connection.exchange, keys, -number if address.media_only else number)
        except (ConnectionFailed, asyncio.CancelledError) as error:
            self._dialler.failed(address)
            if isinstance(error, TransportRefused) and error.code != TRANSPORT_FLOOD:
                raise ConnectionFailed("the key exchange was refused") from error
            raise
        finally:
            await connection.aclose()

    # Losing the key

    async def _refused(self, member: Member, error: TransportRefused) -> None:
        """Act on a transport error. Raises SessionEnded where the main connection's server confirms it."""
        if error.code == TRANSPORT_FLOOD:
            self._hold_until = now() + HOLD_SECONDS
        if error.code != UNKNOWN_KEY:
            return
        if member.address is not None:
            self._dialler.failed(member.address)  # a server that does not share all keys, perhaps
        self._unknown_key += not member.refused
        member.refused = True
        # It also comes for what was damaged on its way: the second one in a row is believed.
        if self._unknown_key > 1:
            self._unknown_key = 0
            await self._authorization.doubt()
            self._forget_key(self._authorization.key)

    def _forget_key(self, key: AuthorizationKey | None) -> None:
        """Have another key made, and end what is encrypted with this one."""
        self._authorization.forget_key(key)
        for member in self._members:
            if member.connection is not None and member.connection.key == key:
                member.connection.close()


@asynccontextmanager
async def _until(patience: Patience) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(patience.give_up_at):
            yield
    except TimeoutError as error:
        raise PeerSilent("there was no connection in time", not_received=True) from error


def _for_media(address: Address) -> bool:
    return address.media_only
