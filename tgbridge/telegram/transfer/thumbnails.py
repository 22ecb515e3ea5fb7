"""Thumbnails that were read a while ago: a page of a hundred is looked at again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tgbridge.telegram.account_cache import AccountCache
from tgbridge.telegram.single_flight import SingleFlight
from tgbridge.telegram.transfer.parts import KIB

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tgbridge.settings import FilesSettings
    from tgbridge.telegram.transfer.download.downloader import Client, Downloader
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import FileKey, RemoteFile

MOST_BYTES: Final = 256 * KIB
"""What is longer is read as other files are, piece by piece: asyncio copies what a socket does not take."""


class Thumbnails:
    """The thumbnails of all accounts, whole.

    Bounded by `files.thumbnail_bytes_per_account` and `files.thumbnail_bytes_per_process`. An account has
    those that it has read itself.
    """

    def __init__(self, downloader: Downloader, files: FilesSettings) -> None:
        self._downloader = downloader
        self._kept: AccountCache[FileKey, _Kept] = AccountCache(
            account_most=files.thumbnail_bytes_per_account, most=files.thumbnail_bytes_per_process
        )
        self._fetching: dict[tuple[Client, FileKey], SingleFlight[bytes]] = {}

    @property
    def cache(self) -> AccountCache[Any, Any]:
        """What is kept, with how often it was of use."""
        return self._kept

    @property
    def held(self) -> int:
        """How many bytes are kept."""
        return self._kept.cost

    def known(self, account: Hashable, file: RemoteFile) -> RemoteFile | None:
        """Return the thumbnail with its content, if the account has it in memory."""
        kept = self._kept.get(account, file.key)
        self._kept.asked(hit=kept is not None)
        if kept is None:
            return None
        return kept.whole if kept.file is file else _with(file, kept.content)

    async def fetch(self, client: Client, file: RemoteFile, refetch: Refetch) -> RemoteFile:
        """Return a thumbnail of known size with its content, and keep that; those who want it read it once.

        Raises what a download does, and FileCorrupted where it has another length than its size promises.
        """
        key = client, file.key
        fetching = self._fetching.get(key)
        if fetching is None or fetching.over:
            fetching = self._fetching[key] = SingleFlight(self._read(client, file, refetch))
        try:
            return _with(file, await fetching.wait())
        finally:
            if fetching.over and self._fetching.get(key) is fetching:
                del self._fetching[key]

    def forget(self, account: Hashable) -> None:
        """Keep nothing of an account's, since nobody is signed in with it any more."""
        self._kept.clear(account)

    async def _read(self, client: Client, file: RemoteFile, refetch: Refetch) -> bytes:
        async with self._downloader.open(client, file, 0, file.size, refetch=refetch) as download:
            content = b"".join([bytes(chunk) async for chunk in download])
        kept = _Kept(file, content, _with(file, content))
        self._kept.put(client.files.account, file.key, kept, len(content))
        return content


class _Kept(NamedTuple):
    file: RemoteFile
    """As a message has shown it, the very object: as a rule it is asked for again."""
    content: bytes
    whole: RemoteFile


def _with(file: RemoteFile, content: bytes) -> RemoteFile:
    whole = replace(file, content=content, size=len(content))
    return whole.recognised(content) if whole.is_guessed else whole
