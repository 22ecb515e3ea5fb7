"""What becomes of media that a client sends: uploaded anew, or known already.

Photos get smaller sizes, pictures and videos a thumbnail, all of them a preview, as pictures.py makes them.

Sources: https://core.telegram.org/api/files#uploading-files, https://core.telegram.org/type/InputMedia
"""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.dispatch import RpcError
from tgbridge.sandbox.world import images, pictures
from tgbridge.sandbox.world.builders import Variant

if TYPE_CHECKING:
    from datetime import datetime

    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.blobs import PartedBlob
    from tgbridge.sandbox.world.files import StoredFile
    from tgbridge.sandbox.world.state import State

MAX_PHOTO_SIZE = 10 * 1024 * 1024
MAX_PHOTO_EXTENT = 10_000
MAX_PHOTO_RATIO = 20
MAX_THUMB_SIZE = 200 * 1024
MAX_THUMB_EXTENT = 320

_PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"})
_POSTER_BYTES = 64 * 1024


class Incoming:
    """Takes the media of one request: whose it is, where the parts were sent, and when."""

    def __init__(self, state: State, account: Account, dc_id: int, date: datetime) -> None:
        self._state = state
        self._account = account
        self._dc_id = dc_id
        self._date = date

    async def media(self, media: Any) -> Any:
        """Make the media of a message. Takes a moment for pictures, in which other calls go on.

        Raises RpcError 400: MEDIA_EMPTY, MEDIA_INVALID, TTL_MEDIA_INVALID, the errors of `Uploads.finish`,
        of file references, and PHOTO_EXT_INVALID, PHOTO_SAVE_FILE_INVALID, IMAGE_PROCESS_FAILED and
        PHOTO_INVALID_DIMENSIONS of photos.
        """
        if getattr(media, "ttl_seconds", None):
            raise RpcError(400, "TTL_MEDIA_INVALID")
        match media:
            case types.InputMediaEmpty():
                raise RpcError(400, "MEDIA_EMPTY")
            case types.InputMediaUploadedPhoto():
                return types.MessageMediaPhoto(photo=await self._photo(media.file), spoiler=media.spoiler)
            case types.InputMediaUploadedDocument():
                return wrap(await self._document(media), spoiler=media.spoiler)
            case types.InputMediaPhoto(id=types.InputPhoto()):
                photo = self._known("photo", media.id).media
                return types.MessageMediaPhoto(photo=photo, spoiler=media.spoiler)
            case types.InputMediaDocument(id=types.InputDocument()):
                return wrap(self._known("document", media.id).media, spoiler=media.spoiler)
            case _:
                raise RpcError(400, "MEDIA_INVALID")

    def _known(self, kind: str, file: Any) -> StoredFile:
        files = self._state.files
        stored = files.find(kind, file.id, file.access_hash, self._account.id)
        if stored is None:
            raise RpcError(400, "MEDIA_EMPTY")
        files.check_reference(file.id, file.file_reference)
        return stored

    async def _photo(self, file: Any) -> types.Photo:
        if PurePath(file.name).suffix.lower() not in _PHOTO_SUFFIXES:
            raise RpcError(400, "PHOTO_EXT_INVALID")
        blob = self._upload(file)
        if blob.size > MAX_PHOTO_SIZE or isinstance(file, types.InputFileBig):
            raise RpcError(400, "PHOTO_SAVE_FILE_INVALID")
        content = blob.read(0, blob.size)
        picture = images.probe(content)
        if picture is None:
            raise RpcError(400, "IMAGE_PROCESS_FAILED")
        longer, shorter = max(picture.width, picture.height), min(picture.width, picture.height)
        if longer + shorter > MAX_PHOTO_EXTENT or longer > MAX_PHOTO_RATIO * shorter:
            raise RpcError(400, "PHOTO_INVALID_DIMENSIONS")
        self._state.uploads.keep(blob)
        made = await asyncio.to_thread(pictures.of_photo, content, picture)
        if made is None:
            letter = pictures.letter_of(longer)
            made = pictures.Made((Variant(letter, blob, picture.width, picture.height),))
        return self._account.photo(made.sizes, date=self._date, stripped=made.stripped)

    async def _document(self, media: types.InputMediaUploadedDocument) -> types.Document:
        blob = self._upload(media.file)
        self._state.uploads.keep(blob)
        made = await self._thumbs(media, blob)
        return self._account.document(
            blob,
            mime_type=media.mime_type.lower() or "application/octet-stream",
            attributes=media.attributes,
            thumbs=made.sizes,
            stripped=made.stripped,
            date=self._date,
        )

    async def _thumbs(self, media: types.InputMediaUploadedDocument, blob: PartedBlob) -> pictures.Made:
        """Take the thumbnail that the client sent, or else make one of what can be seen."""
        sent = self._sent_thumb(media.thumb)
        if sent is not None:
            thumb, content = sent
            return pictures.Made((thumb,), await asyncio.to_thread(pictures.preview, content))
        if media.mime_type.lower().startswith("image/") and blob.size <= MAX_PHOTO_SIZE:
            return await asyncio.to_thread(pictures.of_file, blob.read(0, blob.size))
        for attribute in media.attributes:
            if isinstance(attribute, types.DocumentAttributeVideo):
                head = blob.read(0, _POSTER_BYTES)
                return await asyncio.to_thread(pictures.poster, attribute.w, attribute.h, head)
        return pictures.Made()

    def _sent_thumb(self, file: Any) -> tuple[Variant, bytes] | None:
        if file is None:
            return None
        blob = self._upload(file)
        content = blob.read(0, MAX_THUMB_SIZE + 1)
        picture = images.probe(content) if len(content) <= MAX_THUMB_SIZE else None
        if picture is None or max(picture.width, picture.height) > MAX_THUMB_EXTENT:
            return None  # as at Telegram, where a thumbnail that is none is passed over
        self._state.uploads.keep(blob)
        return Variant("m", blob, picture.width, picture.height), content

    def _upload(self, file: Any) -> PartedBlob:
        if not isinstance(file, types.InputFile | types.InputFileBig):
            raise RpcError(400, "MEDIA_INVALID")
        return self._state.uploads.finish(self._account.id, self._dc_id, file)


def wrap(document: types.Document, *, spoiler: bool | None = None) -> types.MessageMediaDocument:
    """Put a document into a message's media, which says in short what kind it is."""
    kinds = {type(attribute): attribute for attribute in document.attributes}
    video = kinds.get(types.DocumentAttributeVideo)
    audio = kinds.get(types.DocumentAttributeAudio)
    animated = types.DocumentAttributeAnimated in kinds or types.DocumentAttributeSticker in kinds
    is_round = video is not None and bool(video.round_message)
    return types.MessageMediaDocument(
        document=document,
        spoiler=spoiler,
        video=(video is not None and not is_round and not animated) or None,
        round=is_round or None,
        voice=(audio is not None and bool(audio.voice)) or None,
    )
