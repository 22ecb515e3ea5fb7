"""The sandbox with its control port, and a port that tells the truth: what accounts hold, byte by byte.

`python -m benchmarks.chaos.telegram DIRECTORY` prints where all of that is, and serves until it ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from telethon.tl import types

from benchmarks.processes import answer
from tgbridge.sandbox import Sandbox
from tgbridge.sandbox.control import Control
from tgbridge.sandbox.world.blobs import chunks

if TYPE_CHECKING:
    from tgbridge.sandbox.world.blobs import Blob

HOME = 2


class Truth:
    """Answers from the sandbox's own memory, past all of Telegram's protocol and its faults."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._digests: dict[tuple[int, int], str] = {}

    def app(self) -> web.Application:
        """Return what serves it."""
        app = web.Application()
        app.router.add_get("/messages/{phone}", self._messages)
        app.router.add_get("/bytes/{phone}/{id:\\d+}", self._bytes)
        return app

    async def _messages(self, request: web.Request) -> web.Response:
        account = self._sandbox.state.account_of(request.match_info["phone"])
        held = []
        for message in account.history:
            blob = self._blob(message)
            if blob is not None:
                held.append(
                    {
                        "id": message.id,
                        "caption": message.message,
                        "name": _name(message),
                        "size": blob.size,
                        "sha256": self._digest(message.id, account.id, blob) if blob.size < 1 << 24 else None,
                    }
                )
        return web.json_response(held)

    async def _bytes(self, request: web.Request) -> web.Response:
        account = self._sandbox.state.account_of(request.match_info["phone"])
        message = account.history.get(int(request.match_info["id"]))
        blob = None if message is None else self._blob(message)
        if blob is None:
            raise web.HTTPNotFound
        start, stop = int(request.query["start"]), int(request.query["stop"])
        pieces = []
        while start < stop and (piece := blob.read(start, min(stop - start, 1 << 20))):
            pieces.append(piece)
            start += len(piece)
        return web.Response(body=b"".join(pieces))

    def _digest(self, message: int, account: int, blob: Blob) -> str:
        """Make it once: no file of a message changes here."""
        known = self._digests.get((account, message))
        if known is None:
            digest = hashlib.sha256()
            for piece in chunks(blob):
                digest.update(piece)
            known = self._digests[account, message] = digest.hexdigest()
        return known

    def _blob(self, message: Any) -> Blob | None:
        media = getattr(message, "media", None)
        if isinstance(media, types.MessageMediaDocument) and isinstance(media.document, types.Document):
            held = media.document
        elif isinstance(media, types.MessageMediaPhoto) and isinstance(media.photo, types.Photo):
            held = media.photo
        else:
            return None
        stored = self._sandbox.state.files.get(held.id)
        return None if stored is None else stored.blobs[stored.main]


def _name(message: Any) -> str | None:
    for attribute in getattr(getattr(message.media, "document", None), "attributes", ()):
        if isinstance(attribute, types.DocumentAttributeFilename):
            return str(attribute.file_name)
    return None


async def main(directory: Path) -> None:
    """Serve until terminated."""
    async with Sandbox(state_dir=directory) as sandbox:
        control = Control(sandbox)
        await control.start()
        runner = web.AppRunner(Truth(sandbox).app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        key = directory / "public_key.pem"
        key.write_text(sandbox.public_key_pem)
        answer(
            {
                "port": sandbox.data_centres[HOME].address.port,
                "key": str(key),
                "control": control.url,
                "truth": f"http://127.0.0.1:{runner.addresses[0][1]}",
            }
        )
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
