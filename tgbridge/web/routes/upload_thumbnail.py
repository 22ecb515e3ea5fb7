"""The poster of a resumable upload, beside its bytes: it is no part of tus, and has a request of its own."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from tgbridge.errors import INVALID_FILE
from tgbridge.http import tus
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.form import next_bytes
from tgbridge.web.routes.resumable import PATH, find_upload
from tgbridge.web.routes.upload_answers import FAILED, told_in_http
from tgbridge.web.routes.upload_form import MAX_THUMBNAIL_BYTES, check_thumbnail
from tgbridge.web.routing import continue_body


@told_in_http
async def put_thumbnail(request: web.Request) -> web.Response:
    """Send the picture to Telegram, and remember it until the file is whole. The last one counts."""
    upload = await find_upload(request)
    upload.check_open()
    picture = await _read(request)
    await check_thumbnail(picture)
    uploader, owner = request.app[keys.UPLOADER], request[keys.SESSION].user_id
    async with uploader.open(request[keys.CLIENT], owner, size=len(picture)) as parts:
        await parts.write(picture)
        stored = await parts.finish()
    upload.give_thumbnail(stored)
    await request.app[keys.UPLOADS].touch(upload)
    return web.Response(status=204)


async def _read(request: web.Request) -> bytes:
    """Return the body, or as much of it as shows that it is too long. Raises HTTPFailure 400 and 408."""
    if (request.content_length or 0) > MAX_THUMBNAIL_BYTES:
        return b""  # which is no picture, as little as what is not asked for
    await continue_body(request)
    picture = bytearray()
    while len(picture) <= MAX_THUMBNAIL_BYTES and (piece := await next_bytes(request)):
        picture += piece
    return bytes(picture)


ENDPOINTS: Final = (
    Endpoint(
        "PUT",
        f"{PATH}/{{upload_id}}/thumbnail",
        put_thumbnail,
        summary="Give a resumable upload its poster",
        failed=FAILED,
        signed_in=True,
        parameters=(
            Parameter("upload_id", "path", str, "As in the Location of the answer that created it."),
        ),
        bytes_type="image/jpeg",
        answers=(
            Success("The file will have it; given again, the last one.", None, status=204),
            Refusal(400, INVALID_FILE, "INVALID_THUMBNAIL"),
            Refusal(408, "Request Timeout.", "REQUEST_TIMEOUT"),
            *(
                Refusal(problem.status, problem.text, problem.code)
                for problem in (tus.NOT_FOUND, tus.FINISHED, tus.GONE)
            ),
        ),
    ),
)
