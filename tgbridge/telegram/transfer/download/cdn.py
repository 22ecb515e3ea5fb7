"""Files that Telegram hands out through its CDN: encrypted there, key and hashes come from the origin.

https://core.telegram.org/cdn
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from telethon.tl import functions, types

from tgbridge.errors import FileCorrupted, FloodWait, SessionEnded, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.mtproto.pieces import joined
from tgbridge.telegram.rpc.call import now
from tgbridge.telegram.transfer.download.hashes import HashBook

if TYPE_CHECKING:
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.rpc.patience import Patience
    from tgbridge.telegram.transfer.parts import Part

_REUPLOADS: Final = 4
"""For one part: a CDN may drop a file again between its reupload and our question."""

_CDN_SECONDS: Final = 5.0
"""How long it is waited for at most."""

_EXPIRED = frozenset({"FILE_TOKEN_INVALID", "REQUEST_TOKEN_INVALID"})


class CdnLost(Exception):
    """The CDN does not serve this file (any more), to be fetched from the origin.

    `trusted` is False when that is the CDN's own fault: then the origin is asked to send the file itself.
    """

    def __init__(self, *, trusted: bool) -> None:
        super().__init__("the CDN does not serve the file")
        self.trusted = trusted


def decrypt(data: Bytes, offset: int, *, key: bytes, iv: bytes) -> memoryview:
    """Decrypt what lies at `offset` (bytes, a multiple of 16) of a CDN file.

    AES-256-CTR, the counter's start being `iv` with its last four bytes replaced by offset / 16, big endian.
    """
    counter = iv[:12] + (offset // 16).to_bytes(4, "big")
    return memoryview(Cipher(AES(key), CTR(counter)).decryptor().update(joined(data)))


class CdnFile:
    """One file at a CDN data centre, as upload.fileCdnRedirect told it."""

    def __init__(self, redirect: types.upload.FileCdnRedirect) -> None:
        self.dc_id: int = redirect.dc_id
        self._token: bytes = redirect.file_token
        self._key: bytes = redirect.encryption_key
        self._iv: bytes = redirect.encryption_iv
        self._hashes = HashBook(redirect.file_hashes)

    async def read(
        self, connections: Router, origin: int, part: Part, size: int, patience: Patience
    ) -> memoryview:
        """Return a part of `size` bytes, decrypted and verified; `origin` is who sent us here.

        The part is no smaller than what has a hash of its own. Raises CdnLost when the file has to come from
        the origin, and what the origin may ask of us: FloodWait, SessionEnded.
        """
        patience = _less(patience)
        encrypted = await self._encrypted(connections, origin, part, patience)
        data = decrypt(encrypted, part.offset, key=self._key, iv=self._iv)
        if len(data) != size:  # the hashes of no bytes would match
            raise CdnLost(trusted=False)
        while (position := self._hashes.missing(part.offset, part.offset + len(data))) is not None:
            request = functions.upload.GetCdnFileHashesRequest(self._token, position)
            self._hashes.add(await self._ask_origin(connections, origin, request, patience))
            if self._hashes.missing(part.offset, part.offset + len(data)) == position:
                raise CdnLost(trusted=False)
        try:
            self._hashes.check(part.offset, data)
        except FileCorrupted as error:
            raise CdnLost(trusted=False) from error
        return data

    async def _encrypted(self, connections: Router, origin: int, part: Part, patience: Patience) -> Bytes:
        request = functions.upload.GetCdnFileRequest(self._token, part.offset, part.limit)
        for _ in range(_REUPLOADS):
            try:
                answer = await connections.call_cdn(self.dc_id, request, patience)
            except TelegramRefused as error:
                raise CdnLost(trusted=error.name in _EXPIRED) from error
            except TelegramUnavailable as error:
                raise CdnLost(trusted=False) from error
            if not isinstance(answer, types.upload.CdnFileReuploadNeeded):
                return cast("Bytes", answer.bytes)
            reupload = functions.upload.ReuploadCdnFileRequest(self._token, answer.request_token)
            self._hashes.add(await self._ask_origin(connections, origin, reupload, patience))
        raise CdnLost(trusted=False)

    async def _ask_origin(
        self,
        connections: Router,
        origin: int,
        request: functions.upload.GetCdnFileHashesRequest | functions.upload.ReuploadCdnFileRequest,
        patience: Patience,
    ) -> list[types.FileHash]:
        try:
            hashes: list[types.FileHash] = await connections.call(origin, request, patience)
        except (FloodWait, SessionEnded):
            raise
        except TelegramRefused as error:
            raise CdnLost(trusted=error.name in _EXPIRED) from error
        except TelegramUnavailable as error:  # CDN_UPLOAD_TIMEOUT, for one
            raise CdnLost(trusted=False) from error
        return hashes


def _less(patience: Patience) -> Patience:
    """Leave time for the origin, which has the file too."""
    seconds = min((patience.give_up_at - now()) / 2, _CDN_SECONDS)
    return patience._replace(give_up_at=now() + seconds)
