"""The one place where the parts are put together."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final, Self, cast

import structlog
from aiohttp import web
from cryptography.fernet import Fernet

from tgbridge import __version__
from tgbridge.completion import Completion
from tgbridge.logins.attempts import LoginAttempts
from tgbridge.logins.outlived import OutlivedSessions
from tgbridge.logins.qr_logins import QrLogins
from tgbridge.logins.repeats import Repeats
from tgbridge.machine import descriptor_limit
from tgbridge.settings.live import LiveSettings
from tgbridge.telegram.account.log_out import abandon_session
from tgbridge.telegram.listening import Listening
from tgbridge.telegram.pool import ClientPool
from tgbridge.telegram.saved.library import Library
from tgbridge.telegram.transfer.download.corrections import Corrections
from tgbridge.telegram.transfer.download.downloader import Downloader
from tgbridge.telegram.transfer.thumbnails import Thumbnails
from tgbridge.telegram.transfer.upload.uploader import Uploader
from tgbridge.uploads import ids
from tgbridge.uploads.checked import checked_budget
from tgbridge.uploads.ids import UploadIds
from tgbridge.uploads.named import NamedUploads
from tgbridge.uploads.progress import ProgressBoard
from tgbridge.uploads.registry import ResumableUploads
from tgbridge.uploads.resumable import Surroundings
from tgbridge.web import cursor, keys, tickets
from tgbridge.web.accepting import Accepting
from tgbridge.web.connections import Connections
from tgbridge.web.cursor import Cursors
from tgbridge.web.derived_keys import DerivedKeys
from tgbridge.web.docs.pages import DocsPages
from tgbridge.web.inflight import InFlight
from tgbridge.web.limits import Limiter
from tgbridge.web.logs import AccessLogger
from tgbridge.web.loop_lag import LoopLag
from tgbridge.web.middleware.caller import noting_caller
from tgbridge.web.middleware.checks import checks, finishing
from tgbridge.web.middleware.client import lending
from tgbridge.web.middleware.errors import errors_middleware
from tgbridge.web.middleware.headers import protecting
from tgbridge.web.middleware.limits import checking_limits
from tgbridge.web.middleware.origin import checking_origin
from tgbridge.web.middleware.request_id import counting, starting
from tgbridge.web.middleware.room import checking_room
from tgbridge.web.middleware.session import noting_session, saving_session
from tgbridge.web.open_streams import OpenStreams
from tgbridge.web.openapi import codes_of, describe, document
from tgbridge.web.protocol import Runner
from tgbridge.web.routes import (
    codes,
    docs,
    events,
    login,
    media,
    media_item,
    metrics,
    qr,
    readiness,
    resumable_api,
    service,
    session,
    stream_api,
    ticket,
    upload,
    upload_events,
    upload_thumbnail,
)
from tgbridge.web.routes import devices as sessions
from tgbridge.web.routes.resumable import name_version
from tgbridge.web.routes.upload_answers import error_body
from tgbridge.web.routing import add_endpoints
from tgbridge.web.session_cookie import SessionStorage
from tgbridge.web.shares import Shares
from tgbridge.web.tally import RequestTally
from tgbridge.web.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
    from socket import socket

    from tgbridge.settings import Settings
    from tgbridge.web.endpoint import Endpoint

_log = structlog.get_logger(__name__)

# Of a JSON body. Uploads are streamed, and bounded by a setting of their own.
_MAX_BODY_BYTES: Final = 64 * 1024

COMPLETION_SECONDS: Final = 5.0
"""What work gets at a stop whose request is over: mostly signing out logins that nobody comes for any more.
It goes on side by side, all of it within this time, in which Telegram answers if it answers at all; the rest
is cancelled. Before it a stop takes up to ``server.drain_seconds`` and twice ``SHUTDOWN_SECONDS``, and after
it waits for nobody: see ``stop_seconds``."""

SHUTDOWN_SECONDS: Final = 1.0
"""What aiohttp gives connections, twice. ``stop`` has drained them already when that begins."""


def stop_seconds(settings: Settings) -> float:
    """Return the most that a stop takes, whether or not anybody answers."""
    return settings.server.drain_seconds + COMPLETION_SECONDS + 2 * SHUTDOWN_SECONDS


LINGER_SECONDS: Final = 0.5
"""For so long a stop answers whoever is connected, and says that it closes, though nothing is running: what a
proxy or a browser sends over a connection that is closed at this very moment would be lost."""

_LOOK_SECONDS: Final = 0.02  # at whether there are connections

MAX_FIELD_BYTES: Final = 20 * 1024
"""A header field: Upload-Metadata holds a caption of 4096 UTF-16 code units in Base64, 16 KiB, and a name."""

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *codes.ENDPOINTS,
    *login.ENDPOINTS,
    *qr.ENDPOINTS,
    *session.ENDPOINTS,
    *sessions.ENDPOINTS,
    *media.ENDPOINTS,
    *media_item.ENDPOINTS,
    *events.ENDPOINTS,
    *stream_api.ENDPOINTS,
    *ticket.ENDPOINTS,
    *upload.ENDPOINTS,
    *resumable_api.ENDPOINTS,
    *upload_thumbnail.ENDPOINTS,
    *upload_events.ENDPOINTS,
    *service.ENDPOINTS,
    *readiness.ENDPOINTS,
    *metrics.ENDPOINTS,
)


def create_app(settings: Settings, endpoints: Iterable[Endpoint] = ENDPOINTS) -> web.Application:
    """Put the service together. Without a secret key in ``settings`` its cookies end with the process."""
    endpoints = tuple(endpoints)
    secret_keys = [key.get_secret_value() for key in settings.secret_keys] or [Fernet.generate_key().decode()]
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app[keys.SETTINGS] = settings
    app[keys.LIVE] = LiveSettings(settings)
    app[keys.IN_FLIGHT] = InFlight()
    app[keys.TALLY] = RequestTally(codes_of(endpoints))
    app[keys.CONNECTIONS] = Connections(settings.server.max_connections, descriptor_limit=descriptor_limit)
    app[keys.SHARES] = Shares(app[keys.LIVE], app[keys.TALLY])
    app[keys.LOOP_LAG] = LoopLag()
    app[keys.COMPLETION] = Completion()
    app[keys.REPEATS] = Repeats(app[keys.COMPLETION])
    app[keys.LIMITER] = Limiter(settings.limits)
    app[keys.NAMED_UPLOADS] = NamedUploads()
    derived = DerivedKeys(secret_keys)
    app[keys.UPLOAD_IDS] = UploadIds(derived.of(ids.PURPOSE))
    app[keys.TICKETS] = Tickets(derived.of(tickets.PURPOSE))
    app[keys.OPEN_STREAMS] = OpenStreams(settings.events)
    app[keys.CURSORS] = Cursors(derived.of(cursor.PURPOSE))
    app[keys.STORAGE] = SessionStorage(
        secret_keys,
        settings.session,
        secure=settings.session.secure is not False,
    )
    app[keys.OPENAPI] = document(endpoints, cookie_name=app[keys.STORAGE].cookie_name)
    if settings.docs.enabled:
        described = describe(endpoints, cookie_name=app[keys.STORAGE].cookie_name)
        app[keys.DOCS] = DocsPages(described, settings.docs)
    # They are for people, and not of the API that is described.
    add_endpoints(app, (*endpoints, *docs.ENDPOINTS) if settings.docs.enabled else endpoints)
    live, in_flight, tally = app[keys.LIVE], app[keys.IN_FLIGHT], app[keys.TALLY]
    # The way of a request, outermost first.
    app.middlewares.extend(
        (
            counting(in_flight, tally),
            errors_middleware,
            checks(
                app[keys.ENDPOINTS],
                noting_caller(live),
                checking_origin(live),  # before anybody's cookie is looked at
                checking_room(settings.server.max_requests, in_flight, tally),
                noting_session(app),
                checking_limits(app[keys.LIMITER]),
            ),
            lending(app),
        )
    )
    app.on_response_prepare.append(
        finishing(name_version, protecting(live), saving_session(app), starting(in_flight, tally))
    )
    app.cleanup_ctx.append(_telegram)
    return app


async def _telegram(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS]
    app[keys.DOWNLOADER] = Downloader(settings.files, settings.telegram)
    app[keys.CORRECTIONS] = Corrections(app[keys.DOWNLOADER])
    app[keys.UPLOADER] = Uploader(settings.upload, settings.telegram)
    app[keys.THUMBNAILS] = Thumbnails(app[keys.DOWNLOADER], settings.files)
    app[keys.LIBRARY] = Library(settings.files)
    app[keys.POOL] = pool = ClientPool(settings)
    pool.on_signed_out = partial(_forget, app)
    app[keys.ATTEMPTS] = LoginAttempts(pool)
    app[keys.LISTENING] = listening = Listening(
        pool, app[keys.LIBRARY], linger_seconds=settings.events.linger_seconds
    )
    completion = app[keys.COMPLETION]
    app[keys.OUTLIVED] = OutlivedSessions(pool, completion)
    app[keys.QR_LOGINS] = qr_logins = QrLogins(
        lambda telegram: completion.detach(abandon_session(pool, telegram)),
        seconds=settings.qr_login.claim_seconds,
    )
    app[keys.PROGRESS] = board = ProgressBoard(error_body)
    app[keys.UPLOADS] = uploads = ResumableUploads(
        Surroundings(
            pool, app[keys.LIBRARY], completion, app[keys.UPLOADER].budget, checked_budget(settings.upload)
        ),
        board,
        app[keys.UPLOAD_IDS],
        resume_seconds=settings.upload.resume_seconds,
    )
    uploads.start()
    try:
        yield
    finally:
        app[keys.LOOP_LAG].stop()
        qr_logins.close()
        await listening.close()
        await completion.drain(COMPLETION_SECONDS)  # it still borrows clients
        await app[keys.DOWNLOADER].close()
        await uploads.close()
        board.close()
        await pool.close()


def _forget(app: web.Application, account: Hashable) -> None:
    app[keys.LIBRARY].forget(account)
    app[keys.THUMBNAILS].forget(account)


class Service:
    """The service on a TCP port, while the context lasts. Leaving it drains: see ``stop``.

    It listens on ``sockets`` if there are any, else where the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        endpoints: Iterable[Endpoint] = ENDPOINTS,
        *,
        sockets: Sequence[socket] = (),
    ) -> None:
        self._settings = settings
        self._sockets = sockets
        self.app = create_app(settings, endpoints)
        self._accepting: Accepting | None = None
        self.url = ""
        """Where it listens, such as http://127.0.0.1:8080, once it has started."""
        self._runner = Runner(
            self.app,
            access_log_class=AccessLogger,
            # A browser that has gone leaves nothing running.
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
            max_field_size=MAX_FIELD_BYTES,
            keepalive_timeout=settings.server.keep_alive_seconds,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to listen. Raises OSError if the address cannot be taken."""
        await self._runner.setup()
        try:
            server = self._settings.server
            self._accepting = Accepting(cast("web.Server", self._runner.server))
            self.url = await self._accepting.start(server.host, server.port, self._sockets)
        except BaseException:
            if self._accepting is not None:
                await self._accepting.stop()
            await self._runner.cleanup()
            raise
        # What most often explains why somebody is refused.
        _log.info(
            "listening",
            version=__version__,
            url=self.url,
            sockets_given=len(self._sockets),
            trusted_proxies=[str(network) for network in server.trusted_proxies],
            allowed_hosts=list(server.allowed_hosts),
            allowed_origins=list(self._settings.cors.allowed_origins),
            limits=self._settings.limits.enabled is not False,
            secure=self._settings.session.secure is not False,
        )

    async def stop(self) -> None:
        """Accept nothing more, give running transfers ``server.drain_seconds``, and disconnect from Telegram.

        Calling it again does nothing more.
        """
        in_flight, seconds = self.app[keys.IN_FLIGHT], self._settings.server.drain_seconds
        told = in_flight.draining
        if self._accepting is not None:
            await self._accepting.stop()
        if not told:
            _log.info("draining", requests=len(in_flight), at_most_seconds=seconds)
        # Connections stay open meanwhile. aiohttp could close those that wait for a next request, but then it
        # reads from none of them any more: a running upload would never come to its end.
        in_flight.begin_draining()
        lingered = await self._linger(min(LINGER_SECONDS, seconds))
        cut = await in_flight.drain(seconds - lingered)
        if not told:
            # Each that was cut has a line of its own.
            _log.log(logging.WARNING if cut else logging.INFO, "drained", cut=cut)
        await self._runner.cleanup()

    async def _linger(self, seconds: float) -> float:
        """Wait until all connections have ended, for ``seconds`` at most. Return for how long."""
        server, waited = self._runner.server, 0.0
        while server is not None and server.connections and waited < seconds:
            await asyncio.sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS
        return min(waited, seconds)

    def reload(self, settings: Settings) -> frozenset[str]:
        """Take over from ``settings`` what can change while the service runs: see ``LiveSettings``.

        Returns the names of other settings that differ, which need a restart.
        """
        changed, kept = self.app[keys.LIVE].change(settings)
        if "secret_keys" in changed:
            secret_keys = [key.get_secret_value() for key in settings.secret_keys]
            self.app[keys.STORAGE].change_keys(secret_keys)
            derived = DerivedKeys(secret_keys)
            self.app[keys.UPLOAD_IDS].change_keys(derived.of(ids.PURPOSE))
            self.app[keys.TICKETS].change_keys(derived.of(tickets.PURPOSE))
            self.app[keys.CURSORS].change_keys(derived.of(cursor.PURPOSE))
        self.app[keys.LIMITER].change(settings.limits)
        _log.info("settings changed", changed=sorted(changed))
        if kept:
            _log.warning("settings that need a restart", settings=sorted(kept))
        return kept
