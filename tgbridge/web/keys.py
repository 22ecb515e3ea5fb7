"""Typed keys of what hangs on the application and on a request. No string keys anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

    from tgbridge.completion import Completion
    from tgbridge.logins.attempts import LoginAttempts
    from tgbridge.logins.outlived import OutlivedSessions
    from tgbridge.logins.qr_logins import QrLogins
    from tgbridge.logins.repeats import Repeats
    from tgbridge.logins.session_state import SessionState
    from tgbridge.settings import Settings
    from tgbridge.settings.live import LiveSettings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.listening import Listening
    from tgbridge.telegram.loan import Loan
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.saved.library import Library
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
    from tgbridge.web.connections import Connections
    from tgbridge.web.cursor import Cursors
    from tgbridge.web.docs.pages import DocsPages
    from tgbridge.web.endpoint import Endpoint
    from tgbridge.web.exchange import Exchange
    from tgbridge.web.inflight import InFlight
    from tgbridge.web.limits import Limiter
    from tgbridge.web.loop_lag import LoopLag
    from tgbridge.web.open_streams import OpenStreams
    from tgbridge.web.session_cookie import SessionStorage
    from tgbridge.web.shares import Shares
    from tgbridge.web.tally import RequestTally
    from tgbridge.web.tickets import Grant, Tickets

# As they were at the start. What a reload may change is asked of LIVE.
SETTINGS: Final[web.AppKey[Settings]] = web.AppKey("settings")
LIVE: Final[web.AppKey[LiveSettings]] = web.AppKey("live")
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
CONNECTIONS: Final[web.AppKey[Connections]] = web.AppKey("connections")
SHARES: Final[web.AppKey[Shares]] = web.AppKey("shares")
TALLY: Final[web.AppKey[RequestTally]] = web.AppKey("tally")
LOOP_LAG: Final[web.AppKey[LoopLag]] = web.AppKey("loop_lag")
ENDPOINTS: Final[web.AppKey[Mapping[Handler, Endpoint]]] = web.AppKey("endpoints")
OPENAPI: Final[web.AppKey[Document]] = web.AppKey("openapi")
DOCS: Final[web.AppKey[DocsPages]] = web.AppKey("docs")

# Its id, who asks for what, and what has become of its answer.
EXCHANGE: Final[web.RequestKey[Exchange]] = web.RequestKey("exchange")
SESSION: Final[web.RequestKey[SessionState]] = web.RequestKey("session")
# Only where the endpoint takes a ticket: what it grants. The session is then the ticket's, and no cookie's.
GRANT: Final[web.RequestKey[Grant]] = web.RequestKey("grant")
# Only where the endpoint `borrows`: the browser's own client, lent for the request.
CLIENT: Final[web.RequestKey[BridgeClient]] = web.RequestKey("client")
# What lends it, wherever the endpoint is `signed_in`: a handler borrows it late, or puts it back early.
LOAN: Final[web.RequestKey[Loan]] = web.RequestKey("loan")
# How long the next bytes of its body are waited for, once some were.
PACE: Final[web.RequestKey[Pace]] = web.RequestKey("pace")
