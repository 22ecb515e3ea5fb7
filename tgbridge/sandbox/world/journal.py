"""What happened to an account's Saved Messages, line by line in a file, so that it outlives the process.

Each line is a JSON object: a file that was uploaded, or an event with the message as it was afterwards, in
TL. A line that a crash has cut short is passed over.
"""

from __future__ import annotations

import base64
import json
import os
from array import array
from typing import TYPE_CHECKING, Any

from telethon.extensions import BinaryReader

from tgbridge.sandbox.media import DIRECTORY
from tgbridge.sandbox.world.blobs import DiskBlob, PartedBlob
from tgbridge.sandbox.world.files import StoredFile
from tgbridge.sandbox.world.holding import files_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.blobs import Blob
    from tgbridge.sandbox.world.history import Event


_ROOTS = frozenset({"made", "media"})
"""Where bytes are that were not uploaded: in the state directory's own files, or among the seeds'."""


def uploads_in(directory: Path) -> set[str]:
    """Name the uploads that the journals in a directory speak of."""
    return {
        blob[0]
        for path in directory.glob("*.jsonl")
        for line in _lines(path)
        if line["kind"] == "file"
        for blob in line["blobs"].values()
        if blob[0] not in _ROOTS
    }


class Journal:
    """The journal of one account, in ``path``; its files' bytes are in ``uploads``."""

    def __init__(self, path: Path, uploads: Path, account: Account) -> None:
        self._path = path
        self._uploads = uploads
        self._account = account
        self._known = {stored.id for stored in account.files.of(account.id)}  # the seeds, made anew each time
        self._roots = {"made": account.files.directory, "media": DIRECTORY}

    def resume(self) -> None:
        """Let all happen again to an account that is as it was when it was made, and go on from there."""
        self._cut()
        for line in _lines(self._path):
            if line["kind"] == "file":
                self._restore(line)
            else:
                message = _read(line["message"]) if "message" in line else None
                self._account.history.replay(line["kind"], line["ids"], message)
        self._account.history.listener = self._record

    def _cut(self) -> None:
        """Remove half a line at the end, or the next one would go on from there."""
        if self._path.exists():
            whole = self._path.read_bytes().rfind(b"\n") + 1
            os.truncate(self._path, whole)

    def _record(self, event: Event, message: Any) -> None:
        lines: list[dict[str, Any]] = []
        entry: dict[str, Any] = {"kind": event.kind, "ids": event.ids}
        if message is not None:
            lines += self._files(message)
            entry["message"] = _write(message)
        lines.append(entry)
        with self._path.open("a", encoding="ascii") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in lines)

    def _files(self, message: Any) -> Iterator[dict[str, Any]]:
        for held in files_in(getattr(message, "media", None)):
            stored = self._account.files.get(held.id)
            if stored is None or stored.id in self._known:
                continue
            blobs = {letter: self._place(blob) for letter, blob in stored.blobs.items()}
            if None in blobs.values():
                continue  # made up by a test
            self._known.add(stored.id)
            yield {
                "kind": "file",
                "id": stored.id,
                "access_hash": stored.access_hash,
                "type": stored.kind,
                "dc": stored.dc_id,
                "mime_type": stored.mime_type,
                "media": _write(stored.media),
                "blobs": blobs,
            }

    def _place(self, blob: Blob) -> list[Any] | None:
        """Say where bytes are; None for those that are in no file."""
        if isinstance(blob, PartedBlob):
            return [blob.path.name, blob.size, blob.part_size, blob.positions.tolist()]
        if isinstance(blob, DiskBlob):
            for root, directory in self._roots.items():
                if blob.path.parent == directory:
                    return [root, blob.path.name, blob.size]
        return None

    def _blob(self, place: list[Any]) -> Blob:
        if place[0] in self._roots:
            root, name, size = place
            return DiskBlob(self._roots[root] / name, size)
        name, size, part_size, positions = place
        return PartedBlob(self._uploads / name, size, part_size, array("Q", positions))

    def _restore(self, line: dict[str, Any]) -> None:
        blobs = {letter: self._blob(place) for letter, place in line["blobs"].items()}
        self._known.add(line["id"])
        self._account.files.restore(
            StoredFile(
                id=line["id"],
                access_hash=line["access_hash"],
                owner=self._account.id,
                dc_id=line["dc"],
                kind=line["type"],
                mime_type=line["mime_type"],
                blobs=blobs,
                media=_read(line["media"]),
            )
        )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="ascii") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def _write(tl_object: Any) -> str:
    return base64.b64encode(bytes(tl_object)).decode()


def _read(text: str) -> Any:
    return BinaryReader(base64.b64decode(text)).tgread_object()
