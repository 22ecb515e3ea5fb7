"""Which file a message holds, remembered for a short while: players send many requests for the same one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from tgbridge.telegram.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tgbridge.telegram.transfer.remote_file import RemoteFile

LIFETIME_SECONDS: Final = 60.0
"""How long a message that another device deletes or edits may still be served as it was."""

ENTRIES_PER_ACCOUNT: Final = 512


class Referable(Protocol):
    """Any client: compared by identity, and open to weak references."""


ClientT = TypeVar("ClientT", bound=Referable)
Key = tuple[int, str]


class FileLookup(Generic[ClientT]):
    """Remembers RemoteFiles by client, message and thumbnail size ("" for the file itself).

    `fetch(client, message_id, thumbnail)` asks Telegram; what it raises (MediaNotFound, TelegramFailure) is
    raised here, and nothing is remembered then. Requests for the same file at the same time ask once.
    """

    def __init__(
        self,
        fetch: Callable[[ClientT, int, str], Coroutine[Any, Any, RemoteFile]],
        *,
        lifetime_seconds: float = LIFETIME_SECONDS,
        entries_per_account: int = ENTRIES_PER_ACCOUNT,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._fetch = fetch
        self._lifetime = lifetime_seconds
        self._entries = entries_per_account
        self._clock = clock
        self._accounts: WeakKeyDictionary[ClientT, _Remembered] = WeakKeyDictionary()
        self.hits = 0
        """Files that were known, or asked for by somebody else already."""
        self.misses = 0

    async def find(self, client: ClientT, message_id: int, thumbnail: str = "") -> RemoteFile:
        """Return the file, from memory if it was fetched within the lifetime."""
        found = self._account(client).files.get((message_id, thumbnail))
        if found is not None and found[1] > self._now():
            self.hits += 1
            return found[0]
        return await self.renew(client, message_id, thumbnail)

    async def renew(self, client: ClientT, message_id: int, thumbnail: str = "") -> RemoteFile:
        """Return the file as Telegram has it now, with a fresh file reference."""
        account, key = self._account(client), (message_id, thumbnail)
        asking = account.asking.get(key)
        is_new = asking is None or asking.over
        self.hits += not is_new
        self.misses += is_new
        if asking is None or asking.over:
            asking = account.asking[key] = SingleFlight(self._fetch(client, message_id, thumbnail))
        try:
            file = await asking.wait()
        except BaseException:
            account.files.pop(key, None)
            raise
        finally:
            if asking.over and account.asking.get(key) is asking:
                del account.asking[key]
        account.files[key] = (file, self._now() + self._lifetime)
        account.files.move_to_end(key)
        while len(account.files) > self._entries:
            account.files.popitem(last=False)
        return file

    def refetch(
        self, client: ClientT, message_id: int, thumbnail: str = ""
    ) -> Callable[[], Coroutine[Any, Any, RemoteFile]]:
        """Return what a download is given to have its file reference renewed."""
        return partial(self.renew, client, message_id, thumbnail)

    def _account(self, client: ClientT) -> _Remembered:
        account = self._accounts.get(client)
        if account is None:
            account = self._accounts[client] = _Remembered()
        return account

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()


class _Remembered:
    """What is known of one account. Holds no client, so that it goes with it."""

    def __init__(self) -> None:
        self.files: OrderedDict[Key, tuple[RemoteFile, float]] = OrderedDict()
        self.asking: dict[Key, SingleFlight[RemoteFile]] = {}
