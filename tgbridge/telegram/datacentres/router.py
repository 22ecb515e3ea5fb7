"""An account's connections for files: which data centre a call goes to, and what its attempts go through."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from telethon.tl import functions

from tgbridge.telegram.datacentres.authorization import (
    CdnAuthorization,
    ForeignAuthorization,
    HomeAuthorization,
)
from tgbridge.telegram.datacentres.connection_group import ConnectionGroup
from tgbridge.telegram.datacentres.dialling import Dialler
from tgbridge.telegram.rpc.answers import translate_answers
from tgbridge.telegram.rpc.call import compose
from tgbridge.telegram.rpc.closing import Closing
from tgbridge.telegram.rpc.counting import count_calls
from tgbridge.telegram.rpc.flood_waits import sit_out_flood_waits
from tgbridge.telegram.rpc.gate import take_turns
from tgbridge.telegram.rpc.internal_errors import repeat_internal_errors
from tgbridge.telegram.rpc.log import log_calls
from tgbridge.telegram.rpc.lost_connections import outlast_lost_connections
from tgbridge.telegram.rpc.persist import persist
from tgbridge.telegram.statistics import centre_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Mapping

    from telethon.tl import TLRequest

    from tgbridge.settings import Settings
    from tgbridge.telegram.datacentres.account import FileAccount
    from tgbridge.telegram.datacentres.authorization import Authorization
    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.gate import Gate
    from tgbridge.telegram.rpc.gates import AccountGates, Gates
    from tgbridge.telegram.rpc.patience import Patience
    from tgbridge.telegram.statistics import Lane, Statistics

T = TypeVar("T")
_SENDING: Final = (functions.upload.SaveFilePartRequest, functions.upload.SaveBigFilePartRequest)


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """What an account's file connections do: how many are open by data centre, and how many calls wait."""

    connections: Mapping[int, int]
    calls: int


@dataclass(frozen=True, slots=True)
class _Route:
    centre: ConnectionGroup
    call: Call


class Router:
    """An account's connections for files, to all data centres: opened as needed, kept until closed."""

    def __init__(self, client: FileAccount, settings: Settings, gates: Gates, statistics: Statistics) -> None:
        self.account: Hashable = object()
        """Whom the client belongs to, and what his clients have in common; nobody until somebody says it."""
        self.telegram = settings.telegram
        self.statistics = statistics
        self._client = client
        self._settings = settings
        self._all_gates = gates
        self._routes: dict[tuple[int, bool], _Route] = {}
        self._closing = Closing()

    @property
    def gates(self) -> AccountGates:
        """The turns that the account's calls take, by whichever client."""
        return self._all_gates.of(self.account)

    @property
    def stats(self) -> ConnectionStats:
        """What is open and under way now."""
        centres = [(dc_id, route.centre) for (dc_id, _), route in self._routes.items()]
        return ConnectionStats(
            {dc_id: centre.connections for dc_id, centre in centres if centre.connections},
            sum(centre.calls for _, centre in centres),
        )

    @property
    def closed(self) -> bool:
        """Whether no call will succeed any more."""
        return self._closing.closed

    def warm(self, dc_id: int) -> None:
        """Begin to open a first connection to a data centre that will soon be needed. Never raises."""
        if not self._closing.closed:
            self._route(dc_id, cdn=False).centre.warm()

    async def call(self, dc_id: int, request: TLRequest, patience: Patience) -> Any:
        """Send a request to a data centre; its answer, where a file's bytes are `FileBytes`.

        The request may be carried out more than once. Cancelling it gives its place on the connection up at
        once. Raises TelegramFailure kinds: TelegramRefused for errors (FILE_MIGRATE among them),
        SessionEnded; FloodWait and TelegramUnavailable when patience has ended, or `aclose` was called.
        """
        return await self._route(dc_id, cdn=False).call(request, patience)

    async def call_cdn(self, dc_id: int, request: TLRequest, patience: Patience) -> Any:
        """Send upload.getCdnFile to a CDN data centre, which knows no account. As `call` otherwise."""
        return await self._route(dc_id, cdn=True).call(request, patience)

    async def persist(self, work: Callable[[], Awaitable[T]], patience: Patience) -> T:
        """Do other work for a file with the same patience as calls have, until `aclose` at most."""
        return await persist(work, patience, self._closing)

    async def aclose(self) -> None:
        """Close all connections; whoever waits gets TelegramUnavailable. Idempotent."""
        self._closing.close()
        await asyncio.gather(*(route.centre.aclose() for route in self._routes.values()))

    def _route(self, dc_id: int, *, cdn: bool) -> _Route:
        route = self._routes.get((dc_id, cdn))
        if route is None:
            centre = self._data_centre(dc_id, cdn=cdn)
            call = compose(
                partial(self._attempt, centre, centre_name(dc_id, cdn=cdn)),
                partial(take_turns, gate_of=partial(self._gate, dc_id), weight_of=_weight),
                translate_answers,
                partial(log_calls, where=lambda: dc_id),
                partial(count_calls, statistics=self.statistics),
                outlast_lost_connections,
                repeat_internal_errors,
                sit_out_flood_waits,
                self._closing,
            )
            route = self._routes[dc_id, cdn] = _Route(centre, call)
        return route

    def _data_centre(self, dc_id: int, *, cdn: bool) -> ConnectionGroup:
        authorization: Authorization
        if cdn:
            authorization = CdnAuthorization(self._client, dc_id)
        elif dc_id == self._client.home_dc_id:
            authorization = HomeAuthorization(self._client, dc_id)
        else:
            authorization = ForeignAuthorization(self._client, dc_id)
        most = self._settings.files.connections_per_dc
        return ConnectionGroup(
            partial(self._client.addresses, dc_id, cdn=cdn),
            authorization,
            Dialler(self._client.connector),
            limit=lambda: self.gates.connections(dc_id, most),
            connect_timeout=self.telegram.connect_timeout_seconds,
            idle_seconds=self._settings.files.idle_seconds,
        )

    def _gate(self, dc_id: int, request: TLRequest) -> Gate:
        return self.gates.to(dc_id, type(request))

    async def _attempt(
        self, centre: ConnectionGroup, name: str, request: TLRequest, patience: Patience
    ) -> Any:
        weight = _weight(request)
        if not weight:
            return await centre.call(request, 0, patience)
        statistics = self.statistics
        lane: Lane = ("sent" if isinstance(request, _SENDING) else "received", name)
        statistics.in_flight[lane] += 1
        try:
            answer = await centre.call(request, weight, patience)
        finally:
            statistics.in_flight[lane] -= 1
        statistics.bytes[lane] += weight if lane[0] == "sent" else len(getattr(answer, "bytes", b""))
        return answer


def _weight(request: TLRequest) -> int:
    """Return what request or answer hold of a file, in bytes: by it, calls are spread and bounded."""
    match request:
        case functions.upload.GetFileRequest() | functions.upload.GetCdnFileRequest():
            return int(request.limit)
        case functions.upload.SaveFilePartRequest() | functions.upload.SaveBigFilePartRequest():
            return len(request.bytes)
    return 0
