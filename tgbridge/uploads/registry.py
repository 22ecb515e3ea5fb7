"""All resumable uploads of the process: who has which, how many there may be, and when they are forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tgbridge.errors import PoolExhausted
from tgbridge.telegram.saved.captions import check_caption
from tgbridge.uploads.errors import EmptyUpload, TooManyUploads, UploadError, UploadGone, UploadNotFound
from tgbridge.uploads.outcome import Outcome
from tgbridge.uploads.resumable import ResumableUpload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.http.tus import Creation
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.sending import Sending
    from tgbridge.telegram.transfer.upload.upload import Observer
    from tgbridge.uploads.ids import UploadIds
    from tgbridge.uploads.outcome import Purpose
    from tgbridge.uploads.progress import ProgressBoard
    from tgbridge.uploads.resumable import Surroundings

OpenSending = Callable[["BridgeClient", "Observer"], "Sending"]

MOST_PER_OWNER: Final = 64
"""Uploads of one account that are not messages yet; as many that are, are remembered."""

MOST: Final = 4096
"""Uploads of all accounts together."""

IDLE_SECONDS: Final = 60.0
"""An upload of which nothing but a few bytes was heard for so long may be forgotten when room is needed: its
client has gone, and can start again if it comes back."""

_REAP_SECONDS: Final = 60.0


class ResumableUploads:
    """The uploads, and the bounds on all of them together."""

    def __init__(
        self, surroundings: Surroundings, board: ProgressBoard, ids: UploadIds, *, resume_seconds: float
    ) -> None:
        self._surroundings = surroundings
        self._board = board
        self._ids = ids
        self._resume_seconds = resume_seconds
        # The one that was heard of least recently comes first.
        self._uploads: dict[tuple[int, str], ResumableUpload] = {}
        self._beginning: Counter[int] = Counter()
        self._reaper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._uploads)

    def start(self) -> None:
        """Begin to forget what has expired."""
        self._reaper = asyncio.create_task(self._reap())

    async def close(self) -> None:
        """Give up all uploads. Idempotent."""
        if self._reaper is not None:
            self._reaper.cancel()
            await asyncio.wait({self._reaper})
        await self._drop(list(self._uploads.values()))

    async def create(
        self, owner: int, session: str, creation: Creation, purpose: Purpose, open_sending: OpenSending
    ) -> ResumableUpload:
        """Begin an upload of an account, by one of its Telegram sessions.

        Raises EmptyUpload, TooManyUploads, what `open_sending` does, FileTooLarge, TelegramFailure and
        PoolExhausted.
        """
        if creation.length == 0:
            raise EmptyUpload
        await self._make_room(owner)
        self._beginning[owner] += 1
        try:
            return await self._create(owner, session, creation, purpose, open_sending)
        finally:
            self._beginning[owner] -= 1
            self._beginning += Counter()  # forgets those that are zero

    async def _create(
        self, owner: int, session: str, creation: Creation, purpose: Purpose, open_sending: OpenSending
    ) -> ResumableUpload:
        async with self._surroundings.pool.borrow(session, account=owner) as client:
            await check_caption(client, purpose.caption)
            progress = self._board.begin(owner, self._ids.issue(owner), creation.length, session=session)
            progress.lasting = True
            try:
                sending = open_sending(client, progress.file())
                try:
                    await sending.__aenter__()
                    await sending.pause()
                except BaseException:
                    await sending.aclose()
                    raise
            except BaseException:
                self._board.forget(progress)
                raise
        outcome = Outcome(sending, purpose, self._surroundings.library)
        upload = ResumableUpload(self._surroundings, creation, sending, outcome, progress, session=session)
        self._uploads[owner, progress.upload_id] = upload
        return upload

    def find(self, owner: int, upload_id: str) -> ResumableUpload:
        """Return an account's upload.

        Raises UploadGone for one that this service, or one with the same secret keys, once had, and
        UploadNotFound for all others, those of other accounts included.
        """
        upload = self._uploads.get((owner, upload_id))
        if upload is not None and not upload.closed and not self._has_expired(upload):
            return upload
        raise UploadGone if self.has_issued(owner, upload_id) else UploadNotFound

    def has_issued(self, owner: int, upload_id: str) -> bool:
        """Tell whether an account was once given this upload."""
        return self._ids.issued(upload_id, owner)

    def expires(self, upload: ResumableUpload) -> datetime:
        """Return when an upload is forgotten if nothing is heard of it."""
        return datetime.now(UTC) + timedelta(seconds=upload.touched + self._resume_seconds - _now())

    async def touch(self, upload: ResumableUpload) -> None:
        """Take note that somebody has been at work on it, and see to it that all are within their bounds."""
        key = upload.progress.owner, upload.progress.upload_id
        if self._uploads.get(key) is upload:
            self._uploads[key] = self._uploads.pop(key)
        await self._bound(key[0])
        mine = self._of(key[0])
        await self._drop([other for other in mine if other.message_id is not None][:-MOST_PER_OWNER])

    async def terminate(self, upload: ResumableUpload) -> None:
        """Forget an upload, whoever is at work on it; a message that is being sent, is sent."""
        await upload.terminate()
        await self._drop([upload])

    async def leave(self, session: str) -> None:
        """Forget the uploads that a Telegram session has begun or taken over: it has been signed out.

        Those that a session of the same account is at work on elsewhere stay.
        """
        for upload in [upload for upload in self._uploads.values() if upload.session == session]:
            with suppress(UploadError):  # from somebody who takes it from us, and ends it
                await self.terminate(upload)

    def _of(self, owner: int) -> list[ResumableUpload]:
        return [upload for upload in self._uploads.values() if upload.progress.owner == owner]

    async def _bound(self, owner: int) -> None:
        """See to it that uploads at rest hold no more than half of an account's memory, and of all."""
        budget = self._surroundings.budget
        # Nobody else is the worse for an account's own: they need not be idle, but at rest.
        await self._drop(_surplus(self._of(owner), budget.account_bytes // 2, idle=False))
        await self._drop(_surplus(self._uploads.values(), budget.process_bytes // 2, idle=True))

    async def _make_room(self, owner: int) -> None:
        """Forget the idle if there are too many. Raises TooManyUploads and PoolExhausted."""
        await self._drop([upload for upload in self._uploads.values() if self._has_expired(upload)])
        mine = [
            upload
            for (other, _), upload in self._uploads.items()
            if other == owner and upload.message_id is None and not upload.closed
        ]
        if len(mine) + self._beginning[owner] >= MOST_PER_OWNER and not await self._drop(_idle(mine)[:1]):
            raise TooManyUploads(retry_after=int(IDLE_SECONDS))
        beginning = self._beginning.total()
        if len(self._uploads) + beginning >= MOST and not await self._drop(_idle(self._uploads.values())[:1]):
            raise PoolExhausted

    def _has_expired(self, upload: ResumableUpload) -> bool:
        return upload.closed or (not upload.busy and _now() >= upload.touched + self._resume_seconds)

    async def _drop(self, uploads: Iterable[ResumableUpload]) -> bool:
        """Forget uploads; tell whether there were any."""
        any_at_all = False
        for upload in uploads:
            any_at_all = True
            self._uploads.pop((upload.progress.owner, upload.progress.upload_id), None)
            await upload.close(UploadGone())
            self._board.keep(upload.progress)
        return any_at_all

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(min(_REAP_SECONDS, self._resume_seconds))
            await self._drop([upload for upload in self._uploads.values() if self._has_expired(upload)])
            for owner in {owner for owner, _ in self._uploads}:
                await self._bound(owner)


def _idle(uploads: Iterable[ResumableUpload]) -> list[ResumableUpload]:
    now = _now()
    return [upload for upload in uploads if not upload.busy and now >= upload.heard + IDLE_SECONDS]


def _surplus(uploads: Iterable[ResumableUpload], most_bytes: int, *, idle: bool) -> list[ResumableUpload]:
    """Return those that must go, so that all at which nobody is at work hold no more than so many bytes.

    `idle`: only those go that are. Else what is still on its way to Telegram is left out.
    """
    resting = [upload for upload in uploads if (not upload.busy if idle else upload.at_rest)]
    held = sum(upload.held for upload in resting)
    surplus = []
    for upload in _idle(resting) if idle else resting:
        if held <= most_bytes:
            break
        if upload.held:
            held -= upload.held
            surplus.append(upload)
    return surplus


def _now() -> float:
    return asyncio.get_running_loop().time()
