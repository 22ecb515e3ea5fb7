"""Uploading: a multipart form in, messages in Saved Messages out, nothing of the files kept in between."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from tgbridge.errors import FILE_TOO_LARGE, INVALID_FILE, HTTPFailure
from tgbridge.http import tus
from tgbridge.models import Uploaded, UploadInput
from tgbridge.telegram.saved.captions import check_caption
from tgbridge.telegram.saved.delivery import MAX_ALBUM, Delivery
from tgbridge.uploads.outcome import sent_item
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success, refusals
from tgbridge.web.form import form_parts, skip_body
from tgbridge.web.routes import file_checks
from tgbridge.web.routes.upload_answers import FAILED, told_in_http
from tgbridge.web.routes.upload_events import ID_FIELD, begin_progress, told_of_errors, upload_name
from tgbridge.web.routes.upload_form import INVALID_FIELDS, MAX_THUMBNAIL_BYTES, UploadForm, read_thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from tgbridge.telegram.saved.delivery import Borrow
    from tgbridge.telegram.saved.sending import Sending
    from tgbridge.telegram.transfer.upload.upload import FileUpload
    from tgbridge.uploads.progress import Progress
    from tgbridge.web.form import FormPart

_SENT: Final = "File uploaded successfully."
_NO_FILE: Final = "No file provided in the request."
_TOO_MANY: Final = f"At most {MAX_ALBUM} files can be sent at once."
_MALFORMED: Final = "The request's body is malformed."


@told_in_http
async def upload_file(request: web.Request) -> web.Response:
    """Pass the files on to Telegram as they come, and make messages of them once the whole form has come.

    One that is sent again under its name is the same upload: it is answered by the messages that are there.
    """
    name, named = upload_name(request), request.app[keys.NAMED_UPLOADS]
    session = request[keys.SESSION].telegram or ""  # as in the cookie: the client's address may change
    earlier = None if name is None else named.find(session, name)
    if isinstance(earlier, tuple):
        await skip_body(request)
        return _answer(earlier)
    progress = begin_progress(request, name)
    async with AsyncExitStack() as stack:
        with told_of_errors(progress):
            incoming = _Incoming(request, stack, progress)
            if earlier is None:
                await incoming.receive()
            else:
                await skip_body(request)
            progress.all_received()
        account = request[keys.SESSION].user_id
        borrow = partial(request.app[keys.POOL].borrow, session, account=account)
        uploads = stack.pop_all()

        async def send() -> list[int]:
            with told_of_errors(progress):
                delivery = await incoming.finish(uploads, borrow) if earlier is None else earlier
                ids = await named.deliver(session, name, delivery, borrow, progress.waiting)
                if progress.has_name:
                    library = request.app[keys.LIBRARY]
                    progress.done(await sent_item(borrow, library, ids[0], delivery))
            return ids

        # From here on it is sent, whether or not the browser waits for the answer.
        return _answer(await request.app[keys.COMPLETION].run(send()))


def _answer(ids: Sequence[int]) -> web.Response:
    many = list(ids) if len(ids) > 1 else None
    return json_answer(Uploaded(message=_SENT, message_id=ids[0], message_ids=many))


class _Incoming:
    """The files and fields of one request, and the uploads that they have become."""

    def __init__(self, request: web.Request, stack: AsyncExitStack, progress: Progress) -> None:
        self._request = request
        self._app = request.app
        self._client = request[keys.CLIENT]
        self._account = request[keys.SESSION].user_id
        self._stack = stack
        self._progress = progress
        self._form = UploadForm()
        self._files: list[Sending] = []
        self._thumbnails: list[FileUpload] = []

    async def receive(self) -> None:
        """Take the whole form. Raises HTTPFailure, FileTooLarge, TelegramFailure, PoolExhausted."""
        async with aclosing(form_parts(self._request)) as parts:
            async for part in parts:
                await self._take(part)
        if not self._files:
            raise HTTPFailure(400, _NO_FILE, code="NO_FILE")
        if len(self._thumbnails) > len(self._files):
            raise HTTPFailure(400, "There are more thumbnails than files.", code="INVALID_THUMBNAIL")

    async def finish(self, uploads: AsyncExitStack, borrow: Borrow) -> Delivery:
        """Wait until Telegram has every part; what is to be sent then. Ends `uploads`.

        Raises HTTPFailure, TelegramFailure and PoolExhausted.
        """
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
        library = self._app[keys.LIBRARY]
        return Delivery(files, self._form.caption, client.files.telegram, library)

    async def _take(self, part: FormPart) -> None:
        if part.name == "file" and part.is_file:
            await self._take_file(part)
        elif part.name == "thumbnail" and part.is_file:
            await self._take_thumbnail(part)
        else:
            await self._form.read(part)
            if part.name == "caption":
                await check_caption(self._client, self._form.caption)  # while the file may be on its way

    async def _take_file(self, part: FormPart) -> None:
        if len(self._files) == MAX_ALBUM:
            raise HTTPFailure(400, _TOO_MANY, code="TOO_MANY_FILES")
        sending = file_checks.checked_sending(
            self._app,
            self._client,
            self._account,
            name=part.file_name,
            declared=part.media_type,
            as_document=self._form.as_document,
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
                ID_FIELD,
                "header",
                str,
                "A name, 8 to 64 of A-Z a-z 0-9 - _. Sent again under its name within an hour, the upload is "
                "answered by the message that it has become. Also for /uploads/{upload_id}/events.",
            ),
        ),
        body=UploadInput,
        body_type="multipart/form-data",
        answers=(
            Success("The file is a message now.", Uploaded),
            Refusal(400, _NO_FILE, "NO_FILE"),
            *(Refusal(400, failure.text, failure.code) for failure in INVALID_FIELDS),
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
