"""One file as one account sees it: in which data centre it is, under which reference, and whether at a CDN.

All streams of the file share this, so that what one part learnt, the others know.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from telethon.tl import functions, types

from tgbridge.errors import (
    FileCorrupted,
    MediaNotFound,
    TelegramFailure,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.settings.files import HASHED_BYTES
from tgbridge.telegram.single_flight import SingleFlight
from tgbridge.telegram.transfer.download.cdn import CdnFile, CdnLost
from tgbridge.telegram.transfer.download.hashes import HashBook

if TYPE_CHECKING:
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.rpc.patience import Patience
    from tgbridge.telegram.transfer.download.cache import FileParts
    from tgbridge.telegram.transfer.parts import Part
    from tgbridge.telegram.transfer.remote_file import RemoteFile

Refetch = Callable[[], Awaitable["RemoteFile"]]
"""Fetches the file's message anew, for a fresh file reference."""

_TURNS: Final = 6
"""For one part: a migration, an expired reference, a CDN and its loss may all meet it, each once or twice."""

_WRONG_LENGTHS: Final = 3
"""So often a part may come with another length than it has, before that is an error."""

# https://core.telegram.org/api/file_reference; the last one is for references of an old kind.
STALE_REFERENCE = frozenset(
    {
        "FILE_REFERENCE_EXPIRED",
        "FILE_REFERENCE_INVALID",
        "FILE_REFERENCE_EMPTY",
        "FILEREF_UPGRADE_NEEDED",
    }
)


class Source:
    """Fetches parts of one file, and mends what can be mended."""

    def __init__(self, file: RemoteFile, parts: FileParts, *, verify_hashes: bool) -> None:
        self.parts = parts
        self._file = file
        self._location = file.location()
        self._dc_id = file.dc_id
        self._hashes = HashBook() if verify_hashes else None
        self._cdn: CdnFile | None = None
        self._cdn_allowed = True
        self._renewal: SingleFlight[RemoteFile] | None = None
        self.looked_ahead = False
        """Whether its first bytes were looked at, and what a player wants next was fetched."""

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        return self._file.size

    def adopt(self, file: RemoteFile) -> None:
        """Use the file reference of a later look at the message."""
        if file.file_reference != self._file.file_reference:
            self._file = file
            self._location = file.location()

    async def read(self, connections: Router, refetch: Refetch, part: Part, patience: Patience) -> Bytes:
        """Return the bytes of a part.

        Raises FileCorrupted when they are again and again not as many as the file's size promises, or are not
        those that were hashed; MediaNotFound when the message does not hold the file any more; and the
        TelegramFailure that no other attempt would mend, or that outlasts patience.
        """
        expected = part.length(self._file.size)
        failure: TelegramFailure | None = None
        wrong_lengths = 0
        for _ in range(_TURNS):
            reference = self._file.file_reference
            try:
                data = await self._attempt(connections, part, expected, patience)
            except TelegramRefused as refusal:
                failure = refusal
                if refusal.name == "FILE_MIGRATE" and refusal.value:
                    self._dc_id = refusal.value
                elif refusal.name in STALE_REFERENCE:
                    renewed = await self._renew(reference, partial(connections.persist, refetch, patience))
                    connections.statistics.references_renewed += renewed
                else:
                    raise
            else:
                if data is None:
                    continue
                if len(data) == expected:
                    return data
                # Servers in trouble answer less than they have, or nothing at all.
                failure = FileCorrupted("a part of the file has another length than its size promises")
                wrong_lengths += 1
                if wrong_lengths == _WRONG_LENGTHS:
                    break
        raise failure or TelegramUnavailable("no data centre serves the file")

    async def _attempt(
        self, connections: Router, part: Part, expected: int, patience: Patience
    ) -> Bytes | None:
        """Ask once; None means to ask again, elsewhere."""
        # What a CDN sends has to be verified, and what has no hash of its own can't be.
        verifiable = part.limit >= HASHED_BYTES
        if self._cdn is not None and verifiable:
            return await self._read_cdn(self._cdn, connections, part, patience)
        request = functions.upload.GetFileRequest(
            self._location, part.offset, part.limit, cdn_supported=self._cdn_allowed and verifiable
        )
        answer = await connections.call(self._dc_id, request, patience)
        if isinstance(answer, types.upload.FileCdnRedirect):
            if self._cdn is None:
                self._cdn = CdnFile(answer)
            return None
        # The type that Telegram names beside the bytes says nothing: it is a guess by their look.
        data: Bytes = answer.bytes
        if self._hashes is not None and len(data) == expected:
            await self._verify(self._hashes, connections, part, data, patience)
        return data

    async def _read_cdn(
        self, cdn: CdnFile, connections: Router, part: Part, patience: Patience
    ) -> Bytes | None:
        try:
            return await cdn.read(connections, self._dc_id, part, part.length(self.size), patience)
        except CdnLost as lost:
            if self._cdn is cdn:  # else another part has found out already
                self._cdn = None
            if not lost.trusted:
                self._cdn_allowed = False
            return None

    async def _verify(
        self,
        hashes: HashBook,
        connections: Router,
        part: Part,
        data: Bytes,
        patience: Patience,
    ) -> None:
        while (position := hashes.missing(part.offset, part.offset + len(data))) is not None:
            request = functions.upload.GetFileHashesRequest(self._location, position)
            hashes.add(await connections.call(self._dc_id, request, patience))
            if hashes.missing(part.offset, part.offset + len(data)) == position:
                raise FileCorrupted("Telegram gives no hash for a part of the file")
        hashes.check(part.offset, data)

    async def _renew(self, stale: bytes, refetch: Refetch) -> bool:
        """Have a fresh reference; tell whether the message was asked for by this part."""
        if self._file.file_reference != stale:
            return False  # another part has renewed it since we asked
        renewal = self._renewal
        own = renewal is None or renewal.over
        if renewal is None or own:
            renewal = self._renewal = SingleFlight(self._fetch(refetch))
        try:
            self.adopt(await renewal.wait())
        except MediaNotFound:
            if own:
                raise
            # Another stream's message is gone. Ours, which may be another one, is asked for next.
        return own

    async def _fetch(self, refetch: Refetch) -> RemoteFile:
        fresh = await refetch()
        if (fresh.key, fresh.size) != (self._file.key, self._file.size):
            raise MediaNotFound("the message holds another file now")
        return fresh
