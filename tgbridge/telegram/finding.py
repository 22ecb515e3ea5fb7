"""A message's file, as soon as anything is known of it: whether that holds is asked while it is being read.

Else its first byte would take a round trip more: after a minute of silence for the question whether the
session lives, and after another one's pause for what the message holds by now.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.futures import look_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.loan import Loan
    from tgbridge.telegram.saved.library import AccountLibrary
    from tgbridge.telegram.saved.saved_media import SavedMedia
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import RemoteFile


class Outdated(Exception):
    """A message holds its file otherwise than was known: it is to be sent as `file` is."""

    def __init__(self, file: RemoteFile) -> None:
        super().__init__()
        self.file = file


class Finding:
    """Finds one file of a message: first `file`, then, before anybody is given what is in it, `confirm`.

    Leaving its context gives up what is being asked.
    """

    def __init__(
        self,
        loan: Loan,
        library: AccountLibrary,
        message_id: int,
        pick: Callable[[SavedMedia], RemoteFile],
        *,
        is_read: bool,
    ) -> None:
        """`pick` raises MediaNotFound. `is_read`: the file, where it is known, will be asked of Telegram."""
        self._loan = loan
        self._library = library
        self._message_id = message_id
        self._pick = pick
        self._is_read = is_read
        self._file: RemoteFile | None = None
        self._asking: asyncio.Task[RemoteFile | None] | None = None

    async def __aenter__(self) -> Self:
        """Ask nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is being asked."""
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    async def file(self) -> RemoteFile:
        """Return the file, as it is known or else as Telegram tells.

        Raises MediaNotFound, and TelegramFailure kinds.
        """
        loan, library, message_id = self._loan, self._library, self._message_id
        try:
            media = library.known(message_id)
            known = None if media is None else self._pick(media)
        except MediaNotFound:
            await loan.vouch()
            raise
        if known is not None:
            if not loan.is_vouched_for:
                client = await loan.client(self._warming(known))
                self._ask(known, client.vouch())
            return known
        guess = self._guess()
        client = await loan.client(self._warming(guess))
        if guess is None:
            return self._pick(await library.fetch(client, message_id))
        self._ask(guess, self._fetch(client))
        return guess

    async def confirm(self) -> None:
        """Wait for Telegram's word on what `file` has returned, if it was asked. Again makes no difference.

        Raises Outdated, MediaNotFound, SessionEnded, and other TelegramFailure kinds.
        """
        if self._asking is None:
            return
        latest = await self._asking
        if latest is not None and not _are_alike(latest, self._file):
            self._file = latest
            raise Outdated(latest)

    @asynccontextmanager
    async def confirming(self) -> AsyncIterator[None]:
        """Do what is in the block, and `confirm`; if that fails, the block ends at once."""
        asking = self._asking
        if asking is None:
            yield
            return

        inside = True

        def end(_: object) -> None:
            if inside and self._is_refuted(asking):
                limit.reschedule(0.0)

        try:
            async with asyncio.timeout(None) as limit:
                asking.add_done_callback(end)
                try:
                    yield
                finally:
                    inside = False  # it may be about to be called
                    asking.remove_done_callback(end)
        except TimeoutError:
            await self.confirm()
            raise
        await self.confirm()

    def _is_refuted(self, asking: asyncio.Task[RemoteFile | None]) -> bool:
        if asking.cancelled() or asking.exception() is not None:
            return True
        latest = asking.result()
        return latest is not None and not _are_alike(latest, self._file)

    def refetch(self, client: BridgeClient) -> Refetch:
        """Return what a download is given to have the file's reference renewed."""
        return self._library.refetch(client, self._message_id, self._pick)

    def _guess(self) -> RemoteFile | None:
        media = self._library.guess(self._message_id)
        try:
            return None if media is None else self._pick(media)
        except MediaNotFound:
            return None

    def _warming(self, file: RemoteFile | None) -> Callable[[BridgeClient], None]:
        """Return what opens the connection for the file, beside the main one."""

        def warm(client: BridgeClient) -> None:
            if file is None:
                client.files.warm(client.home_dc_id)  # where most files are
            elif self._is_read:
                client.files.warm(file.dc_id)

        return warm

    def _ask(self, file: RemoteFile, work: Coroutine[Any, Any, RemoteFile | None]) -> None:
        self._file = file
        self._asking = asyncio.create_task(work)
        self._asking.add_done_callback(look_at)

    async def _fetch(self, client: BridgeClient) -> RemoteFile:
        return self._pick(await self._library.fetch(client, self._message_id))


async def looked_up(loan: Loan, library: AccountLibrary, message_id: int) -> SavedMedia:
    """Return what a message holds: of what is known, Telegram is not asked, but whether the session lives.

    Raises MediaNotFound, and TelegramFailure kinds.
    """
    try:
        known = library.known(message_id)
    except MediaNotFound:
        await loan.vouch()
        raise
    if known is not None:
        await loan.vouch()
        return known
    return await library.fetch(await loan.client(), message_id)


def _are_alike(one: RemoteFile, other: RemoteFile | None) -> bool:
    """Whether two files are one and the same, however fresh their references are."""
    if other is None:
        return False
    return replace(one, access_hash=other.access_hash, file_reference=other.file_reference) == other
