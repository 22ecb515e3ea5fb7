"""What files turn out to be where their messages say it wrongly, or not at all.

The size of a picture, which Telegram gives as 0 or wrongly now and then, is asked of the bytes themselves; so
is the type of a file that neither its declaration nor its name tells. Both are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import FileCorrupted, MediaNotFound, TelegramRefused
from tgbridge.inspection.signatures import HEAD_BYTES
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.transfer.download.source import STALE_REFERENCE
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.transfer.download.downloader import Client, Downloader
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import FileKey, RemoteFile

_ENTRIES: Final = 4096
_MOST: Final = 16 * MIB  # a photo has at most 10 MiB when it is sent
_ATTEMPTS: Final = 4  # at one piece: a migration, and references that expire


@dataclass(slots=True)
class _Known:
    """What one file has turned out to be."""

    size: int | None = None
    head: bytes | None = None
    is_doubted: bool = False
    """Whether the size that its messages tell is not to be believed."""


class Corrections:
    """What is known of files beside what their messages say: bounded, and the same for all accounts."""

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader
        self._files: OrderedDict[FileKey, _Known] = OrderedDict()

    async def apply(self, client: Client, file: RemoteFile, refetch: Refetch) -> RemoteFile:
        """Return the file as it is, at once unless something of it has to be asked for first.

        Raises what a download does, and MediaNotFound if a picture of unknown size has no bytes at all.
        """
        if (right := self.known(file)) is not None:
            return right
        known = self._files.get(file.key, _Known())
        if file.thumb_size and (not file.size or known.is_doubted):
            if known.size is None:
                size = await _measured(client.files, file, refetch)
                if not size:
                    # A server in trouble, which answers nothing again and again, where a size is told.
                    raise FileCorrupted("a picture without bytes") if file.size else MediaNotFound
                known.size = size
                self._remember(file, known)
            file = replace(file, size=known.size)
        if file.is_guessed and file.size:
            if known.head is None:
                known.head = await self._head(client, file, refetch)
                self._remember(file, known)
            file = file.recognised(known.head)
        return file

    def known(self, file: RemoteFile) -> RemoteFile | None:
        """Return the file as it is, None if something of it has to be asked for first."""
        if file.content is not None:
            return file
        known = self._files.get(file.key)
        if file.thumb_size and (not file.size or (known is not None and known.is_doubted)):
            if known is None or known.size is None:
                return None
            file = replace(file, size=known.size)
        if file.is_guessed and file.size:
            return None if known is None or known.head is None else file.recognised(known.head)
        return file

    def doubt(self, file: RemoteFile) -> bool:
        """Note that another number of bytes came than the file's size promised.

        Returns whether asking again makes sense: the size of a picture is measured then, once.
        """
        known = self._files.get(file.key, _Known())
        if not file.thumb_size or known.is_doubted or known.size is not None:
            return False
        known.is_doubted = True
        self._remember(file, known)
        return True

    def _remember(self, file: RemoteFile, known: _Known) -> None:
        self._files[file.key] = known
        self._files.move_to_end(file.key)
        while len(self._files) > _ENTRIES:
            self._files.popitem(last=False)

    async def _head(self, client: Client, file: RemoteFile, refetch: Refetch) -> bytes:
        # Whoever wants the file's beginning next finds it in memory.
        stop = min(file.size, HEAD_BYTES)
        async with self._downloader.open(client, file, 0, stop, refetch=refetch) as download:
            return b"".join([bytes(chunk) async for chunk in download])


async def _measured(connections: Router, file: RemoteFile, refetch: Refetch) -> int:
    """Return how many bytes a picture has. Raises FileCorrupted where Telegram's answers do not agree."""
    picture = _Picture(connections, file, refetch)
    size = 0
    while size < _MOST:
        length = await picture.length(size, MIB)
        size += length
        if length < MIB:
            break
    # Answers that were merely cut short look like an end, but not in each piece alike, or something follows.
    last = size - size % KIB
    ends = size < _MOST and await picture.length(last, KIB) == size - last
    if not ends or await picture.length(last + KIB, KIB):
        raise FileCorrupted("the bytes of a picture do not end where they seemed to")
    return size


class _Picture:
    """A picture at Telegram, whose bytes are asked for beyond the size that its message tells."""

    def __init__(self, connections: Router, file: RemoteFile, refetch: Refetch) -> None:
        self._connections = connections
        self._file = file
        self._refetch = refetch
        self._dc_id = file.dc_id

    async def length(self, offset: int, limit: int) -> int:
        """Ask for bytes, and return how many there were."""
        patience = Patience.of_first_bytes(self._connections.telegram)
        for _ in range(_ATTEMPTS):
            try:
                return len((await self._ask(offset, limit, patience)).bytes)
            except TelegramRefused as refusal:
                if refusal.name == "FILE_MIGRATE" and refusal.value:
                    self._dc_id = refusal.value
                elif refusal.name in STALE_REFERENCE:
                    self._file = await self._renewed()
                elif refusal.name == "LOCATION_INVALID":  # the message tells of a size that does not exist
                    raise MediaNotFound from refusal
                else:
                    raise
        raise FileCorrupted("no data centre gives the bytes of a picture")

    async def _ask(self, offset: int, limit: int, patience: Patience) -> Any:
        # `precise` allows for offsets and limits that are multiples of 1 KiB.
        request = functions.upload.GetFileRequest(self._file.location(), offset, limit, precise=True)
        answer = await self._connections.call(self._dc_id, request, patience)
        if isinstance(answer, types.upload.FileCdnRedirect):
            raise FileCorrupted("a CDN was named to one who asked for none")
        return answer

    async def _renewed(self) -> RemoteFile:
        fresh = await self._refetch()
        if fresh.key != self._file.key:
            raise MediaNotFound("the message holds another file now")
        return fresh
