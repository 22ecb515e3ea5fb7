"""One account, or one login under way: Telethon's client, with an end to every wait, and our errors.

Connecting takes no request of its own: Telethon's help.getConfig, users.getUsers, updates.getState and
updates.getDifference serve a client that keeps up with updates, which this one does not. The first request
carries invokeWithLayer and initConnection instead (https://core.telegram.org/api/invoking), and so does each
one until the server has answered it; a session that Telegram has ended shows with its answer.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final

from telethon import TelegramClient, errors, utils
from telethon.sessions import StringSession
from telethon.tl import functions, types

from tgbridge.errors import FloodWait, SettingsError, TelegramFailure, TelegramUnavailable
from tgbridge.telegram.addresses import Place
from tgbridge.telegram.errors import is_internal, translated
from tgbridge.telegram.files.account import Address
from tgbridge.telegram.files.connections import FileConnections
from tgbridge.telegram.greeting import first_request, next_request
from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
from tgbridge.telegram.rpc.gates import Gates
from tgbridge.telegram.sender import BridgeConnection, BridgeSender
from tgbridge.telegram.session_keys import SessionKeys
from tgbridge.telegram.telethon_log import LOGGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from telethon.tl import TLRequest

    from tgbridge.settings import Settings
    from tgbridge.telegram.addresses import DataCentres

_ATTEMPTS: Final = 4
_FIRST_DELAY_SECONDS: Final = 0.05
_FLOOD_WAITS_IN_A_ROW: Final = 5

_MIGRATIONS: Final = (errors.PhoneMigrateError, errors.NetworkMigrateError, errors.UserMigrateError)
_NOT_GREETED: Final = (errors.ConnectionNotInitedError, errors.ConnectionLayerInvalidError)


class BridgeClient(TelegramClient):  # type: ignore[misc]  # Telethon has no types
    """A client for the session in ``session``, or with a key of its own if that is empty.

    ``await client(request)`` raises TelegramFailure kinds only. ``files`` are the account's connections for
    file contents. ``on_new_key`` is called when the client has moved to another data centre, where its key,
    and with it the session string, is another one. ``on_update``, once it is set, is called with the updates
    (TypeUpdates) that requests from then on bring about, until the client is closed; and with None where some
    may have been lost, since the connection was: it takes another request to be sent updates again.
    ``keys``: what an earlier client of the session knew of its keys; this one keeps it up to date.
    Raises ValueError for a text that is no session string.
    """

    ping_seconds: float = 60.0

    def __init__(
        self,
        session: str,
        settings: Settings,
        data_centres: DataCentres,
        keys: SessionKeys | None = None,
        gates: Gates | None = None,
    ) -> None:
        telegram = settings.telegram
        if telegram.api_id is None or telegram.api_hash is None:
            raise SettingsError("TELEGRAM_API_ID and TELEGRAM_API_HASH are missing")
        super().__init__(
            StringSession(session),
            telegram.api_id,
            telegram.api_hash.get_secret_value(),
            connection=BridgeConnection,
            use_ipv6=telegram.use_ipv6,
            device_model=telegram.device_model,
            app_version=telegram.app_version,
            system_version=telegram.system_version,
            flood_sleep_threshold=0,
            receive_updates=False,
        )
        self._log = LOGGERS
        self._telegram = telegram
        self._data_centres = data_centres
        self.keys = keys or SessionKeys()
        self._sender = self._new_sender(self.session.auth_key, self.keys)
        self._greeted: int | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._keeping_alive: asyncio.Task[None] | None = None
        self._moving = asyncio.Lock()
        self._asking_addresses = asyncio.Lock()
        self.on_new_key: Callable[[], None] | None = None
        self.on_update: Callable[[Any], None] | None = None
        self.files = FileConnections(self, settings, Gates() if gates is None else gates)

    # The life of the connection

    @property
    def is_usable(self) -> bool:
        """Whether requests have a chance: connected, or connecting anew after a loss. If not: ``connect``."""
        return self._closing is None and bool(self._sender.is_connected())

    def session_string(self) -> str:
        """Telethon's StringSession, a secret: data centre, address and key. Empty without a key."""
        return str(self.session.save())

    async def connect(self) -> None:
        """Connect, and agree on a key if there is none, all within ``telegram.connect_timeout_seconds``.

        Does nothing if connected. Raises TelegramUnavailable.
        """
        if self._closing is not None:
            raise TelegramUnavailable("the client is closed")
        async with self._moving:  # in the middle of which it is not connected
            if not self.is_usable:
                with translated():
                    await self._apart(self._open())

    async def disconnect(self) -> None:
        """Close all connections and end all tasks, also while connecting.

        Whoever waits gets TelegramUnavailable. Final, and the same however often it is called.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _open(self) -> None:
        async with asyncio.timeout(self._telegram.connect_timeout_seconds):
            session = self.session
            if session.auth_key:
                place = await self._data_centres.home(
                    Place(session.dc_id, Address(session.server_address, session.port))
                )
            else:
                place = await self._data_centres.start()
            sender = self._new_sender(session.auth_key, self.keys)
            await self._connect_sender(sender, place)
        await self._adopt(sender, place)

    async def _move(self, dc_id: int) -> None:
        """Begin anew at another data centre, with a new key; the old one belongs to nobody."""
        found = await self._data_centres.addresses(self._send, dc_id)
        if not found:
            raise TelegramUnavailable(f"Telegram names no usable address of data centre {dc_id}")
        place = Place(dc_id, found[0])
        # First, so that a flood of logins never has more connections than the pool has clients.
        await self._sender.disconnect()
        keys = SessionKeys()
        sender = self._new_sender(None, keys)
        await self._connect_sender(sender, place)
        self.keys = keys
        await self._adopt(sender, place)
        if self.on_new_key is not None:
            self.on_new_key()

    def _new_sender(self, auth_key: Any, keys: SessionKeys) -> BridgeSender:
        return BridgeSender(
            auth_key,
            keys.home,
            patience=self._telegram.connect_timeout_seconds,
            greet=self._greet,
            hear=lambda updates: None if self.on_update is None else self.on_update(updates),
        )

    def _greet(self, request: TLRequest) -> TLRequest:
        return first_request(self._init_request, request, updates=self.on_update is not None)

    async def _connect_sender(self, sender: BridgeSender, place: Place) -> None:
        dc_id, address = place
        try:
            await sender.connect(BridgeConnection(address.host, address.port, dc_id, loggers=LOGGERS))
        except BaseException:
            await sender.disconnect()
            raise

    async def _adopt(self, sender: BridgeSender, place: Place) -> None:
        old, self._sender = self._sender, sender
        self._greeted = None
        self.session.set_dc(place.dc_id, place.address.host, place.address.port)
        self.session.auth_key = sender.auth_key
        if self._keeping_alive is not None:
            self._keeping_alive.cancel()
        self._keeping_alive = asyncio.create_task(self._keep_alive(sender))
        await old.disconnect()

    async def _close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        await self.files.aclose()
        await self._sender.disconnect()
        if self._keeping_alive is not None:
            self._keeping_alive.cancel()
            await asyncio.wait({self._keeping_alive})

    async def _apart(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work`` in a task that ``disconnect`` can end, and that ends with whoever waits for it."""
        task = self._opening = asyncio.create_task(work)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        finally:
            self._opening = None
        if task.cancelled():
            raise ConnectionError("closed while connecting")
        task.result()

    async def _keep_alive(self, sender: BridgeSender) -> None:
        """Notice a peer that has fallen silent, within ``ping_seconds`` and a request's time-out."""
        loop = asyncio.get_running_loop()
        while sender.is_connected():
            await asyncio.sleep(self.ping_seconds)
            asked_at = loop.time()
            try:
                with translated():
                    async with asyncio.timeout(self._telegram.request_timeout_seconds):
                        await sender.send(functions.PingRequest(random.getrandbits(63)))
            except TelegramFailure:
                sender.suspect(asked_at)

    # Requests

    async def __call__(self, request: TLRequest) -> Any:
        """Ask Telegram and return its answer, within ``telegram.request_timeout_seconds``.

        Internal errors are tried again shortly after, a few times. A login follows PHONE_MIGRATE and its
        like. Raises TelegramFailure kinds: FLOOD_WAIT at once, however short (``patiently`` sits it out).
        """
        await request.resolve(self, utils)
        asked_at = asyncio.get_running_loop().time()
        try:
            with translated():
                async with asyncio.timeout(self._time_allowed()):
                    return await self._persist(request)
        except TelegramUnavailable as error:
            if isinstance(error.__cause__, TimeoutError):
                self._sender.suspect(asked_at)
            raise

    async def patiently(self, request: TLRequest, on_wait: Callable[[float], None] | None = None) -> Any:
        """As ``await client(request)``, but waits of up to ``telegram.flood_wait_seconds`` are sat out.

        ``on_wait`` is told the seconds before each.
        """
        for _ in range(_FLOOD_WAITS_IN_A_ROW):
            try:
                return await self(request)
            except FloodWait as wait:
                if wait.seconds > self._telegram.flood_wait_seconds:
                    raise
                if on_wait is not None:
                    on_wait(wait.seconds)
                await asyncio.sleep(wait.seconds)
        return await self(request)

    def _time_allowed(self) -> float:
        """Seconds: the first answer belongs to connecting, so that a silent peer is found out as soon."""
        telegram = self._telegram
        if self._greeted is None:
            return min(telegram.connect_timeout_seconds, telegram.request_timeout_seconds)
        return telegram.request_timeout_seconds

    async def _persist(self, request: TLRequest) -> Any:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._send(request)
            except _NOT_GREETED:
                if attempt == _ATTEMPTS:
                    raise
                self._greeted = None
            except _MIGRATIONS as error:
                if attempt == _ATTEMPTS or await self._signed_in():
                    raise
                await self._follow(error.new_dc)
            except errors.RPCError as error:
                if attempt == _ATTEMPTS or not is_internal(error):
                    raise
                await asyncio.sleep(_FIRST_DELAY_SECONDS * 2.0**attempt * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(self, request: TLRequest) -> Any:
        sender = self._sender
        session_id = sender.session_id
        greeted = self._greeted == session_id
        updates = self.on_update is not None
        answer = await sender.send(
            next_request(request, updates=updates) if greeted else self._greet(request)
        )
        if sender is self._sender:
            self._greeted = session_id
        return answer

    async def _signed_in(self) -> bool:
        try:
            await self._send(functions.users.GetUsersRequest([types.InputUserSelf()]))
        except errors.UnauthorizedError:
            return False
        return True

    async def follow(self, dc_id: int) -> None:
        """Go on at another data centre, with a new key, within ``telegram.connect_timeout_seconds``.

        Nobody may be signed in. Does nothing if the client is there. Raises TelegramUnavailable.
        """
        with translated():
            async with asyncio.timeout(self._telegram.connect_timeout_seconds):
                await self._follow(dc_id)

    async def _follow(self, dc_id: int) -> None:
        async with self._moving:
            # Another request may have led the way meanwhile.
            if self._closing is not None:
                raise ConnectionError("the client is closed")
            if self.session.dc_id != dc_id:
                await self._apart(self._move(dc_id))

    # The account, as its file connections see it (files/account.py)

    @property
    def home_dc_id(self) -> int:
        """The data centre of the main connection."""
        return int(self.session.dc_id)

    def home_key(self) -> AuthorizationKey:
        """The main connection's key, and the state that it shares."""
        return AuthorizationKey(self.session.auth_key.key, self.keys.home)

    @property
    def other_keys(self) -> dict[int, AuthorizationKey]:
        """Keys of other data centres, kept from one client of the session to the next."""
        return self.keys.others

    def initialised(self, query: TLRequest, *, without_updates: bool = True) -> TLRequest:
        """``query`` as the first request of an MTProto session. It stands at the end of the bytes."""
        return first_request(self._init_request, query, updates=not without_updates)

    async def addresses(self, dc_id: int, *, cdn: bool = False) -> Sequence[Address]:
        """The addresses for files of a data centre, best first; none if Telegram names none."""
        async with self._asking_addresses:
            return await self._data_centres.addresses(self.patiently, dc_id, media=True, cdn=cdn)

    async def export_authorization(self, dc_id: int) -> types.auth.ExportedAuthorization:
        """What logs a key of another data centre in, once."""
        return await self.patiently(functions.auth.ExportAuthorizationRequest(dc_id))

    async def cdn_public_keys(self, dc_id: int) -> Sequence[str]:
        """The RSA public keys of a CDN data centre, in PEM."""
        config = await self.patiently(functions.help.GetCdnConfigRequest())
        return tuple(key.public_key for key in config.public_keys if key.dc_id == dc_id)
