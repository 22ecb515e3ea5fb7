"""What is known of accounts' Saved Messages, so that Telegram is asked once for what many want of it.

Lists, updates and the account's own changes fill it. What Telegram does not tell of by updates is believed
for a minute; while it does, for as long as it is kept.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from telethon.tl import functions, types

from tgbridge.errors import MediaNotFound, TelegramRefused
from tgbridge.telegram.account.login import get_me
from tgbridge.telegram.account_cache import AccountCache
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.saved.changes import Deleted
from tgbridge.telegram.saved.live import Live
from tgbridge.telegram.saved.lookups import Lookups
from tgbridge.telegram.saved.saved_media import SavedMedia, forget_read
from tgbridge.telegram.saved.shown import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from tgbridge.settings import FilesSettings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.changes import Change
    from tgbridge.telegram.saved.lookups import Take
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import RemoteFile

LIFETIME_SECONDS: Final = 60.0
"""How long a message that another device deletes or edits may still be served as it was, without updates."""

GUESS_SECONDS: Final = 3600.0
"""For how long it may be read while it is asked for anew: later on, its file references have expired."""

MOST_ACCOUNTS: Final = 4096
"""Of how many accounts anything is known, whether or not it is a message."""

MOST_GONE: Final = 1024
"""How many ids of deleted messages are remembered for one account, 0.1 KB each."""

_NO_MESSAGE: Final = frozenset({"MESSAGE_ID_INVALID", "MSG_ID_INVALID"})
_LARGEST_ID: Final = 2**31 - 1


class Library:
    """All accounts' libraries, bounded by `files.messages_per_account` and `files.messages_per_process`."""

    def __init__(self, files: FilesSettings) -> None:
        self._known: AccountCache[int, _Known] = AccountCache(
            account_most=files.messages_per_account, most=files.messages_per_process
        )
        self._accounts: OrderedDict[Hashable, AccountLibrary] = OrderedDict()
        self._tally = Tally()

    def __len__(self) -> int:
        """How many messages are known."""
        return self._known.cost

    @property
    def cache(self) -> AccountCache[Any, Any]:
        """What is known, with how often it was of use."""
        return self._known

    def of(self, client: BridgeClient) -> AccountLibrary:
        """Return the library of a client's account."""
        return self.account(client.files.account)

    def account(self, account: Hashable) -> AccountLibrary:
        """Return an account's library; may forget that of one with which nothing is under way."""
        library = self._accounts.get(account)
        if library is not None:
            self._accounts.move_to_end(account)
            return library
        library = self._accounts[account] = AccountLibrary(account, self._known, self._tally)
        if len(self._accounts) > MOST_ACCOUNTS:
            others = (other for other in self._accounts.items() if other[1] is not library)
            idle = next((known for known, other in others if not other.busy), None)
            if idle is not None:
                self._accounts.pop(idle).clear()
        return library

    def forget(self, account: Hashable) -> None:
        """Keep nothing of an account's messages, since nobody is signed in with it any more."""
        library = self._accounts.get(account)
        if library is None:
            return
        library.clear()
        forget_read()
        if not library.busy:
            del self._accounts[account]


class _Known(NamedTuple):
    media: SavedMedia
    asked_at: float  # it was so at Telegram at this time of the loop, or later


class AccountLibrary:
    """What is known of one account's Saved Messages."""

    def __init__(self, account: Hashable, known: AccountCache[int, _Known], tally: Tally) -> None:
        """`account` is the Telegram user's id where anybody knows it."""
        self._account = account
        self._owner = account if isinstance(account, int) else None
        self._known = known
        self._gone: OrderedDict[int, float] = OrderedDict()
        self._lookups: Lookups[BridgeClient, SavedMedia] = Lookups(self._ask)
        self._is_trusted = False
        self._trusted_since = math.inf
        self.live = Live(self, tally)
        """What follows the account's changes."""

    @property
    def busy(self) -> bool:
        """Whether anybody asks, or tells it of changes."""
        return bool(self._lookups) or self.live.busy

    # Reading

    def known(self, message_id: int) -> SavedMedia | None:
        """Return what a message holds, None if Telegram has to be asked.

        Raises MediaNotFound where it is known to be gone.
        """
        if not 0 < message_id <= _LARGEST_ID:
            raise MediaNotFound
        gone_at = self._gone.get(message_id)
        if gone_at is not None and self._holds(gone_at):
            raise MediaNotFound
        known = self._known.get(self._account, message_id)
        holds = known is not None and self._holds(known.asked_at)
        self._known.asked(hit=holds)
        return known.media if known is not None and holds else None

    def guess(self, message_id: int) -> SavedMedia | None:
        """Return what a message has held lately, to be read while Telegram is asked whether it still does."""
        known = self._known.get(self._account, message_id)
        return None if known is None or _now() >= known.asked_at + GUESS_SECONDS else known.media

    async def get(self, client: BridgeClient, message_id: int) -> SavedMedia:
        """Return what a message holds, from memory if possible. Raises MediaNotFound and TelegramFailure."""
        return self.known(message_id) or await self.fetch(client, message_id)

    async def get_many(self, client: BridgeClient, ids: Iterable[int]) -> dict[int, SavedMedia | None]:
        """Return what messages hold, from memory as far as possible; None for those without media.

        Raises TelegramFailure.
        """
        found: dict[int, SavedMedia | None] = {}
        missing: list[int] = []
        for message_id in ids:
            found[message_id] = None
            try:
                found[message_id] = self.known(message_id)
            except MediaNotFound:
                continue
            if found[message_id] is None:
                missing.append(message_id)
        found.update(await self._lookups.fetch(client, missing))
        return found

    async def fetch(self, client: BridgeClient, message_id: int) -> SavedMedia:
        """Return what a message holds at Telegram now, with fresh file references.

        Raises MediaNotFound and TelegramFailure.
        """
        if not 0 < message_id <= _LARGEST_ID:
            raise MediaNotFound
        found = await self._lookups.fetch(client, (message_id,))
        if message_id not in found:
            raise MediaNotFound
        return found[message_id]

    def refetch(
        self, client: BridgeClient, message_id: int, pick: Callable[[SavedMedia], RemoteFile]
    ) -> Refetch:
        """Return what a download is given to have the reference of a message's file renewed."""

        async def refetch() -> RemoteFile:
            return pick(await self.fetch(client, message_id))

        return refetch

    async def _ask(self, client: BridgeClient, take: Take) -> dict[int, SavedMedia]:
        ids: Sequence[int] = ()
        asked_at = _now()
        request = functions.messages.GetMessagesRequest([])

        def go() -> None:
            nonlocal ids
            ids = take()
            request.id = [types.InputMessageID(one) for one in ids]

        try:
            answer = await client.call(request, Patience.of_first_bytes(client.files.telegram, on_turn=go))
        except TelegramRefused as error:
            if error.name not in _NO_MESSAGE:
                raise
            # One of them can't be a message's: the others are not to suffer from it.
            half = len(ids) // 2
            if not half:
                return {}
            return {
                **await self._ask(client, lambda: ids[:half]),
                **await self._ask(client, lambda: ids[half:]),
            }
        await self.identify(client, answer.users)
        found = self.remember(answer.messages, asked_at=asked_at)
        for message_id in set(ids) - {media.id for media in found}:
            known = self._known.get(self._account, message_id)
            if known is not None and known.asked_at <= asked_at:
                self._known.pop(self._account, message_id)
        return {media.id: media for media in found}

    # Learning

    async def identify(self, client: BridgeClient, users: Iterable[Any]) -> None:
        """Find out whose library this is, where nobody has said so, by the users that an answer names.

        `remember` goes by it. Raises TelegramFailure.
        """
        if self._owner is None:
            self._owner = await _owner(client, users)

    def remember(self, messages: Iterable[Any], *, asked_at: float | None = None) -> list[SavedMedia]:
        """Keep what messages hold that Telegram has told of, and return it.

        Messages of other chats, which are numbered from the same sequence, and those without media are left
        out (https://core.telegram.org/method/messages.getMessages); so are those that are known to have been
        deleted since `asked_at` (by the loop's clock, now by default), when Telegram was asked for them.
        """
        at = _now() if asked_at is None else asked_at
        held = (SavedMedia.of(message) for message in messages if self._is_saved(message))
        latest = (self._keep(media, at) for media in held if media is not None)
        return [media for media in latest if media is not None]

    def follow(self, message: Any, *, asked_at: float) -> SavedMedia | None:
        """Keep what an update says that a message holds, and return just that, even if more is known.

        Updates are told in their order: what is known by the memory's clock may be of an earlier one.
        """
        media = SavedMedia.of(message) if self._is_saved(message) else None
        return None if media is None or self._keep(media, asked_at) is None else media

    def changed(self, change: Change) -> None:
        """Take note of a change, by whichever device. Again makes no difference."""
        now = _now()
        if isinstance(change, Deleted):
            for message_id in change.ids:
                self._known.pop(self._account, message_id)
                self._gone[message_id] = now
                self._gone.move_to_end(message_id)
            while len(self._gone) > MOST_GONE:
                self._gone.popitem(last=False)
        else:
            self._keep(change.media, now)

    def own(self, update: types.UpdateNewMessage | types.UpdateEditMessage) -> SavedMedia | None:
        """Keep what the answer to a request of our own says of a message, and return what that holds now.

        None if it holds nothing, or is gone. Where updates have told more meanwhile, that is what counts.
        """
        at = -math.inf if self.live.has_told(update.pts) else _now()
        return next(iter(self.remember([update.message], asked_at=at)), None)

    def sent(self, updates: Any) -> None:
        """Keep the messages that a request of our own has made, by Telegram's answer to it (Updates)."""
        for update in getattr(updates, "updates", ()):
            if isinstance(update, types.UpdateNewMessage):
                self.own(update)

    def trust(self, *, unbroken: bool = False) -> None:
        """Believe from now on what is kept: `changed` is told of all that happens.

        `unbroken`: what has happened since it was trusted last has been told, too.
        """
        self._is_trusted = True
        self._trusted_since = min(_now(), self._trusted_since) if unbroken else _now()

    def distrust(self) -> None:
        """Believe nothing for longer than LIFETIME_SECONDS: changes may be missed."""
        self._is_trusted = False

    def clear(self) -> None:
        """Forget all messages, and that any were shown."""
        self.live.shown.forget()
        self._known.clear(self._account)
        self._gone.clear()

    def _keep(self, media: SavedMedia, at: float) -> SavedMedia | None:
        """Keep it, unless more is known; return what is right, None if that is nothing."""
        gone_at = self._gone.get(media.id)
        if gone_at is not None and gone_at >= at:
            return None
        self.live.shown.add(media.id)
        known = self._known.get(self._account, media.id)
        if known is not None and known.asked_at > at:
            return known.media
        self._gone.pop(media.id, None)
        self._known.put(self._account, media.id, _Known(media, at))
        return media

    def _holds(self, at: float) -> bool:
        """Whether what was so at a time is so now, as far as anybody has to know."""
        trusted = self._is_trusted and at >= self._trusted_since
        return trusted or _now() < at + LIFETIME_SECONDS

    def _is_saved(self, message: Any) -> bool:
        peer = getattr(message, "peer_id", None)
        return isinstance(peer, types.PeerUser) and peer.user_id == self._owner


async def _owner(client: BridgeClient, users: Iterable[Any]) -> int:
    """Return whose Saved Messages they are: an answer names the users of its messages, as a rule."""
    for user in users:
        if isinstance(user, types.User) and user.is_self:
            return int(user.id)
    return (await get_me(client)).id


def _now() -> float:
    return asyncio.get_running_loop().time()
