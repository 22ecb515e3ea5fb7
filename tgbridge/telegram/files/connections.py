"""An account's connections for files: calls spread over them, and mended where another attempt may do."""

from __future__ import annotations

import asyncio
import math
import random
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from telethon.errors import rpc_message_to_error
from telethon.tl import functions, types

from tgbridge.errors import FloodWait, TelegramFailure, TelegramUnavailable
from tgbridge.telegram.errors import failure, is_internal
from tgbridge.telegram.files.authorization import CdnAuthorization, ForeignAuthorization, HomeAuthorization
from tgbridge.telegram.files.data_centre import DataCentre
from tgbridge.telegram.files.dialling import Dialler
from tgbridge.telegram.files.pacing import Pace
from tgbridge.telegram.mtproto.failures import ConnectionFailed, PeerSilent, RpcFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telethon.tl import TLRequest

    from tgbridge.settings import Settings
    from tgbridge.telegram.files.account import FileAccount
    from tgbridge.telegram.files.authorization import Authorization

_ATTEMPTS: Final = 4
"""At a call, over connections that drop; a silent one counts twice, for the time it took."""

_INTERNAL_ERRORS: Final = 5
_FLOOD_WAITS: Final = 8
_FIRST_DELAY: Final = 0.05  # seconds, on average, after the second failure; the first is followed at once
_RETRY_AFTER: Final = 5


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """What an account's file connections do: how many are open by data centre, and how many calls wait."""

    connections: Mapping[int, int]
    calls: int


class FileConnections:
    """An account's connections for files, to all data centres: opened as needed, kept until closed."""

    def __init__(self, account: FileAccount, settings: Settings) -> None:
        self._account = account
        self._settings = settings
        self._data_centres: dict[tuple[int, bool], DataCentre] = {}
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)
        self._closed = asyncio.Event()

    @property
    def stats(self) -> ConnectionStats:
        """What is open and under way now."""
        centres = self._data_centres.items()
        return ConnectionStats(
            {dc_id: centre.connections for (dc_id, _), centre in centres if centre.connections},
            sum(centre.calls for _, centre in centres),
        )

    @property
    def closed(self) -> bool:
        """Whether no call will succeed any more."""
        return self._closed.is_set()

    @property
    def told_to_wait(self) -> bool:
        """Whether Telegram takes no upload.getFile at the moment: what does not come then is not stuck."""
        return self._paces[functions.upload.GetFileRequest.__name__].waits_until > _now()

    def warm(self, dc_id: int) -> None:
        """Begin to open a first connection to a data centre that will soon be needed. Never raises."""
        if not self._closed.is_set():
            self._data_centre(dc_id, cdn=False).warm()

    async def call(
        self,
        dc_id: int,
        request: TLRequest,
        *,
        weight_bytes: int = 0,
        on_wait: Callable[[float], None] | None = None,
    ) -> Any:
        """Send a request to a data centre; its answer, where a file's bytes are `FileBytes`.

        The request may be carried out more than once. `weight_bytes` is what request or answer hold of a
        file, by which calls are spread. Waits up to telegram.flood_wait_seconds are sat out, and `on_wait` is
        told the seconds before each. Cancelling it gives its place on the connection up at once.

        Raises TelegramFailure kinds: TelegramRefused for errors (FILE_MIGRATE among them), SessionEnded,
        FloodWait for longer waits, TelegramUnavailable when no attempt succeeded or `aclose` was called.
        """
        return await self._call(self._data_centre(dc_id, cdn=False), request, weight_bytes, on_wait)

    async def call_cdn(self, dc_id: int, request: TLRequest, *, weight_bytes: int = 0) -> Any:
        """Send upload.getCdnFile to a CDN data centre, which knows no account. As `call` otherwise."""
        return await self._call(self._data_centre(dc_id, cdn=True), request, weight_bytes)

    async def aclose(self) -> None:
        """Close all connections; whoever waits gets TelegramUnavailable. Idempotent."""
        self._closed.set()
        await asyncio.gather(*(centre.aclose() for centre in self._data_centres.values()))

    def _data_centre(self, dc_id: int, *, cdn: bool) -> DataCentre:
        known = self._data_centres.get((dc_id, cdn))
        if known is not None:
            return known
        authorization: Authorization
        if cdn:
            authorization = CdnAuthorization(self._account, dc_id)
        elif dc_id == self._account.home_dc_id:
            authorization = HomeAuthorization(self._account, dc_id)
        else:
            authorization = ForeignAuthorization(self._account, dc_id)
        telegram = self._settings.telegram
        centre = self._data_centres[dc_id, cdn] = DataCentre(
            partial(self._account.addresses, dc_id, cdn=cdn),
            authorization,
            Dialler(self._account.connector),
            limit=self._settings.files.connections_per_dc,
            connect_timeout=telegram.connect_timeout_seconds,
            idle_seconds=self._settings.files.idle_seconds,
        )
        return centre

    async def _call(
        self,
        centre: DataCentre,
        request: TLRequest,
        weight: int,
        on_wait: Callable[[float], None] | None = None,
    ) -> Any:
        pace = self._paces[type(request).__name__]
        failures = internal_errors = flood_waits = 0
        while True:
            turn = await self._turn(pace, on_wait)
            try:
                return await centre.call(request, weight)
            except ConnectionFailed as error:
                self._check_open(error)
                failures += 2 if isinstance(error, PeerSilent) else 1
                if failures >= _ATTEMPTS:
                    raise TelegramUnavailable(f"a file connection failed: {error}", _RETRY_AFTER) from error
                await self._pause(_delay(failures))
            except FloodWait as wait:  # at logging in
                flood_waits += 1
                self._check_patience(wait, flood_waits)
                await self._pause(wait.seconds)
            except RpcFailed as error:
                refusal = rpc_message_to_error(types.RpcError(error.code, error.message), request)
                internal_errors += is_internal(refusal)
                match failure(refusal):
                    case FloodWait() as told:
                        pace.flooded(_now(), told.seconds, turn)
                        flood_waits += 1
                        self._check_patience(told, flood_waits, error)
                    case TelegramUnavailable() if internal_errors <= _INTERNAL_ERRORS:
                        await self._pause(_delay(internal_errors))
                    case TelegramFailure() as refused:
                        raise refused from error

    def _check_patience(self, wait: FloodWait, waits: int, cause: RpcFailed | None = None) -> None:
        """Raise `wait` if it is too long to be sat out, or one too many."""
        if wait.seconds > self._longest_wait or waits > _FLOOD_WAITS:
            raise wait from cause

    @property
    def _longest_wait(self) -> int:
        return self._settings.telegram.flood_wait_seconds

    async def _turn(self, pace: Pace, on_wait: Callable[[float], None] | None) -> float:
        """Wait until the account may make a call of this kind; return when that is."""
        while True:
            self._check_open()
            left = pace.waits_until - _now()
            if left > self._longest_wait:
                raise FloodWait(math.ceil(left))
            if on_wait is not None and left > 0:
                on_wait(left)
            turn = pace.turn(_now())
            if turn <= _now():
                return turn
            await self._pause(turn - _now())
            if pace.waits_until <= turn:  # else another call was told to wait, meanwhile
                return turn

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return
        self._check_open()

    def _check_open(self, cause: ConnectionFailed | None = None) -> None:
        if self._closed.is_set():
            raise TelegramUnavailable("the client was closed", retry_after=1) from cause


def _delay(failures: int) -> float:
    """Return how long to wait after so many failures: hardly at first, then twice as long each time."""
    scale = 0.0 if failures == 1 else _FIRST_DELAY * 2 ** (failures - 1)
    return random.uniform(0.5, 1.5) * scale + random.uniform(0, 0.01)


def _now() -> float:
    return asyncio.get_running_loop().time()
