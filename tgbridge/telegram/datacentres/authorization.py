"""How a connection comes by a key that is logged in.

At home, sessions of the account's own key are enough. Other data centres need a key of their own, made once,
and an authorization that is exported at home and imported there (https://core.telegram.org/api/datacenter).
CDN data centres need a key, made with their own RSA keys, and no authorization (https://core.telegram.org/cdn).
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from telethon.errors import rpc_message_to_error
from telethon.tl import functions, types

from tgbridge.errors import FloodWait
from tgbridge.telegram.futures import look_at
from tgbridge.telegram.mtproto.failures import ConnectionFailed, RpcFailed
from tgbridge.telegram.mtproto.rsa_keys import PublicKeys
from tgbridge.telegram.rpc.call import now
from tgbridge.telegram.rpc.errors import failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tgbridge.telegram.datacentres.account import FileAccount
    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.calls import Call
    from tgbridge.telegram.mtproto.connection import Connection

    MakeKey = Callable[[PublicKeys], Awaitable[AuthorizationKey]]
    """Makes a key, on a connection of its own, to a server that has one of these keys."""


class Authorization(ABC):
    """What makes connections to one data centre ready for calls; one per account and data centre."""

    is_home = False
    """Whether the key is the account's own, so that losing it ends the session."""
    is_anonymous = False
    """Whether nobody is signed in with the key, so that it may have parallel connections anywhere."""

    def __init__(self, account: FileAccount, dc_id: int) -> None:
        self._account = account
        self._dc_id = dc_id
        self._key = account.other_keys.get(dc_id)
        self.generation = 0
        """Grows whenever the key is logged in anew."""

    @property
    def key(self) -> AuthorizationKey | None:
        """The key, if there is one."""
        return self._key

    @property
    def number(self) -> int:
        """What the data centre is called in key exchanges."""
        return self._account.number(self._dc_id)

    async def main_connection(self) -> Connection | None:
        """Return the connection to use where there may be no other one beside it, if there is such a one."""
        return None

    async def doubt(self) -> None:  # noqa: B027 - where a key is easily had anew
        """See whether the session has ended, since the server does not know the key. Raises SessionEnded."""

    async def prepare(self, make_key: MakeKey) -> None:  # noqa: B027 - where there is a key already
        """Make the key, if there is none.

        May go on while the connection that is to be admitted is opened. Raises as `admit` does.
        """

    @abstractmethod
    async def admit(self, connection: Connection) -> Call | None:
        """Give a connection the key; return what calls have to come after, if the login is under way on it.

        Raises ConnectionFailed, the TelegramFailure that the account's main connection met, and FloodWait.
        """

    async def renew(self, connection: Connection, generation: int) -> bool:  # noqa: ARG002
        """Log in anew after a call that began in `generation` was told AUTH_KEY_UNREGISTERED.

        False where that is not the remedy. Raises as `admit` does.
        """
        return False

    def forget_key(self, key: AuthorizationKey | None) -> None:
        """Have another key made in place of `key`, which the server does not take any more."""
        if key is self._key:
            self._key = None
            self._account.other_keys.pop(self._dc_id, None)

    async def aclose(self) -> None:  # noqa: B027 - most have nothing under way
        """End what is under way. Idempotent."""


class HomeAuthorization(Authorization):
    """The account's own key, shared with its main connection."""

    is_home = True

    async def admit(self, connection: Connection) -> None:
        """Begin another session of the key."""
        connection.use(self._account.home_key(), self._account.preamble)

    async def main_connection(self) -> Connection:
        """Return the account's main connection. Raises ConnectionFailed and OSError."""
        return await self._account.main_connection()

    async def doubt(self) -> None:
        """Ask on the main connection, whose word counts."""
        await self._account.confirm()


class CdnAuthorization(Authorization):
    """A key made with a CDN's own RSA keys."""

    is_anonymous = True

    def __init__(self, account: FileAccount, dc_id: int) -> None:
        super().__init__(account, dc_id)
        self._making = asyncio.Lock()

    async def prepare(self, make_key: MakeKey) -> None:
        """Make a key by the RSA keys that the configuration names."""
        async with self._making:
            if self._key is None:
                pems = await self._account.cdn_public_keys(self._dc_id)
                self._key = await make_key(PublicKeys.of_pem("".join(pems)))
                self._account.other_keys[self._dc_id] = self._key

    async def admit(self, connection: Connection) -> None:
        """Begin a session of the key."""
        # Said to it is nothing but what a CDN has to know (https://core.telegram.org/cdn).
        connection.use(_existing(self._key), self._account.cdn_preamble)


class ForeignAuthorization(Authorization):
    """A key of another data centre, logged in by an authorization exported at home."""

    def __init__(self, account: FileAccount, dc_id: int) -> None:
        super().__init__(account, dc_id)
        self._logged_in = self._key is not None  # by an earlier client; `renew` sees to it if that has ended
        self._export: asyncio.Future[types.auth.ExportedAuthorization] | None = None
        self._login: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def prepare(self, make_key: MakeKey) -> None:
        """Make a key, which takes three round trips; meanwhile, the authorization is exported."""
        if self._key is not None:
            return  # without waiting for the login of a connection that came before
        async with self._turn:
            if self._key is None:
                self._check_wait()
                self._export = self._export or self._begin_export()
                self._key = await make_key(self._account.public_keys)

    async def admit(self, connection: Connection) -> Call | None:
        """Begin a session of the key, which the first connection logs in; others wait for that."""
        async with self._turn:
            connection.use(_existing(self._key), self._account.preamble)
            if self._logged_in:
                return None
            if self._login is None or _has_failed(self._login):
                return await self._log_in(connection)
            login = self._login
        await _outcome(login)
        return None

    async def renew(self, connection: Connection, generation: int) -> bool:
        """Export and import once more, unless another call has seen to it."""
        async with self._turn:
            if self._login is not None and not self._login.done():
                await _outcome(self._login)
            if generation == self.generation:
                await self._log_in(connection)
            login = self._login
        if login is not None:
            await _outcome(login)
        return True

    def forget_key(self, key: AuthorizationKey | None) -> None:
        """Have another key made."""
        super().forget_key(key)
        if self._key is None:
            self._login = None
            self._logged_in = False

    async def aclose(self) -> None:
        """Give up an export and a login that are under way."""
        under_way = [future for future in (self._export, self._login) if future is not None]
        for future in under_way:
            future.cancel()
        if under_way:
            await asyncio.wait(under_way)

    def _check_wait(self) -> None:
        """Raise FloodWait while Telegram wants no login here; the account's next client knows it, too."""
        left = self._account.login_waits.get(self._dc_id, 0.0) - now()
        if left > 0:
            raise FloodWait(math.ceil(left))

    def _note_wait(self, wait: FloodWait) -> None:
        self._account.login_waits[self._dc_id] = now() + wait.seconds

    def _begin_export(self) -> asyncio.Future[types.auth.ExportedAuthorization]:
        export = asyncio.ensure_future(self._account.export_authorization(self._dc_id))
        export.add_done_callback(look_at)
        return export

    async def _log_in(self, connection: Connection) -> Call:
        self._check_wait()
        self._logged_in = False
        self._export = self._export or self._begin_export()
        await asyncio.wait((self._export,))
        export, self._export = self._export, None  # it is good for once
        try:
            exported = export.result()
        except FloodWait as wait:
            self._note_wait(wait)
            raise
        call = connection.start(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
        self._login = asyncio.create_task(self._finish(connection, call))
        self._login.add_done_callback(look_at)
        return call

    async def _finish(self, connection: Connection, call: Call) -> None:
        try:
            await call.answer
        except RpcFailed as error:
            refusal = failure(rpc_message_to_error(types.RpcError(error.code, error.message), call.request))
            if isinstance(refusal, FloodWait):
                self._note_wait(refusal)
            raise
        finally:
            connection.give_up(call)
        self.generation += 1
        if connection.key is self._key is not None:
            self._account.other_keys[self._dc_id] = self._key


def _existing(key: AuthorizationKey | None) -> AuthorizationKey:
    if key is None:
        raise ConnectionFailed("the key was lost")  # since it was made
    return key


async def _outcome(login: asyncio.Task[None]) -> None:
    """Wait for a login without ending it. Raises ConnectionFailed."""
    await asyncio.wait((login,))
    if login.cancelled():
        raise ConnectionFailed("closed")
    try:
        login.result()
    except RpcFailed as error:
        # An exported authorization is good for a short time only: the next attempt gets a new one.
        raise ConnectionFailed(f"authorization not imported: {error.message}") from error


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
