"""Stock Telethon in a plain script: `python -m benchmarks.plain PORT KEY PHONE`.

Commands: {"send": path} by send_file, {"receive": message id} by iter_download; both answer with the seconds,
and the first with the message's id.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from telethon.crypto import rsa

from benchmarks.baseline import connect
from benchmarks.processes import answer, main_loop


async def main(port: int, phone: str) -> None:
    """Work until the parent goes."""
    client = await connect(port, phone)
    loop = asyncio.get_running_loop()

    async def work(send: str | None, receive: int | None) -> dict[str, Any]:
        begin = time.perf_counter()
        if send is not None:
            sent = await client.send_file("me", send, force_document=True)
            return {"seconds": time.perf_counter() - begin, "id": sent.id}
        message = await client.get_messages("me", ids=receive)
        async for _ in client.iter_download(message.media, file_size=message.file.size):
            pass
        return {"seconds": time.perf_counter() - begin}

    def handle(send: str | None = None, receive: int | None = None) -> dict[str, Any]:
        return asyncio.run_coroutine_threadsafe(work(send, receive), loop).result()

    answer({})
    await asyncio.to_thread(main_loop, handle)
    await client.disconnect()


if __name__ == "__main__":
    rsa.add_key(Path(sys.argv[2]).read_text(), old=False)
    asyncio.run(main(int(sys.argv[1]), sys.argv[3]))
