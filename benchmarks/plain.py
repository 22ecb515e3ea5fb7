"""Stock Telethon in a plain script: `python -m benchmarks.plain PORT KEY PHONE`.

Commands: {"send": path} by send_file, {"receive": message id} by iter_download, for "give_up_after" seconds
at most; both answer with the seconds, the first with the message's id, the second with the bytes that came.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from telethon.crypto import rsa

from benchmarks.baseline import connect
from benchmarks.processes import answer, main_loop


async def main(port: int, phone: str) -> None:
    """Work until the parent goes."""
    client = await connect(port, phone)
    loop = asyncio.get_running_loop()

    async def work(send: str | None, receive: int | None, give_up_after: float | None) -> dict[str, Any]:
        begin = time.perf_counter()
        if send is not None:
            sent = await client.send_file("me", send, force_document=True)
            return {"seconds": time.perf_counter() - begin, "id": sent.id}
        message = await client.get_messages("me", ids=receive)
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(give_up_after):
                async for chunk in client.iter_download(message.media, file_size=message.file.size):
                    size += len(chunk)
        return {"seconds": time.perf_counter() - begin, "size": size}

    def handle(
        send: str | None = None, receive: int | None = None, give_up_after: float | None = None
    ) -> dict[str, Any]:
        return asyncio.run_coroutine_threadsafe(work(send, receive, give_up_after), loop).result()

    answer({})
    await asyncio.to_thread(main_loop, handle)
    await client.disconnect()


if __name__ == "__main__":
    rsa.add_key(Path(sys.argv[2]).read_text(), old=False)
    asyncio.run(main(int(sys.argv[1]), sys.argv[3]))
