"""The data centres of a benchmark, in a process of their own: `python -m benchmarks.sandbox DIRECTORY`.

Commands on standard input, one JSON object a line: {"round_trip": seconds}; {"connections": true} answers how
many connections are open; {"limit": [calls a second, at once, seconds to wait]} limits upload.getFile anew
for each key, {"waited": true} answers how many seconds of waiting that has imposed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from benchmarks.processes import answer, main_loop
from benchmarks.report import MB
from tgbridge.sandbox import Sandbox
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.sandbox.world.builders import Variant

if TYPE_CHECKING:
    from tgbridge.sandbox.rules import Limit
    from tgbridge.sandbox.world.accounts import Account

LARGE_BYTES = 500 * MB
SMALL_BYTES = 50 * MB
SMALL_FILES = 50
THUMBNAIL_BYTES = 12_000


class Ids:
    """The messages that every account has."""

    home, foreign = 1, 2
    small = range(3, 3 + SMALL_FILES)
    photo = 3 + SMALL_FILES


def phone(number: int) -> str:
    """Name the account with a number below 1000, at home in data centre 1."""
    return f"+999661{3000 + number}"


def fill(account: Account) -> None:
    """Give an account its files."""
    for dc_id, size in ((1, LARGE_BYTES), (3, LARGE_BYTES), *((1, SMALL_BYTES),) * SMALL_FILES):
        document = account.document(
            Synthetic(size),
            mime_type="application/octet-stream",
            dc_id=dc_id,
            attributes=[types.DocumentAttributeFilename("bench.bin")],
        )
        account.add_message("", media=types.MessageMediaDocument(document=document))
    photo = account.photo([Variant("m", Synthetic(THUMBNAIL_BYTES), 320, 240)])
    account.add_message("", media=types.MessageMediaPhoto(photo=photo))


async def main(directory: Path) -> None:
    """Serve until the parent goes."""
    async with Sandbox(state_dir=directory, seed=fill) as sandbox:
        key = directory / "public_key.pem"
        key.write_text(sandbox.public_key_pem)
        answer({"port": sandbox.data_centres[1].address.port, "key": str(key)})
        loop = asyncio.get_running_loop()

        limits: list[Limit] = []

        def limit(per_second: float, burst: float, wait: float) -> None:
            for earlier in limits:
                sandbox.faults.remove(earlier)
            limits[:] = [
                sandbox.faults.limit("upload.getFile", per_second=per_second, burst=burst, wait=wait)
            ]

        def handle(
            round_trip: float | None = None,
            connections: bool = False,
            waited: bool = False,
            **command: tuple[float, float, float],
        ) -> dict[str, Any]:
            if round_trip is not None:
                loop.call_soon_threadsafe(sandbox.faults.delay, round_trip / 2)
            if "limit" in command:
                loop.call_soon_threadsafe(limit, *command["limit"])
            if waited:
                return {"waited": sum(limit.waited for limit in limits)}
            return {"connections": sum(sandbox.connections.values())} if connections else {}

        await asyncio.to_thread(main_loop, handle)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
