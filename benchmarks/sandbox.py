"""The data centres of a benchmark, in a process of their own: `python -m benchmarks.sandbox DIRECTORY`.

Commands on standard input, one JSON object a line: {"round_trip": seconds}; {"connections": true} answers how
many connections are open; {"limit": [calls a second, at once, seconds to wait]} limits upload.getFile anew
for each key, {"waited": true} answers how many seconds of waiting that has imposed; {"calls": true} answers
how often each method was called since it was asked last; {"sessions": [number, ...]} signs these accounts in,
without the way there, and answers their session strings and users' ids.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl import types

from benchmarks.processes import answer, main_loop
from benchmarks.report import MB
from tgbridge.sandbox import Sandbox
from tgbridge.sandbox.dispatch import ClientInfo
from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.sandbox.world.builders import Variant

if TYPE_CHECKING:
    from tgbridge.sandbox.rules import Limit
    from tgbridge.sandbox.world.accounts import Account

LARGE_BYTES = 500 * MB
SMALL_BYTES = 50 * MB
SMALL_FILES = 50
FOREIGN_FILES = 20
"""As small, in another data centre."""
THUMBNAIL_BYTES = 12_000
LISTED = 10_000
"""Messages of the account that has nothing but media."""
HISTORY = 100_000
"""Messages of the account of which each tenth holds media."""
PAGE_AT = 90_000
"""The message that its page begins at, counted from the newest."""


class Ids:
    """The messages that every account has."""

    home, foreign = 1, 2
    small = range(3, 3 + SMALL_FILES)
    photo = 3 + SMALL_FILES
    small_foreign = range(photo + 1, photo + 1 + FOREIGN_FILES)
    film = 1


class Numbers:
    """The accounts that have something else. Those from `empty` on have nothing."""

    listed, history, film = 1000, 1001, 1002
    empty = 2000


def phone(number: int) -> str:
    """Name the account with a number below 3000, at home in data centre 1."""
    return f"+999661{3000 + number}"


def fill(account: Account) -> None:
    """Give an account its files."""
    match int(account.phone.suffix) - 3000:
        case Numbers.listed:
            for _ in range(LISTED):
                _add_photo(account)
        case Numbers.history:
            for number in range(HISTORY):
                if number % 10:
                    account.add_message("a note")
                else:
                    _add_photo(account)
        case Numbers.film:
            asset = DOCUMENTS["sea-stretched"]
            document = account.document(asset.blob, mime_type="video/mp4", attributes=_named("film.mp4"))
            account.add_message("", media=types.MessageMediaDocument(document=document))
        case number if number < Numbers.listed:
            _add_files(account)


def _add_files(account: Account) -> None:
    for dc_id, size in ((1, LARGE_BYTES), (3, LARGE_BYTES), *((1, SMALL_BYTES),) * SMALL_FILES):
        _add_file(account, dc_id, size)
    _add_photo(account)
    for _ in range(FOREIGN_FILES):
        _add_file(account, 3, SMALL_BYTES)


def _add_file(account: Account, dc_id: int, size: int) -> None:
    document = account.document(
        Synthetic(size),
        mime_type="application/octet-stream",
        dc_id=dc_id,
        attributes=_named("bench.bin"),
    )
    account.add_message("", media=types.MessageMediaDocument(document=document))


def _named(name: str) -> list[Any]:
    return [types.DocumentAttributeFilename(name)]


def _add_photo(account: Account) -> None:
    photo = account.photo([Variant("m", Synthetic(THUMBNAIL_BYTES), 320, 240)])
    account.add_message("", media=types.MessageMediaPhoto(photo=photo))


def _sign_in(sandbox: Sandbox, number: int) -> tuple[str, int]:
    """Make a session of an account as if it had logged in: its string, and whose it is."""
    key = bytes([secrets.randbelow(255) + 1]) + secrets.token_bytes(255)
    record = sandbox.auth_keys.add(1, key, secrets.randbits(63), sandbox.now())
    info = ClientInfo(1, device_model="bench", system_version="1", app_version="1", lang_code="en")
    account = sandbox.state.account_of(phone(number))
    sandbox.state.authorize(sandbox.state.new_authorization(account, info), record)
    session = StringSession()
    session.set_dc(1, *sandbox.data_centres[1].address)
    session.auth_key = AuthKey(key)
    return str(session.save()), account.id


class Commands:
    """What the parent may tell: methods by the names of the commands, in the sandbox's own loop."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._limits: list[Limit] = []

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out all commands of a line."""
        answers: dict[str, Any] = {}
        for name, argument in command.items():
            answers |= getattr(self, name)(argument) or {}
        return answers

    def round_trip(self, seconds: float) -> None:
        """Delay every packet by half of this."""
        self._sandbox.faults.delay(seconds / 2)

    def connections(self, _: bool) -> dict[str, int]:
        """Count what is open."""
        return {"connections": sum(self._sandbox.connections.values())}

    def limit(self, limit: tuple[float, float, float]) -> None:
        """Limit upload.getFile: calls a second, at once, seconds to wait."""
        for earlier in self._limits:
            self._sandbox.faults.remove(earlier)
        per_second, burst, wait = limit
        self._limits = [
            self._sandbox.faults.limit("upload.getFile", per_second=per_second, burst=burst, wait=wait)
        ]

    def waited(self, _: bool) -> dict[str, float]:
        """Tell what the limit has imposed, in seconds."""
        return {"waited": sum(limit.waited for limit in self._limits)}

    def calls(self, _: bool) -> dict[str, int]:
        """Tell how often each method was called, and begin at zero again."""
        made: Counter[str] = Counter()
        for (_dc, method), count in self._sandbox.counters.calls.items():
            made[method] += count
        self._sandbox.counters.reset()
        return dict(made)

    def sessions(self, numbers: list[int]) -> dict[str, Any]:
        """Sign accounts in."""
        return {"sessions": [_sign_in(self._sandbox, number) for number in numbers]}


async def main(directory: Path) -> None:
    """Serve until the parent goes."""
    async with Sandbox(state_dir=directory, seed=fill) as sandbox:
        key = directory / "public_key.pem"
        key.write_text(sandbox.public_key_pem)
        answer({"port": sandbox.data_centres[1].address.port, "key": str(key)})
        loop, commands = asyncio.get_running_loop(), Commands(sandbox)

        def handle(**command: Any) -> dict[str, Any]:
            return asyncio.run_coroutine_threadsafe(commands.obey(command), loop).result()

        await asyncio.to_thread(main_loop, handle)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
