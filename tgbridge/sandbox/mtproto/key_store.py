"""All authorization keys, and the directory in which they outlive the process."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord, key_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tgbridge.sandbox.dispatch import World


class AuthKeyStore:
    """All keys of all data centres, in memory and, where there is a directory, in one small file each.

    Changes are written soon after they are made, by a thread, and all of them before `close` returns.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._keys: dict[tuple[int, bytes], AuthKeyRecord] = {}
        self._changed: dict[tuple[int, bytes], None] = {}
        self._writer: asyncio.Task[None] | None = None
        self._world: World | None = None

    def __iter__(self) -> Iterator[AuthKeyRecord]:
        return iter(list(self._keys.values()))

    def get(self, dc_id: int, identifier: bytes) -> AuthKeyRecord | None:
        """Find a key of a data centre by its 8 bytes."""
        return self._keys.get((dc_id, identifier))

    def add(self, dc_id: int, key: bytes, first_salt: int, created: float) -> AuthKeyRecord:
        """Take a key that was made just now."""
        record = self._record(dc_id, key, first_salt, int(created))
        self._touch((dc_id, record.id))
        return record

    def remove(self, record: AuthKeyRecord) -> None:
        """Forget a key: messages that are encrypted with it get the transport error -404 from now on."""
        if self._keys.pop((record.dc_id, record.id), None) is not None:
            record.close_sessions()
            self._touch((record.dc_id, record.id))

    def load(self, world: World) -> None:
        """Begin anew, by the directory if there is one. ``world`` restores and saves who is signed in."""
        self._world = world
        self._keys.clear()
        if self._directory is None:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(self._directory.glob("*.json")):
            saved = json.loads(path.read_text(encoding="utf-8"))
            record = self._record(
                saved["dc"], bytes.fromhex(saved["key"]), saved["first_salt"], saved["created"]
            )
            record.restore(saved, world)

    async def close(self) -> None:
        """Wait until all that changed is written. May be called again."""
        while self._writer is not None:
            await asyncio.shield(self._writer)

    def _record(self, dc_id: int, key: bytes, first_salt: int, created: int) -> AuthKeyRecord:
        place = (dc_id, key_id(key))
        record = AuthKeyRecord(dc_id, key, first_salt, created, partial(self._touch, place))
        self._keys[place] = record
        return record

    def _touch(self, place: tuple[int, bytes]) -> None:
        if self._directory is None:
            return
        self._changed[place] = None
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(self._directory))

    async def _write(self, directory: Path) -> None:
        try:
            while self._changed:
                texts = {
                    directory / f"dc{dc_id}-{identifier.hex()}.json": self._text(dc_id, identifier)
                    for dc_id, identifier in self._changed
                }
                self._changed.clear()
                await asyncio.to_thread(_write_files, texts)
        finally:
            self._writer = None

    def _text(self, dc_id: int, identifier: bytes) -> str | None:
        record = self.get(dc_id, identifier)
        if record is None or self._world is None:
            return None
        return json.dumps(record.to_json(self._world), indent=1)


def _write_files(texts: dict[Path, str | None]) -> None:
    for path, text in texts.items():
        if text is None:
            path.unlink(missing_ok=True)
            continue
        # Replaced in one step, so that a crash leaves the old file or the new one.
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
