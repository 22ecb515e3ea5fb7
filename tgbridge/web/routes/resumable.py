"""Resumable uploads by tus 1.0 (https://tus.io/protocols/resumable-upload).

``http/tus.py`` reads and writes the header fields, ``uploads/`` does the work.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge import filenames
from tgbridge.errors import (
    NOT_AUTHENTICATED,
    NOT_AUTHENTICATED_CODE,
    HTTPFailure,
    PoolExhausted,
    SessionEnded,
    TelegramFailure,
)
from tgbridge.http import tus
from tgbridge.http.dates import format_http_date
from tgbridge.http.safety import essence
from tgbridge.http.tus import Continuation
from tgbridge.inspection.charsets import readable
from tgbridge.telegram.saved.captions import normalised
from tgbridge.telegram.saved.sending import MAX_PARTS_PREMIUM
from tgbridge.uploads.outcome import Purpose
from tgbridge.web import keys
from tgbridge.web.answers import fields_of
from tgbridge.web.form import next_bytes
from tgbridge.web.routes.file_checks import checked_sending
from tgbridge.web.routes.liveness import check_alive
from tgbridge.web.routes.upload_answers import told_in_http
from tgbridge.web.routes.upload_form import FIELDS, UploadForm
from tgbridge.web.routing import continue_body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from tgbridge.http.tus import Metadata
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.sending import Sending
    from tgbridge.telegram.transfer.upload.upload import Observer
    from tgbridge.uploads.resumable import ResumableUpload
    from tgbridge.web.exchange import Exchange

PATH: Final = "/uploads"
_BELOW: Final = f"{PATH}/"


def name_version(request: web.Request, _exchange: Exchange, response: web.StreamResponse) -> None:
    """Name the protocol's version in each of its answers, errors included."""
    path = request.path
    if path.startswith(_BELOW) or path == PATH:
        response.headers.setdefault("Tus-Resumable", tus.VERSION)


# What clients ask for


async def describe_uploads(request: web.Request) -> web.StreamResponse:
    """Say what of the protocol is spoken here."""
    settings = request.app[keys.SETTINGS].upload
    most = min(settings.max_bytes, MAX_PARTS_PREMIUM * settings.part_bytes)
    return web.Response(status=204, headers=tus.describe(most))


async def describe_upload(request: web.Request) -> web.StreamResponse:
    """Say the same of each upload."""
    return await describe_uploads(request)


@told_in_http
async def create_upload(request: web.Request) -> web.StreamResponse:
    """Begin an upload, with its first bytes if the request has some."""
    owner, session = _asking(request)
    fields = fields_of(request)
    tus.check_version(fields)
    creation, checksum = tus.parse_creation(fields), tus.parse_checksum(fields)
    with_bytes = request.can_read_body
    if with_bytes:
        _check_type(request)
    uploads = request.app[keys.UPLOADS]
    purpose, open_sending = _purpose(creation.metadata), partial(_open, request.app, owner, creation)
    upload = await uploads.create(owner, session, creation, purpose, open_sending)
    if with_bytes:
        try:
            await upload.append(
                session,
                Continuation(0, None),
                _body(request),
                expected=request.content_length,
                checksum=checksum,
            )
        except BaseException as error:
            # What may well succeed at the next try is left to that, for which the client needs the name.
            passing = isinstance(error, TelegramFailure | PoolExhausted)
            if not passing or isinstance(error, SessionEnded) or upload.closed:
                await uploads.terminate(upload)  # nobody will ever know its name
                raise
        await uploads.touch(upload)
    headers = {hdrs.LOCATION: _location(request, upload)} | _state(request, upload)
    if not with_bytes:
        del headers["Upload-Offset"]
    return web.Response(status=201, headers=headers)


@told_in_http
async def upload_state(request: web.Request) -> web.StreamResponse:
    """Say where an upload goes on."""
    upload = await _find(request)
    await upload.tell()
    headers = _state(request, upload)
    if upload.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(upload.length)
    if upload.metadata.header:
        headers["Upload-Metadata"] = upload.metadata.header
    return web.Response(status=200, headers=headers)


@told_in_http
async def continue_upload(request: web.Request) -> web.StreamResponse:
    """Take the next bytes; if they are the last, the answer comes when the file is a message."""
    upload = await _find(request)
    _check_type(request)
    fields = fields_of(request)
    at, checksum = tus.parse_continuation(fields), tus.parse_checksum(fields)
    _, session = _asking(request)
    try:
        await upload.append(
            session,
            at,
            _body(request),
            expected=request.content_length,
            checksum=checksum,
            caption=_new_caption(fields),
        )
    finally:
        await request.app[keys.UPLOADS].touch(upload)
    return web.Response(status=204, headers=_state(request, upload))


@told_in_http
async def terminate_upload(request: web.Request) -> web.StreamResponse:
    """Forget an upload. The message that it has become stays."""
    await request.app[keys.UPLOADS].terminate(await _find(request))
    return web.Response(status=204)


# What they send


def _asking(request: web.Request) -> tuple[int, str]:
    """Return whose request this is, and the Telegram session. Raises HTTPFailure 401."""
    state = request[keys.SESSION]
    if state.telegram is None or state.user_id is None:
        raise HTTPFailure(401, NOT_AUTHENTICATED, code=NOT_AUTHENTICATED_CODE)
    return state.user_id, state.telegram


async def _find(request: web.Request) -> ResumableUpload:
    _asking(request)
    tus.check_version(fields_of(request))
    return await find_upload(request)


async def find_upload(request: web.Request) -> ResumableUpload:
    """Return the upload that a path names.

    Raises HTTPFailure 401, UploadNotFound and UploadGone, and as `check_alive` does.
    """
    owner, session = _asking(request)
    uploads, upload_id = request.app[keys.UPLOADS], request.match_info["upload_id"]
    upload = uploads.find(owner, upload_id)
    if upload.session != session:
        await check_alive(request)
        upload = uploads.find(owner, upload_id)  # it may have gone meanwhile
    return upload


def _check_type(request: web.Request) -> None:
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower()
    if essence(request.headers.get(hdrs.CONTENT_TYPE, "")) != tus.BODY_TYPE or encoding != "identity":
        raise tus.WRONG_TYPE.failure()


async def _body(request: web.Request) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes. Raises HTTPFailure 400 and 408."""
    await continue_body(request)
    while chunk := await next_bytes(request):
        yield chunk


def _new_caption(fields: Mapping[str, str]) -> str | None:
    """Return the caption that a PATCH brings, in place of the first one. Raises HTTPFailure 400."""
    metadata = tus.parse_metadata(fields.get("upload-metadata", ""))
    return normalised(metadata.text("caption")) if "caption" in metadata.values else None


def _purpose(metadata: Metadata) -> Purpose:
    """Read what is to become of the file, as from the fields of a form. Raises HTTPFailure 400."""
    form = UploadForm()
    for name in FIELDS:
        text = (
            metadata.text(name) if name == "caption" else metadata.raw(name).decode(errors="replace").strip()
        )
        form.take(name, text)
    return Purpose(form.caption, form.as_document, form.hints(0))


def _open(
    app: web.Application, owner: int, creation: tus.Creation, client: BridgeClient, observer: Observer
) -> Sending:
    """Begin the file. Raises HTTPFailure 400 for a type that is not allowed."""
    return checked_sending(
        app,
        client,
        owner,
        name=filenames.clean(readable(creation.metadata.raw("filename", "name"))),
        declared=creation.metadata.raw("filetype", "type").decode(errors="replace"),
        as_document=creation.metadata.raw("as").strip() == b"document",
        size=creation.length,
        observer=observer,
    )


def _location(request: web.Request, upload: ResumableUpload) -> str:
    """Name an upload relative to the URL that was asked: so it holds behind a proxy that adds a prefix."""
    upload_id = upload.progress.upload_id
    return upload_id if request.path.endswith("/") else f"{PATH[1:]}/{upload_id}"


def _state(request: web.Request, upload: ResumableUpload) -> dict[str, str]:
    headers = {"Upload-Offset": str(upload.offset), hdrs.CACHE_CONTROL: "no-store"}
    if upload.message_id is None:
        headers["Upload-Expires"] = format_http_date(request.app[keys.UPLOADS].expires(upload))
    else:
        headers["X-Message-Id"] = str(upload.message_id)
    return headers


async def override_method(request: web.Request) -> web.StreamResponse:
    """Refuse a POST that means no other method."""
    methods = (hdrs.METH_OPTIONS, hdrs.METH_HEAD, hdrs.METH_PATCH, hdrs.METH_DELETE)
    raise web.HTTPMethodNotAllowed(request.method, methods)
