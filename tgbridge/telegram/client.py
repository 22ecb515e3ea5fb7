"""One account, or one login under way: Telethon's client over our own connections, with our errors.

Connecting takes no request of its own: Telethon's help.getConfig, users.getUsers, updates.getState and
updates.getDifference serve a client that keeps up with updates, which this one does not. The first request
says who we are instead (https://core.telegram.org/api/invoking), and so does each one until the server has
answered it; a session that Telegram has ended shows with its answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from telethon import TelegramClient, utils
from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl import TLRequest, functions, types

from tgbridge.errors import (
    AnswerLost,
    InternalError,
    SessionEnded,
    SettingsError,
    TelegramUnavailable,
)
from tgbridge.telegram.datacentres.account import Address
from tgbridge.telegram.datacentres.directory import Place
from tgbridge.telegram.datacentres.main_connection import Sender
from tgbridge.telegram.datacentres.router import Router
from tgbridge.telegram.datacentres.session_keys import SessionKeys
from tgbridge.telegram.mtproto.calls import init_connection
from tgbridge.telegram.mtproto.failures import RpcFailed
from tgbridge.telegram.rpc.answers import translate_answers
from tgbridge.telegram.rpc.call import compose, now
from tgbridge.telegram.rpc.closing import Closing
from tgbridge.telegram.rpc.counting import count_calls
from tgbridge.telegram.rpc.errors import translated
from tgbridge.telegram.rpc.flood_waits import sit_out_flood_waits
from tgbridge.telegram.rpc.gate import take_turns
from tgbridge.telegram.rpc.gates import Gates
from tgbridge.telegram.rpc.internal_errors import repeat_internal_errors
from tgbridge.telegram.rpc.log import log_calls
from tgbridge.telegram.rpc.lost_connections import outlast_lost_connections
from tgbridge.telegram.rpc.migration import follow_migrations
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.rpc.repeatable import may_be_repeated
from tgbridge.telegram.single_flight import SingleFlight
from tgbridge.telegram.updates.reading import answered, unanswered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tgbridge.settings import Settings
    from tgbridge.telegram.datacentres.directory import Directory
    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.calls import Preamble
    from tgbridge.telegram.mtproto.connection import Connection
    from tgbridge.telegram.mtproto.connector import Connector
    from tgbridge.telegram.mtproto.rsa_keys import PublicKeys
    from tgbridge.telegram.rpc.gate import Gate

VOUCHED_SECONDS: Final = 60.0
"""How long a session that Telegram has answered counts as one that lives, without asking again."""

# What Telethon logs below WARNING may have contents in it.
_TELETHON: Final = logging.getLogger("tgbridge.telegram.telethon")
_TELETHON.setLevel(logging.WARNING)

# Some thirty in half a minute, and then waits that rise for who does not slow down (docs/telegram.md).
_PACED: Final = frozenset({functions.messages.GetHistoryRequest, functions.messages.SearchRequest})


class BridgeClient(TelegramClient):  # type: ignore[misc]  # Telethon has no types
    """A client for the session in ``session``, or with a key of its own if that is empty.

    ``await client(request)`` raises TelegramFailure kinds only. ``files`` are the account's connections for
    file contents. ``on_new_key`` is called when the client has moved to another data centre, where its key,
    and with it the session string, is another one.
    ``login_turn`` is held while a step of a login is taken, so that the next one finds what came of it.
    ``keys``: what an earlier client of the session knew of its keys; this one keeps it up to date.
    Raises ValueError for a text that is no session string.
    """

    def __init__(
        self,
        session: str,
        settings: Settings,
        data_centres: Directory,
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
            use_ipv6=telegram.use_ipv6,
            device_model=telegram.device_model,
            app_version=telegram.app_version,
            system_version=telegram.system_version,
            flood_sleep_threshold=0,
            receive_updates=False,
            base_logger=_TELETHON,
        )
        self._telegram = telegram
        self._data_centres = data_centres
        self.keys = keys or SessionKeys()
        hello = functions.InitConnectionRequest(
            api_id=telegram.api_id,
            device_model=telegram.device_model,
            system_version=telegram.system_version,
            app_version=telegram.app_version,
            system_lang_code="en",
            lang_pack="",  # those of official apps only
            lang_code="en",
            query=None,
            # By which messages.getSearchResultsCalendar tells days.
            params=types.JsonObject([types.JsonObjectValue("tz_offset", types.JsonNumber(0.0))]),
        )
        self._quiet = init_connection(hello, updates=False)
        self._listening = init_connection(hello, updates=True)
        self._sender = self._home_sender()
        self._closing: asyncio.Task[None] | None = None
        self._answered_at = -math.inf
        self._vouching: SingleFlight[Any] | None = None
        self._moving = asyncio.Lock()
        self._asking_addresses = asyncio.Lock()
        self.login_turn = asyncio.Lock()
        self.on_new_key: Callable[[], None] | None = None
        self._hearers: dict[Callable[[Any], None], None] = {}
        self._is_sent_updates = False
        self.files = Router(self, settings, Gates() if gates is None else gates, data_centres.statistics)
        self._ending = Closing()
        self._ask = compose(
            self._attempt,
            partial(take_turns, gate_of=self._gate, weight_of=lambda _request: 0),
            translate_answers,
            partial(log_calls, where=lambda: self.home_dc_id),
            partial(count_calls, statistics=data_centres.statistics),
            outlast_lost_connections,
            repeat_internal_errors,
            sit_out_flood_waits,
            partial(follow_migrations, follow=self._follow_login),
            self._ending,
        )

    # The life of the connection

    @property
    def is_usable(self) -> bool:
        """Whether requests have a chance: connected, or lost and then connected by them; else `connect`."""
        return self._closing is None and bool(self._sender.is_connected())

    def session_string(self) -> str:
        """Telethon's StringSession, a secret: data centre, address and key. Empty without a key."""
        return str(self.session.save())

    async def connect(self) -> None:
        """Connect, and agree on a key if there is none, all within ``telegram.connect_timeout_seconds``.

        Does nothing if connected. Raises TelegramUnavailable.
        """
        async with self._moving:  # in the middle of which it is not connected
            if not self.is_usable:
                await self._open(self._sender)

    async def disconnect(self) -> None:
        """Close all connections and end all tasks, also while connecting.

        Whoever waits gets TelegramUnavailable. Final, and the same however often it is called.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._ending.close()
        await self.files.aclose()
        await self._sender.disconnect()

    async def _open(self, sender: Sender) -> None:
        """Open a connection, as often as it takes within the time-out."""

        async def connect(_request: TLRequest, _patience: Patience) -> None:
            await sender.connection()

        seconds = self._telegram.connect_timeout_seconds
        patience = Patience(give_up_at=now() + seconds, flood_wait=0)
        call = compose(connect, outlast_lost_connections, self._ending)
        with translated():
            async with asyncio.timeout(seconds):
                await call(functions.PingRequest(0), patience)

    def _home_sender(self) -> Sender:
        """Return what speaks to the session's data centre, or begins at Telegram's usual one."""
        key = self.session.auth_key
        return self._new_sender(self._locate, key and key.key, self.keys)

    async def _locate(self) -> Place:
        session = self.session
        if not session.auth_key:
            return await self._data_centres.start()
        stored = Address(session.server_address, session.port)
        return await self._data_centres.home(Place(session.dc_id, stored))

    def _new_sender(
        self, locate: Callable[[], Awaitable[Place]], key: bytes | None, keys: SessionKeys
    ) -> Sender:
        return Sender(
            locate,
            self._data_centres,
            key=key,
            state=keys.home,
            preamble=self._main_preamble,
            connect_timeout=self._telegram.connect_timeout_seconds,
            on_open=self._adopt,
            hear=self._hear,
        )

    def _adopt(self, place: Place, key: AuthorizationKey) -> None:
        self.session.set_dc(place.dc_id, place.address.host, place.address.port)
        self.session.auth_key = AuthKey(key.key)
        self._is_sent_updates = False

    # Updates

    def hear(self, tell: Callable[[Any], None]) -> Callable[[], None]:
        """Have ``tell`` called with updates (TypeUpdates); return what ends that. Several may hear.

        It takes a request to be sent them, and another one after ``tell`` was called with None: the
        connection was lost, and some of them may have been. What the answers to requests of this client say
        of the account's messages is heard, too: Telegram tells the account's other sessions only.
        ``tell`` is quick, and raises nothing.
        """
        self._hearers[tell] = None
        return lambda: self._hearers.pop(tell, None)

    @property
    def is_told_in_vain(self) -> bool:
        """Whether it is sent updates though nobody hears them, as it will be while the connection lasts."""
        return self._is_sent_updates and not self._hearers

    def _main_preamble(self) -> Preamble:
        self._is_sent_updates = self._is_sent_updates or bool(self._hearers)
        return self._listening if self._hearers else self._quiet

    def _hear(self, updates: Any) -> None:
        for tell in tuple(self._hearers):
            tell(updates)

    # Requests

    async def __call__(
        self,
        request: TLRequest | Sequence[TLRequest],
        ordered: bool = False,  # noqa: ARG002 - Telethon's signature
        flood_sleep_threshold: int | None = None,  # noqa: ARG002 - likewise
    ) -> Any:
        """Ask Telegram and return its answer, within ``telegram.request_timeout_seconds``.

        Internal errors and lost connections are asked again meanwhile, but for what must not be repeated
        (repeatable.py). A login follows PHONE_MIGRATE and its like. Raises TelegramFailure kinds: FLOOD_WAIT
        at once, however short (``patiently`` sits it out); AnswerLost for what must not be repeated.
        Several requests are made one after the other. The other arguments are Telethon's, and do nothing.
        """
        if not isinstance(request, TLRequest):
            return [await self(one) for one in request]
        return await self.call(request, Patience.of_login(self._telegram))

    async def patiently(self, request: TLRequest) -> Any:
        """As ``await client(request)``, but waits of up to ``telegram.flood_wait_seconds`` are sat out."""
        return await self.call(request, Patience.of_first_bytes(self._telegram))

    async def call(self, request: TLRequest, patience: Patience) -> Any:
        """Ask Telegram and return its answer, with the caller's patience. Raises as a call without it does.

        What must not be repeated is not, whatever the patience says; and a peer that is silent is found out
        within ``telegram.request_timeout_seconds``.
        """
        sent = False

        def note() -> None:
            nonlocal sent
            sent = True
            if patience.on_turn is not None:
                patience.on_turn()

        repeatable = patience.repeatable and may_be_repeated(request)
        try:
            with translated():
                async with asyncio.timeout_at(patience.give_up_at):
                    await request.resolve(self, utils)
                    answer = await self._ask(request, patience._replace(repeatable=repeatable, on_turn=note))
        except TelegramUnavailable as error:
            received = sent and not getattr(error.__cause__, "not_received", False)
            if repeatable or not received or isinstance(error, InternalError):
                raise
            raise AnswerLost(error.reason) from error
        if type(request).__module__ != functions.help.__name__:  # which answers everybody
            self._answered_at = now()
        return answer

    async def _attempt(self, request: TLRequest, patience: Patience) -> Any:
        async with self._moving:
            sender = self._sender
        await sender.connection()
        if patience.on_turn is not None:
            patience.on_turn()
        told = unanswered(request)
        try:
            answer = await sender.call(
                request, repeatable=patience.repeatable, patience=patience.answer_seconds
            )
            told = answered(request, answer)
        except RpcFailed:
            told = None
            raise
        finally:
            if told is not None:
                self._hear(told)
        return answer

    @property
    def is_vouched_for(self) -> bool:
        """Whether Telegram has answered it within VOUCHED_SECONDS, as it answers who is signed in."""
        return now() < self._answered_at + VOUCHED_SECONDS

    def doubt(self) -> None:
        """Take note that the session may have ended."""
        self._answered_at = -math.inf

    async def vouch(self) -> None:
        """Ask whether the session lives, once for all who ask at the same time.

        Raises SessionEnded, and other TelegramFailure kinds.
        """
        if self._vouching is None or self._vouching.over:
            me = functions.users.GetUsersRequest([types.InputUserSelf()])
            self._vouching = SingleFlight(self.patiently(me))
        await self._vouching.wait()

    def _gate(self, request: TLRequest) -> Gate | None:
        """Return the gate of what Telegram limits by rate: who has to wait should not meet longer waits."""
        method = type(request)
        return self.files.gates.to(self.home_dc_id, method) if method in _PACED else None

    # Moving

    async def follow(self, dc_id: int) -> None:
        """Go on at another data centre, with a new key, within ``telegram.connect_timeout_seconds``.

        Nobody may be signed in. Does nothing if the client is there. Raises TelegramUnavailable.
        """
        async with self._moving:
            # Another request may have led the way meanwhile.
            if self._closing is not None:
                raise TelegramUnavailable("the client is closed")
            if self.session.dc_id != dc_id:
                await self._move(dc_id)

    async def _follow_login(self, dc_id: int) -> bool:
        me = functions.users.GetUsersRequest([types.InputUserSelf()])
        try:
            await translate_answers(self._attempt)(me, Patience.of_login(self._telegram))
        except SessionEnded:
            await self.follow(dc_id)
            return True
        return False

    async def _move(self, dc_id: int) -> None:
        """Begin anew at another data centre, with a new key; the old one belongs to nobody."""
        sender, patience = self._sender, Patience.of_login(self._telegram)

        async def attempt(request: TLRequest, _: Patience) -> Any:
            return await sender.call(request)

        ask = compose(attempt, translate_answers, outlast_lost_connections, self._ending)
        found = await self._data_centres.addresses(lambda request: ask(request, patience), dc_id)
        if not found:
            raise TelegramUnavailable(f"Telegram names no usable address of data centre {dc_id}")

        async def locate() -> Place:
            return Place(dc_id, found[0])

        # First, so that a flood of logins never has more connections than the pool has clients.
        await self._sender.disconnect()
        keys = SessionKeys()
        sender = self._new_sender(locate, None, keys)
        try:
            await self._open(sender)
        except BaseException:
            await sender.disconnect()
            self._sender = self._home_sender()
            raise
        self.keys = keys
        self._sender = sender
        if self.on_new_key is not None:
            self.on_new_key()

    # The account, as its file connections see it (datacentres/account.py)

    @property
    def home_dc_id(self) -> int:
        """The data centre of the main connection."""
        return int(self.session.dc_id)

    def home_key(self) -> AuthorizationKey:
        """The main connection's key, and the state that it shares."""
        return self._sender.key

    @property
    def public_keys(self) -> PublicKeys:
        """The RSA keys by which the data centres are known."""
        return self._data_centres.public_keys

    def number(self, dc_id: int) -> int:
        """What a data centre is called in key exchanges."""
        return self._data_centres.number(dc_id)

    @property
    def connector(self) -> Connector:
        """What opens connections, for all clients of the process."""
        return self._data_centres.connector

    @property
    def other_keys(self) -> dict[int, AuthorizationKey]:
        """Keys of other data centres, kept from one client of the session to the next."""
        return self.keys.others

    @property
    def login_waits(self) -> dict[int, float]:
        """Until when Telegram wants no login of the account at another data centre, by whichever client."""
        return self.files.gates.login_waits

    def preamble(self) -> Preamble:
        """What stands before requests of a session that wants no updates."""
        return self._quiet

    def cdn_preamble(self) -> Preamble:
        """What stands before requests to a CDN, which knows no account and sends no updates."""
        return self._listening

    async def main_connection(self) -> Connection:
        """The main connection, open. Raises ConnectionFailed and TelegramUnavailable."""
        return await self._sender.connection()

    async def confirm(self) -> None:
        """Ask something on the main connection. Raises SessionEnded where the session has ended."""
        await self(functions.help.GetNearestDcRequest())

    async def addresses(self, dc_id: int, *, cdn: bool = False) -> Sequence[Address]:
        """The addresses for files of a data centre, best first; none if Telegram names none."""
        async with self._asking_addresses:
            return await self._data_centres.addresses(self.patiently, dc_id, media=True, cdn=cdn)

    async def export_authorization(self, dc_id: int) -> types.auth.ExportedAuthorization:
        """What logs a key of another data centre in, once."""
        return await self(functions.auth.ExportAuthorizationRequest(dc_id))

    async def cdn_public_keys(self, dc_id: int) -> Sequence[str]:
        """The RSA public keys of a CDN data centre, in PEM."""
        config = await self.patiently(functions.help.GetCdnConfigRequest())
        return tuple(key.public_key for key in config.public_keys if key.dc_id == dc_id)
