"""How far an upload is, as server-sent events: of resumable ones, and of forms that have named themselves."""

from __future__ import annotations

from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aiohttp import hdrs

from tgbridge.errors import NOT_AUTHENTICATED, NOT_AUTHENTICATED_CODE, BridgeError, HTTPFailure
from tgbridge.http import tus
from tgbridge.http.sse import MEDIA_TYPE, Event
from tgbridge.models import ErrorBody, Failed, MediaItem, UploadProgress, UploadWaiting
from tgbridge.uploads.errors import UploadBrokenOff, UploadGone
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.event_stream import event_stream, no_events
from tgbridge.web.routes.liveness import check_alive
from tgbridge.web.routes.upload_answers import told_in_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from tgbridge.uploads.progress import News, Progress

EventName: TypeAlias = Literal["progress", "waiting", "done", "error"]
ID_FIELD: Final = "X-Upload-Id"


@told_in_http
async def upload_events(request: web.Request) -> web.StreamResponse:
    """Tell the latest whenever there is news, up to the upload's end."""
    owner, upload_id = _owner(request), request.match_info["upload_id"]
    tus.check_id(upload_id)
    board = request.app[keys.PROGRESS]
    if not board.is_of(owner, upload_id, request[keys.SESSION].telegram or ""):
        await check_alive(request)
    if not board.knows(owner, upload_id) and request.app[keys.UPLOADS].has_issued(owner, upload_id):
        raise UploadGone
    if request.method == hdrs.METH_HEAD:
        return await no_events(request)
    with board.watched(owner, upload_id) as progress:
        async with event_stream(request) as stream, aclosing(progress.watch()) as news:
            async for told in news:
                await stream.send(Event(told.model_dump_json(), event_name(told)))
        return stream.response


def upload_name(request: web.Request) -> str | None:
    """Return the name that an upload has given itself in `ID_FIELD`. Raises HTTPFailure 400 if it is none."""
    name = request.headers.get(ID_FIELD)
    if name is not None:
        tus.check_id(name)
    return name


def begin_progress(request: web.Request, name: str | None) -> Progress:
    """Begin to tell of the upload that a request is. Raises UploadIdInUse, and HTTPFailure 401."""
    owner, session = _owner(request), request[keys.SESSION].telegram or ""
    if name is None:
        return request.app[keys.PROGRESS].begin_unseen(owner)
    return request.app[keys.PROGRESS].begin(owner, name, request.content_length, session=session)


@contextmanager
def told_of_errors(progress: Progress) -> Iterator[None]:
    """Tell those who watch how the block ends, unless it ends well."""
    try:
        yield
    except BridgeError as error:
        progress.failed(error)
        raise
    except BaseException:
        progress.failed(UploadBrokenOff())
        raise


def _owner(request: web.Request) -> int:
    owner = request[keys.SESSION].user_id
    if owner is None:
        raise HTTPFailure(401, NOT_AUTHENTICATED, code=NOT_AUTHENTICATED_CODE)
    return owner


def event_name(news: News) -> EventName:
    """Name the event that a piece of news is."""
    match news:
        case UploadProgress():
            return "progress"
        case UploadWaiting():
            return "waiting"
        case MediaItem():
            return "done"
        case ErrorBody():
            return "error"


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/uploads/{upload_id}/events",
        upload_events,
        summary="How far an upload is",
        signed_in=True,
        borrows=False,
        parameters=(
            Parameter(
                "upload_id",
                "path",
                str,
                f"Of a resumable upload, or what /upload_file is given in {ID_FIELD}, before or after.",
            ),
        ),
        answers=(
            Success(
                "Server-sent events: `progress` and `waiting` whenever there is news, and then `done` or "
                "`error`. Their data is JSON.",
                None,
                media_type=MEDIA_TYPE,
                events=(
                    ("progress", UploadProgress),
                    ("waiting", UploadWaiting),
                    ("done", MediaItem),
                    ("error", Failed),
                ),
            ),
            *(
                Refusal(problem.status, problem.text, problem.code)
                for problem in (tus.INVALID_ID, tus.GONE, tus.TOO_MANY)
            ),
        ),
    ),
)
