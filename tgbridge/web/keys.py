"""Typed keys of what hangs on the application and on a request. No string keys anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

    from tgbridge.completion import Completion
    from tgbridge.errors import HTTPFailure
    from tgbridge.http.forwarded import Caller
    from tgbridge.logins.attempts import LoginAttempts
    from tgbridge.logins.outlived import OutlivedSessions
    from tgbridge.logins.qr_logins import QrLogins
    from tgbridge.logins.repeats import Repeats
    from tgbridge.logins.session_state import SessionState
    from tgbridge.settings import Settings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.loan import Loan
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.saved.library import Library
    from tgbridge.telegram.saved.listening import Listening
    from tgbridge.telegram.transfer.download.corrections import Corrections
    from tgbridge.telegram.transfer.download.downloader import Downloader
    from tgbridge.telegram.transfer.thumbnails import Thumbnails
    from tgbridge.telegram.transfer.upload.uploader import Uploader
    from tgbridge.uploads.ids import UploadIds
    from tgbridge.uploads.named import NamedUploads
    from tgbridge.uploads.pace import Pace
    from tgbridge.uploads.progress import ProgressBoard
    from tgbridge.uploads.registry import ResumableUploads
    from tgbridge.web.answers import Document
    from tgbridge.web.cursor import Cursors
    from tgbridge.web.derived_keys import DerivedKeys
    from tgbridge.web.endpoint import Endpoint
    from tgbridge.web.inflight import BodyBytes, InFlight
    from tgbridge.web.limits import Limiter
    from tgbridge.web.open_streams import OpenStreams
    from tgbridge.web.session_cookie import SessionStorage
    from tgbridge.web.tickets import Grant, Tickets

SETTINGS: Final[web.AppKey[Settings]] = web.AppKey("settings")
DERIVED_KEYS: Final[web.AppKey[DerivedKeys]] = web.AppKey("derived_keys")
POOL: Final[web.AppKey[ClientPool]] = web.AppKey("pool")
DOWNLOADER: Final[web.AppKey[Downloader]] = web.AppKey("downloader")
CORRECTIONS: Final[web.AppKey[Corrections]] = web.AppKey("corrections")
THUMBNAILS: Final[web.AppKey[Thumbnails]] = web.AppKey("thumbnails")
UPLOADER: Final[web.AppKey[Uploader]] = web.AppKey("uploader")
UPLOADS: Final[web.AppKey[ResumableUploads]] = web.AppKey("uploads")
NAMED_UPLOADS: Final[web.AppKey[NamedUploads]] = web.AppKey("named_uploads")
LISTENING: Final[web.AppKey[Listening]] = web.AppKey("listening")
OPEN_STREAMS: Final[web.AppKey[OpenStreams]] = web.AppKey("open_streams")
CURSORS: Final[web.AppKey[Cursors]] = web.AppKey("cursors")
UPLOAD_IDS: Final[web.AppKey[UploadIds]] = web.AppKey("upload_ids")
PROGRESS: Final[web.AppKey[ProgressBoard]] = web.AppKey("progress")
LIBRARY: Final[web.AppKey[Library]] = web.AppKey("library")
OUTLIVED: Final[web.AppKey[OutlivedSessions]] = web.AppKey("outlived")
QR_LOGINS: Final[web.AppKey[QrLogins]] = web.AppKey("qr_logins")
LIMITER: Final[web.AppKey[Limiter]] = web.AppKey("limiter")
ATTEMPTS: Final[web.AppKey[LoginAttempts]] = web.AppKey("attempts")
REPEATS: Final[web.AppKey[Repeats]] = web.AppKey("repeats")
STORAGE: Final[web.AppKey[SessionStorage]] = web.AppKey("storage")
TICKETS: Final[web.AppKey[Tickets]] = web.AppKey("tickets")
COMPLETION: Final[web.AppKey[Completion]] = web.AppKey("completion")
IN_FLIGHT: Final[web.AppKey[InFlight]] = web.AppKey("in_flight")
ENDPOINTS: Final[web.AppKey[Mapping[Handler, Endpoint]]] = web.AppKey("endpoints")
OPENAPI: Final[web.AppKey[Document]] = web.AppKey("openapi")

REQUEST_ID: Final[web.RequestKey[str]] = web.RequestKey("request_id")
CALLER: Final[web.RequestKey[Caller]] = web.RequestKey("caller")
SESSION: Final[web.RequestKey[SessionState]] = web.RequestKey("session")
# Only where the endpoint takes a ticket: what it grants. The session is then the ticket's, and no cookie's.
GRANT: Final[web.RequestKey[Grant]] = web.RequestKey("grant")
# Only where the endpoint `borrows`: the browser's own client, lent for the request.
CLIENT: Final[web.RequestKey[BridgeClient]] = web.RequestKey("client")
# What lends it, wherever the endpoint is `signed_in`: a handler borrows it late, or puts it back early.
LOAN: Final[web.RequestKey[Loan]] = web.RequestKey("loan")
# The response whose status line is on its way; from then on an error can only break the connection.
STARTED: Final[web.RequestKey[web.StreamResponse]] = web.RequestKey("started")
# How much of that response's body has gone out.
SENT: Final[web.RequestKey[BodyBytes]] = web.RequestKey("sent")
# What it is refused with, and what has broken its answer off: for the log.
FAILURE: Final[web.RequestKey[HTTPFailure]] = web.RequestKey("failure")
BROKEN: Final[web.RequestKey[BaseException]] = web.RequestKey("broken")
# How long the next bytes of its body are waited for, once some were.
PACE: Final[web.RequestKey[Pace]] = web.RequestKey("pace")
# Whether "100 Continue" has been sent.
CONTINUED: Final[web.RequestKey[bool]] = web.RequestKey("continued")
