"""One connected client per authorization key, lent to whoever asks.

Telegram allows an authorization key one main connection; a second one answers AUTH_KEY_DUPLICATED, and the
key is dead for good (https://core.telegram.org/api/errors#406-not-acceptable). So a client is connected once
however many ask at the same time, and never again before the one before it is closed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tgbridge.errors import PoolExhausted, SessionEnded, TelegramUnavailable
from tgbridge.telegram.client import BridgeClient
from tgbridge.telegram.datacentres.directory import Directory
from tgbridge.telegram.datacentres.reachability import Reachability
from tgbridge.telegram.datacentres.session_keys import KeyMemory, key_of
from tgbridge.telegram.ended_sessions import EndedSessions
from tgbridge.telegram.rpc.gates import Gates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable

    from tgbridge.settings import Settings
    from tgbridge.telegram.statistics import Statistics

Login: TypeAlias = Literal["code", "qr"]
"""What a login under way is by. Each kind has its own share of the pool."""


@dataclass(frozen=True, slots=True)
class PoolStats:
    """How many clients there are; of these, how many are lent at the moment, connecting, and anonymous."""

    clients: int
    lent: int
    connecting: int
    anonymous: int = 0


class _Slot:
    """A client and who uses it.

    ``key`` is a hash of its authorization key, or a token until there is one. ``login``: as far as the pool
    knows, nobody is signed in with it. ``ended``: nothing is kept for a next client.
    """

    def __init__(self, key: object, client: BridgeClient, login: Login | None) -> None:
        self.key = key
        self.client = client
        self.login = login
        self.borrowers = 0
        self.yielding: list[Callable[[], None]] = []  # those of the borrowers who give way
        self.retired = False
        self.promised = False  # the room that its end makes, to one who waits for it
        self.ended = False
        self.connecting: asyncio.Task[None] | None = None
        self.closing: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()
        self.expiry: asyncio.TimerHandle | None = None


class ClientPool:
    """Lends connected clients; there are at most ``pool.max_clients``, idle for ``pool.idle_seconds``.

    Anybody can begin a login. So anonymous clients, which nobody is signed in with, are at most
    ``pool.max_code_logins`` and ``pool.max_qr_logins``, and make room for one another only, each kind within
    its own share of the pool: the other places are never taken from signed-in users.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._most: dict[Login, int] = {
            "code": settings.pool.max_code_logins,
            "qr": settings.pool.max_qr_logins,
        }
        self._data_centres = Directory(settings.telegram)
        self._reachability = Reachability(self._data_centres)
        self._keys = KeyMemory()
        self.ended = EndedSessions(max(settings.session.idle_seconds, settings.session.ticket_seconds))
        """The sessions that have ended; that of a client that is told so is added. No cookie or ticket lasts
        longer."""
        self.on_signed_out: Callable[[Hashable], None] | None = None
        """Is told an account of which no client is left since its session has ended."""
        self._gates = Gates(adaptive=settings.files.pacing == "adaptive")
        # Idle ones stand from the least to the most recently used.
        self._slots: dict[object, _Slot] = {}
        self._returned = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @property
    def statistics(self) -> Statistics:
        """What has passed between all clients and Telegram."""
        return self._data_centres.statistics

    @property
    def stopping(self) -> bool:
        """Whether no client is lent any more."""
        return self._closing is not None

    @property
    def is_crowded(self) -> bool:
        """Whether clients fail to connect for no other reason than that too many do at once."""
        return self._data_centres.connector.is_crowded

    async def reaches_telegram(self) -> bool:
        """Tell whether a data centre has answered lately, or else does now. See `Reachability`."""
        return await self._reachability.check()

    @property
    def stats(self) -> PoolStats:
        """The numbers of this moment."""
        slots = self._slots.values()
        return PoolStats(
            clients=len(slots),
            lent=sum(slot.borrowers > 0 for slot in slots),
            connecting=sum(slot.connecting is not None for slot in slots),
            anonymous=sum(slot.login is not None for slot in slots),
        )

    @asynccontextmanager
    async def borrow(
        self,
        session: str,
        *,
        account: Hashable = None,
        anonymous: bool = False,
        give_way: Callable[[], None] | None = None,
        meanwhile: Callable[[BridgeClient], None] | None = None,
    ) -> AsyncIterator[BridgeClient]:
        """Lend the client of a session, connected; for as long as the block runs it stays.

        ``account``: whose session it is, where that is known; what Telegram limits is an account's.
        ``anonymous``: it is that of a login under way, which nobody is signed in with yet.
        ``give_way``: is called when the client's place is needed by somebody who does more than wait, or the
        session has ended; the block is to end then. One who gives way takes no place of others who do.
        ``meanwhile``: is called with the client as soon as it is this borrower's, connected or not.
        Raises SessionEnded for a text that is no session, TelegramUnavailable, and PoolExhausted.
        """
        try:
            # A login by QR code that is gone on with lacks no more than its password.
            login: Login | None = "code" if anonymous else None
            slot = await self._acquire(key_of(session), session, login, give_way, meanwhile)
            if account is not None:
                slot.client.files.account = account
            try:
                yield slot.client
            except TelegramUnavailable as error:
                # Its client was closed, perhaps, since somebody has signed out meanwhile.
                if slot.ended and (reason := self.ended.reason(session)) is not None:
                    raise SessionEnded(reason) from error
                raise
            finally:
                self._give_back(slot, give_way)
        except SessionEnded as error:
            if not anonymous:
                self.ended.add(session, error.name)
            raise

    @asynccontextmanager
    async def anonymous(self, login: Login = "code") -> AsyncIterator[BridgeClient]:
        """Lend a client with a key of its own, for a login; afterwards it is found by its session string.

        Raises TelegramUnavailable and PoolExhausted.
        """
        slot = await self._acquire(_Token(), "", login)
        try:
            yield slot.client
        finally:
            self._give_back(slot)

    def vouches_for(self, session: str) -> bool:
        """Tell whether Telegram has answered this session lately, as one that somebody is signed in with."""
        try:
            slot = self._slots.get(key_of(session))
        except SessionEnded:  # it is none, as borrowing will show
            return False
        return slot is not None and slot.client.is_vouched_for

    def doubt(self, account: Hashable) -> None:
        """Vouch for no session of an account until Telegram has answered it again: some may have ended."""
        for slot in self._slots.values():
            if slot.client.files.account == account:
                slot.client.doubt()

    async def drop(self, session: str, *, at_once: bool = False) -> None:
        """Lend this session's client no more, and close it once nobody uses it; keep nothing of its keys.

        For a session that has ended, or whose next client is to begin afresh. ``at_once``: close it although
        it is used, for whatever is under way with it ends with the session: that gets TelegramUnavailable.
        """
        try:
            key = key_of(session)
        except SessionEnded:
            return
        self._keys.take(key)
        slot = self._slots.get(key)
        if slot is not None:
            slot.ended = True
            self._retire(slot, at_once=at_once)
            for give_way in tuple(slot.yielding):
                give_way()
            if slot.closing is not None:
                await slot.closed.wait()

    async def close(self, drain_seconds: float = 0.0) -> None:
        """Lend nothing more, wait up to ``drain_seconds`` for what is lent, then close every client.

        The same however often it is called; each call returns when all is closed.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(drain_seconds))
        await asyncio.shield(self._closing)

    async def _acquire(
        self,
        key: object,
        session: str,
        login: Login | None,
        give_way: Callable[[], None] | None = None,
        meanwhile: Callable[[BridgeClient], None] | None = None,
    ) -> _Slot:
        while True:
            if self._closing is not None:
                raise TelegramUnavailable("the service is stopping")
            slot = self._slots.get(key)
            if slot is not None and slot.retired:
                await self._wait_for(slot.closed)
                continue
            if slot is None:
                if not await self._make_room(login, patient=give_way is not None):
                    continue
                slot = self._add(key, session, login)
            # Once somebody is signed in with it, it is that person's.
            if login is None:
                slot.login = None
            if meanwhile is not None:
                meanwhile(slot.client)
            return await self._lend(slot, give_way)

    async def _make_room(self, login: Login | None, *, patient: bool) -> bool:
        """True if there is room now; False if it had to be waited for, so that all may have changed."""
        slots, most = self._slots.values(), self._settings.pool.max_clients
        alike = [slot for slot in slots if slot.login == login]
        share_is_full = login is not None and len(alike) >= self._most[login]
        if len(slots) < most and not share_is_full:
            return True
        if share_is_full:
            replaceable = alike
        else:
            # Anonymous ones go first: they are cheap to have again, and a flood of them is always the newest.
            replaceable = [slot for slot in slots if slot.login is not None]
            users = [slot for slot in slots if slot.login is None]
            if login is None or len(users) > most - sum(self._most.values()):
                replaceable += users
        idle = next((slot for slot in replaceable if not slot.borrowers and not slot.retired), None)
        if idle is not None:
            self._retire(idle)
        elif not patient:
            self._ask_to_give_way(replaceable)
        # One waits for each: all others would be woken only to find it taken, and look at all clients for it.
        closing = next((slot for slot in replaceable if slot.retired and not slot.promised), None)
        if closing is None:
            raise PoolExhausted
        closing.promised = True
        try:
            await self._wait_for(closing.closed)
        finally:
            closing.promised = False
        return False

    def _ask_to_give_way(self, slots: list[_Slot]) -> None:
        """Let one be given up whose borrowers all give way, the one that is the longest so."""
        for slot in slots:
            if slot.borrowers == len(slot.yielding) and not slot.retired:
                self._retire(slot)
                for give_way in tuple(slot.yielding):
                    give_way()
                return

    async def _wait_for(self, closed: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._settings.telegram.connect_timeout_seconds):
                await closed.wait()
        except TimeoutError as error:
            raise TelegramUnavailable("this session's client is still being closed") from error

    def _add(self, key: object, session: str, login: Login | None) -> _Slot:
        client = BridgeClient(session, self._settings, self._data_centres, self._keys.take(key), self._gates)
        slot = self._slots[key] = _Slot(key, client, login)
        client.on_new_key = lambda: self._rekey(slot)
        return slot

    async def _lend(self, slot: _Slot, give_way: Callable[[], None] | None) -> _Slot:
        slot.borrowers += 1
        if give_way is not None:
            slot.yielding.append(give_way)
        if slot.expiry is not None:
            slot.expiry.cancel()
            slot.expiry = None
        try:
            if not slot.client.is_usable:
                await self._connected(slot)
        except BaseException:
            self._give_back(slot, give_way)
            raise
        return slot

    async def _connected(self, slot: _Slot) -> None:
        """Connect, or wait for the task that does: nobody's own, it goes on if one of several gives up."""
        task = slot.connecting
        if task is None:
            task = slot.connecting = asyncio.create_task(self._connect(slot))
        await asyncio.wait({task})
        if task.cancelled():
            raise TelegramUnavailable("the client was closed while it connected")
        error = task.exception()
        if error is not None:
            # The same error for all who waited: each has a traceback of its own.
            raise error.with_traceback(None)

    async def _connect(self, slot: _Slot) -> None:
        try:
            await slot.client.connect()
            if isinstance(slot.key, _Token):
                self._rekey(slot)
        finally:
            slot.connecting = None

    def _rekey(self, slot: _Slot) -> None:
        del self._slots[slot.key]
        slot.key = key_of(slot.client.session_string())
        self._slots[slot.key] = slot

    def _give_back(self, slot: _Slot, give_way: Callable[[], None] | None = None) -> None:
        slot.borrowers -= 1
        if give_way is not None:
            slot.yielding.remove(give_way)
        if slot.borrowers:
            return
        if slot.retired or not slot.client.is_usable or slot.client.is_told_in_vain:
            # Nobody is left who waits for it to be connected, or it has failed, or a new one is sent less.
            self._retire(slot)
        else:
            self._slots[slot.key] = self._slots.pop(slot.key)
            loop = asyncio.get_running_loop()
            slot.expiry = loop.call_later(self._settings.pool.idle_seconds, self._retire, slot)
        self._returned.set()

    def _retire(self, slot: _Slot, *, at_once: bool = False) -> None:
        """Lend it no more; close it, unless somebody still uses it, or even then."""
        slot.retired = True
        if slot.expiry is not None:
            slot.expiry.cancel()
            slot.expiry = None
        if slot.closing is None and (at_once or not slot.borrowers):
            slot.closing = asyncio.create_task(self._close_slot(slot))

    async def _close_slot(self, slot: _Slot) -> None:
        try:
            if slot.connecting is not None:
                slot.connecting.cancel()
                await asyncio.wait({slot.connecting})
            await slot.client.disconnect()
        finally:
            if self._slots.get(slot.key) is slot:
                del self._slots[slot.key]
                if slot.ended:
                    self._signed_out(slot.client.files.account)
                elif slot.login is None:
                    self._keys.keep(slot.key, slot.client.keys)
            slot.closed.set()

    def _signed_out(self, account: Hashable) -> None:
        left = any(slot.client.files.account == account for slot in self._slots.values())
        if self.on_signed_out is not None and not left:
            self.on_signed_out(account)

    async def _close(self, drain_seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                while self.stats.lent:
                    self._returned.clear()
                    await self._returned.wait()
        slots = list(self._slots.values())
        for slot in slots:
            self._retire(slot, at_once=True)
        for slot in slots:
            await slot.closed.wait()


class _Token:
    """Stands for the key of a client that has none yet."""
