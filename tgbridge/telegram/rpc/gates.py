"""All gates of the process: what accounts have learnt of Telegram's limits, longer than their clients live.

TDLib's figures, which its users' accounts live with, are FileDownloadManager's and FileUploadManager's
(https://github.com/tdlib/td, td/telegram/files): 2 MiB of downloads in flight for each data centre, 16 with
Premium, and 4 of uploads; NetQueryDispatcher's 2 connections for downloads, 8 with Premium.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from telethon.tl import functions

from tgbridge.telegram.rpc.gate import Gate
from tgbridge.telegram.rpc.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Hashable

    from telethon.tl import TLRequest

_MIB: Final = 1 << 20
DOWNLOAD_BYTES: Final = 2 * _MIB
DOWNLOAD_BYTES_PREMIUM: Final = 16 * _MIB
UPLOAD_BYTES: Final = 4 * _MIB
CONNECTIONS: Final = 2
CONNECTIONS_PREMIUM: Final = 8

MOST_ACCOUNTS: Final = 4096
"""Whose gates are remembered: some KB each."""

_DOWNLOADS: Final = frozenset({functions.upload.GetFileRequest, functions.upload.GetCdnFileRequest})
_UPLOADS: Final = functions.upload.SaveBigFilePartRequest
# What goes through another one's gate: parts of small and of big files are parts, and bounded together.
_ALIKE: Final = {functions.upload.SaveFilePartRequest: _UPLOADS}


class AccountGates:
    """One account's gates: by data centre and method; one for both methods that take parts of files."""

    def __init__(self, *, adaptive: bool) -> None:
        self.login_waits: dict[int, float] = {}
        """By data centre: until when Telegram wants no login of the account there, by the loop's clock."""
        self._adaptive = adaptive
        self._premium = False
        self._gates: dict[tuple[int, type[TLRequest]], Gate] = {}

    @property
    def busy(self) -> bool:
        """Whether anybody has a turn or waits for one."""
        return any(gate.busy for gate in self._gates.values())

    @property
    def premium(self) -> bool:
        """Whether the account has Premium, as far as anybody has told."""
        return self._premium

    @premium.setter
    def premium(self, premium: bool) -> None:
        self._premium = premium
        for (_, method), gate in self._gates.items():
            gate.pace.bound(*self._bounds(method))

    def to(self, dc_id: int, method: type[TLRequest]) -> Gate:
        """Return the gate of a method's calls to a data centre."""
        method = _ALIKE.get(method, method)
        gate = self._gates.get((dc_id, method))
        if gate is None:
            gate = self._gates[dc_id, method] = Gate(Pace(*self._bounds(method)))
        return gate

    def connections(self, dc_id: int, most: int) -> int:
        """Return how many connections for files there should be, at most: TDLib's number after a wait."""
        if self._adaptive and not any(self._has_limit(dc_id, method) for method in _DOWNLOADS):
            return most
        return min(most, CONNECTIONS_PREMIUM if self._premium else CONNECTIONS)

    def _has_limit(self, dc_id: int, method: type[TLRequest]) -> bool:
        gate = self._gates.get((dc_id, method))
        return gate is not None and gate.pace.rate < math.inf

    def _bounds(self, method: type[TLRequest]) -> tuple[float, float]:
        """Return how many bytes may always be in flight, and how many at most."""
        if method in _DOWNLOADS:
            floor = DOWNLOAD_BYTES_PREMIUM if self._premium else DOWNLOAD_BYTES
        elif method is _UPLOADS:
            floor = UPLOAD_BYTES
        else:
            return math.inf, math.inf
        return floor, math.inf if self._adaptive else floor


class Gates:
    """Every account's gates, those that were used last."""

    def __init__(self, *, adaptive: bool = True, most: int = MOST_ACCOUNTS) -> None:
        """`adaptive`: begin without limits and learn from waits; else never more than TDLib has in flight."""
        self._adaptive = adaptive
        self._most = most
        self._accounts: OrderedDict[Hashable, AccountGates] = OrderedDict()

    def __len__(self) -> int:
        """How many accounts are remembered."""
        return len(self._accounts)

    def of(self, account: Hashable) -> AccountGates:
        """Return an account's gates; may forget those of one that has nothing under way."""
        gates = self._accounts.get(account)
        if gates is not None:
            self._accounts.move_to_end(account)
            return gates
        gates = self._accounts[account] = AccountGates(adaptive=self._adaptive)
        if len(self._accounts) > self._most:
            idle = (other for other, gates in self._accounts.items() if not gates.busy and other != account)
            oldest = next(idle, None)
            if oldest is not None:
                del self._accounts[oldest]
        return gates
