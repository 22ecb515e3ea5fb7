"""All uploads of the process, under one budget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from tgbridge.telegram.transfer.budget import Budget
from tgbridge.telegram.transfer.upload.upload import FileUpload

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tgbridge.settings import TelegramSettings, UploadSettings
    from tgbridge.telegram.transfer.upload.upload import Client, Observer

ADMISSION_SECONDS: Final = 20.0
"""How long bytes that have come wait for room: as long as a browser would for a page."""


class Uploader:
    """Opens uploads, and holds the bounds on what all of them together keep in memory."""

    def __init__(
        self,
        settings: UploadSettings,
        telegram: TelegramSettings,
        *,
        admission_seconds: float = ADMISSION_SECONDS,
    ) -> None:
        self._telegram = telegram
        self.part_bytes = int(settings.part_bytes)
        of_process, of_account = settings.window_bytes_per_process, settings.window_bytes_per_account
        self.budget = Budget(
            process_bytes=of_process,
            account_bytes=of_account,
            stream_bytes=settings.window_bytes_per_upload,
            reserved_bytes=min(of_process // 4, of_process - of_account),
            little_bytes=2 * self.part_bytes,  # a room, and less than a part of what is at rest
        )
        self._admission_seconds = admission_seconds
        self._most_at_once = settings.uploads_per_account
        self._places: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    def open(
        self,
        client: Client,
        account: Hashable,
        *,
        size: int | None = None,
        at_most: int | None = None,
        likely_big: bool = False,
        beside: int = 0,
        observer: Observer | None = None,
    ) -> FileUpload:
        """Begin a file of the account named `account`, to be used as a context manager (see FileUpload).

        All sizes are in bytes: the exact one where it is known, else `at_most` may bound it, and
        `likely_big` guess whether it is beyond 10 MB. `beside` is what the caller holds of the file himself.
        """
        return FileUpload(
            client,
            self.budget,
            account,
            self._telegram,
            places=self._places.setdefault(account, asyncio.Semaphore(self._most_at_once)),
            part_bytes=self.part_bytes,
            size=size,
            at_most=at_most,
            likely_big=likely_big,
            beside=beside,
            admission_seconds=self._admission_seconds,
            observer=observer,
        )
