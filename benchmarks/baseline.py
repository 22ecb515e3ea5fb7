"""What most projects write: a StreamResponse over stock Telethon's iter_download, one process.

`python -m benchmarks.baseline PORT KEY PHONE...`: GET /{account}/{message}, with Range; POST /disconnect,
after which the next request connects a new client with the same session.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from benchmarks.processes import answer

API_ID, API_HASH = 1, "0123456789abcdef0123456789abcdef"


async def connect(port: int, phone: str) -> TelegramClient:
    """Return a signed-in client."""
    session = StringSession()
    session.set_dc(1, "127.0.0.1", port)
    client = TelegramClient(session, API_ID, API_HASH)
    await client.connect()
    await client.send_code_request(phone)
    await client.sign_in(phone, phone[6] * 5)
    return client


def create_app(clients: list[TelegramClient]) -> web.Application:
    """Put the baseline together."""

    async def stream(request: web.Request) -> web.StreamResponse:
        client = clients[int(request.match_info["account"])]
        if not client.is_connected():
            await client.connect()
        message = await client.get_messages("me", ids=int(request.match_info["message"]))
        size = message.file.size
        span = request.http_range
        start, stop = span.start or 0, min(span.stop or size, size)
        response = web.StreamResponse(
            status=206 if "Range" in request.headers else 200, headers={"Content-Length": str(stop - start)}
        )
        await response.prepare(request)
        missing = stop - start
        async for chunk in client.iter_download(message.media, offset=start, file_size=size):
            await response.write(chunk[:missing])
            missing -= min(missing, len(chunk))
            if not missing:
                break
        await response.write_eof()
        return response

    async def disconnect(_request: web.Request) -> web.Response:
        for number, client in enumerate(clients):
            saved = client.session.save()
            await client.disconnect()
            clients[number] = TelegramClient(StringSession(saved), API_ID, API_HASH)
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/{account}/{message}", stream)
    app.router.add_post("/disconnect", disconnect)
    return app


async def main(port: int, phones: list[str]) -> None:
    """Serve until terminated."""
    clients = [await connect(port, phone) for phone in phones]
    runner = web.AppRunner(create_app(clients))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answer({"port": runner.addresses[0][1]})
    await asyncio.Event().wait()


if __name__ == "__main__":
    rsa.add_key(Path(sys.argv[2]).read_text(), old=False)
    asyncio.run(main(int(sys.argv[1]), sys.argv[3:]))
