"""What is true: what accounts hold, byte by byte and change by change, past all of Telegram's protocol.

It answers from the sandbox's own memory, and lets the user's telephone change what is there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web
from telethon.tl import types

from tgbridge.sandbox import telephone
from tgbridge.sandbox.world.blobs import chunks

if TYPE_CHECKING:
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.blobs import Blob
    from tgbridge.sandbox.world.files import StoredFile

_HASHED_BYTES = 1 << 24
"""Larger files are the seeds' own, of which spans are compared."""


class Truth:
    """A port that tells it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._digests: dict[int, list[str | None]] = {}

    def app(self) -> web.Application:
        """Return what serves it."""
        app = web.Application()
        app.router.add_get("/messages/{phone}", self._messages)
        app.router.add_get("/changes/{phone}", self._changes)
        app.router.add_get("/bytes/{phone}/{id:\\d+}", self._bytes)
        app.router.add_get("/digests/{phone}/{id:\\d+}", self._all_digests)
        app.router.add_post("/telephone/{phone}/edit", self._edit)
        app.router.add_post("/telephone/{phone}/delete", self._delete)
        app.router.add_post("/telephone/{phone}/receive", self._receive)
        return app

    async def _messages(self, request: web.Request) -> web.Response:
        """All that is there now."""
        held = [
            {
                "id": message.id,
                "caption": message.message,
                "name": _name(message),
                "sha256": self._of(stored)[0],
            }
            for message in self._account(request).history
            if (stored := self._stored(message)) is not None
        ]
        return web.json_response(held)

    async def _changes(self, request: web.Request) -> web.Response:
        """Which messages have changed since a state: in which state last, and the caption (null: gone)."""
        account = self._account(request)
        changed: dict[int, int] = {}
        for event in account.history.since(int(request.query["since"])):
            changed |= dict.fromkeys(event.ids, event.pts)
        told = []
        for number, pts in changed.items():
            message: Any = account.history.get(number)
            is_shown = self._stored(message) is not None and message.peer_id.user_id == account.id
            told.append((number, pts, message.message if is_shown else None))
        return web.json_response({"pts": account.history.pts, "changes": told})

    async def _bytes(self, request: web.Request) -> web.Response:
        """A span of a file."""
        stored = self._asked_for(request)
        start, stop = int(request.query["start"]), int(request.query["stop"])
        blob, pieces = stored.blobs[stored.main], []
        while start < stop and (piece := blob.read(start, min(stop - start, 1 << 20))):
            pieces.append(piece)
            start += len(piece)
        return web.Response(body=b"".join(pieces))

    async def _all_digests(self, request: web.Request) -> web.Response:
        """Those of a file, all its sizes and thumbnails, and those of its cover."""
        digests = self._of(self._asked_for(request))
        message: Any = self._account(request).history.get(int(request.match_info["id"]))
        cover = getattr(message.media, "video_cover", None)
        stored = None if cover is None else self._sandbox.state.files.get(cover.id)
        return web.json_response(digests + ([] if stored is None else self._of(stored)))

    # The telephone

    async def _edit(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            telephone.edit(self._sandbox, request.match_info["phone"], asked["id"], asked["caption"])
        except ValueError as error:
            raise web.HTTPNotFound from error
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response(telephone.delete(self._sandbox, request.match_info["phone"], asked["ids"]))

    async def _receive(self, request: web.Request) -> web.Response:
        """Somebody else writes, and sends what the user has in Saved Messages, too."""
        asked = await request.json()
        message = self._account(request).history.get(asked.get("id", 0))
        media = getattr(message, "media", None)
        number = telephone.receive(self._sandbox, request.match_info["phone"], "hello", media)
        return web.json_response({"id": number})

    # Looking

    def _account(self, request: web.Request) -> Account:
        return self._sandbox.state.account_of(request.match_info["phone"])

    def _asked_for(self, request: web.Request) -> StoredFile:
        stored = self._stored(self._account(request).history.get(int(request.match_info["id"])))
        if stored is None:
            raise web.HTTPNotFound
        return stored

    def _of(self, stored: StoredFile) -> list[str | None]:
        """Hash once: no file changes here. The file itself comes first."""
        known = self._digests.get(stored.id)
        if known is None:
            main = stored.main
            blobs = [stored.blobs[main], *(blob for letter, blob in stored.blobs.items() if letter != main)]
            known = self._digests[stored.id] = [_sha256(blob) for blob in blobs]
        return known

    def _stored(self, message: Any) -> StoredFile | None:
        media = getattr(message, "media", None)
        if isinstance(media, types.MessageMediaDocument) and isinstance(media.document, types.Document):
            held = media.document
        elif isinstance(media, types.MessageMediaPhoto) and isinstance(media.photo, types.Photo):
            held = media.photo
        else:
            return None
        return self._sandbox.state.files.get(held.id)


def _sha256(blob: Blob) -> str | None:
    if blob.size > _HASHED_BYTES:
        return None
    digest = hashlib.sha256()
    for piece in chunks(blob):
        digest.update(piece)
    return digest.hexdigest()


def _name(message: Any) -> str | None:
    for attribute in getattr(getattr(message.media, "document", None), "attributes", ()):
        if isinstance(attribute, types.DocumentAttributeFilename):
            return str(attribute.file_name)
    return None
