"""Uploading: a multipart form in, messages in Saved Messages out, nothing of the files kept in between."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from tgbridge import keys
from tgbridge.answers import json_answer
from tgbridge.errors import FILE_TOO_LARGE, INVALID_FILE, HTTPFailure
from tgbridge.http import tus
from tgbridge.models import Uploaded, UploadInput
from tgbridge.routes import file_checks
from tgbridge.routes.endpoint import Endpoint, Parameter, Refusal, Success, refusals
from tgbridge.routes.form import form_parts
from tgbridge.routes.upload_events import ID_FIELD, begin_progress, told_of_errors
from tgbridge.routes.upload_form import MAX_THUMBNAIL_BYTES, UploadForm, read_thumbnail
from tgbridge.telegram.delivery import MAX_ALBUM, deliver
from tgbridge.uploads.outcome import FAILED, sent_item

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.routes.form import FormPart
    from tgbridge.telegram.files.upload import FileUpload
    from tgbridge.telegram.sending import Sending
    from tgbridge.uploads.progress import Progress

_SENT: Final = "File uploaded successfully."
_NO_FILE: Final = "No file provided in the request."
_TOO_MANY: Final = f"At most {MAX_ALBUM} files can be sent at once."
_MALFORMED: Final = "The request's body is malformed."


async def upload_file(request: web.Request) -> web.Response:
    """Pass the files on to Telegram as they come, and make messages of them once the whole form has come."""
    progress = begin_progress(request)
    async with AsyncExitStack() as stack:
        stack.enter_context(told_of_errors(progress))
        incoming = _Incoming(request, stack, progress)
        async with aclosing(form_parts(request)) as parts:
            async for part in parts:
                await incoming.take(part)
        incoming.check()
        progress.all_received()
        # From here on it is sent, whether or not the browser waits for the answer.
        ids = await request.app[keys.COMPLETION].run(incoming.send(stack.pop_all()))
    many = ids if len(ids) > 1 else None
    return json_answer(Uploaded(message=_SENT, message_id=ids[0], message_ids=many))


class _Incoming:
    """The files and fields of one request, and the uploads that they have become."""

    def __init__(self, request: web.Request, stack: AsyncExitStack, progress: Progress) -> None:
        self._app = request.app
        self._client = request[keys.CLIENT]
        self._account = request[keys.SESSION].user_id
        self._stack = stack
        self._progress = progress
        self._form = UploadForm()
        self._files: list[Sending] = []
        self._thumbnails: list[FileUpload] = []

    async def take(self, part: FormPart) -> None:
        """Pass a file's bytes on, or note a field. Raises HTTPFailure, FileTooLarge, TelegramFailure."""
        if part.name == "file" and part.is_file:
            await self._take_file(part)
        elif part.name == "thumbnail" and part.is_file:
            await self._take_thumbnail(part)
        else:
            await self._form.read(part)

    def check(self) -> None:
        """Raise HTTPFailure if the whole is nothing to send."""
        if not self._files:
            raise HTTPFailure(400, _NO_FILE)
        if len(self._thumbnails) > len(self._files):
            raise HTTPFailure(400, "There are more thumbnails than files.", code="INVALID_THUMBNAIL")

    async def send(self, uploads: AsyncExitStack) -> list[int]:
        """Wait until Telegram has every part, and send the messages; their ids. Ends `uploads`."""
        borrow = partial(self._app[keys.POOL].borrow, self._client.session_string(), account=self._account)
        # The request's own loan may end before.
        async with uploads, borrow() as client:
            for sending in self._files:
                sending.client = client
            for upload in self._thumbnails:
                upload.client = client
            thumbnails = [await upload.finish() for upload in self._thumbnails]
            files = [
                await sending.finish(
                    hints=self._form.hints(index), thumbnail=thumbnail, as_document=self._form.as_document
                )
                for index, (sending, thumbnail) in enumerate(zip_longest(self._files, thumbnails))
            ]
            ids = await deliver(borrow, files, self._form.caption, on_wait=self._progress.waiting)
            if self._progress.has_name:
                self._progress.over(await sent_item(borrow, ids[0], files[0], self._form.caption))
            return ids

    async def _take_file(self, part: FormPart) -> None:
        if len(self._files) == MAX_ALBUM:
            raise HTTPFailure(400, _TOO_MANY, code="TOO_MANY_FILES")
        sending = file_checks.checked_sending(
            self._app,
            self._client,
            self._account,
            name=part.file_name,
            declared=part.media_type,
            at_most=part.at_most,
            observer=self._progress.file(),
        )
        await self._stack.enter_async_context(sending)
        async with aclosing(part.chunks()) as chunks:
            async for chunk in chunks:
                await sending.write(chunk)
        # Its last parts travel on while the next file comes.
        await sending.end()
        self._files.append(sending)

    async def _take_thumbnail(self, part: FormPart) -> None:
        upload = self._app[keys.UPLOADER].open(self._client, self._account, at_most=MAX_THUMBNAIL_BYTES)
        await self._stack.enter_async_context(upload)
        await upload.write(await read_thumbnail(part))
        upload.end()
        self._thumbnails.append(upload)


ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/upload_file",
        upload_file,
        summary="Send a file, or an album, to Saved Messages",
        failed=FAILED,
        signed_in=True,
        parameters=(
            Parameter(
                ID_FIELD, "header", str, "A name for /uploads/{upload_id}/events: 8 to 64 of A-Z a-z 0-9 - _."
            ),
        ),
        body=UploadInput,
        body_type="multipart/form-data",
        answers=(
            Success("The file is a message now.", Uploaded),
            Refusal(400, _NO_FILE),
            *(
                Refusal(400, INVALID_FILE, code)
                for code in (
                    file_checks.EMPTY,
                    file_checks.NOT_ALLOWED,
                    file_checks.MISMATCH,
                    "INVALID_THUMBNAIL",
                    "IMAGE_PROCESS_FAILED",
                )
            ),
            Refusal(400, _MALFORMED, "INVALID_BODY"),
            Refusal(400, tus.INVALID_ID.text, tus.INVALID_ID.code),
            Refusal(409, tus.ID_IN_USE.text, tus.ID_IN_USE.code),
            Refusal(400, _TOO_MANY, "TOO_MANY_FILES"),
            *refusals("MEDIA_CAPTION_TOO_LONG"),
            Refusal(408, "Request Timeout.", "REQUEST_TIMEOUT"),
            Refusal(413, FILE_TOO_LARGE, "FILE_TOO_LARGE"),
        ),
    ),
)
