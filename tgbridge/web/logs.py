"""Logging: one line per event, as JSON or for people, to standard error. No secret ever goes into one."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import threading
import traceback
from collections import deque
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiohttp.abc import AbstractAccessLogger
from pydantic_core import to_json

from tgbridge.web.beginning import exchange_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web
    from aiohttp.web_request import BaseRequest
    from structlog.typing import EventDict, Processor

    from tgbridge.settings import LogSettings

# Below WARNING these tell of every packet, and may quote what was sent.
_QUIET: Final = ("telethon", "aiohttp", "asyncio")
_INNERMOST_FRAMES: Final = 8
_log = structlog.get_logger(__name__)
_root: Final = logging.getLogger()
# Also in paths that lead nowhere, and one that a mail program has broken into lines.
_TICKET: Final = re.compile(
    r"(?:(?<=/ticket_media/)|(?<=/ticket_thumbnail/)).+|(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{256,}", re.DOTALL
)
_SHORTER_THAN_ANY: Final = 256
_access_log = structlog.get_logger("tgbridge.access")

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""The id of the request that is being answered: it stands in each line that is logged meanwhile."""


def configure_logging(settings: LogSettings) -> None:
    """Send structlog's and the standard library's records to standard error, in the same form.

    Our own lines go there without a LogRecord, which would cost more than the rest of a small answer.
    """
    shared: list[Processor] = [
        add_request_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    _handler.stream = sys.stderr
    structlog.configure(
        processors=[_after_access_lines, *shared, _Rendering(_renderers(as_json=as_json))],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=_Writer,
        cache_logger_on_first_use=True,
    )
    _handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _without_values],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(as_json=as_json),
            ],
        )
    )
    _root.handlers = [_handler]
    _root.setLevel(settings.level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, _root.level))
    # It warns of each cookie that is not ours, which is nothing to worry about.
    logging.getLogger("aiohttp_session").setLevel(logging.ERROR)


def add_request_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Say in a line which request it is about: a processor of structlog's."""
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def _renderers(*, as_json: bool) -> list[Processor]:
    return [_json] if as_json else [_printable, structlog.dev.ConsoleRenderer()]


def _json(_logger: object, _method: str, event: EventDict) -> str:
    """Write a line as JSON, with all escaped that is not ASCII."""
    try:
        # Three times as fast as json's. It takes DEL for printable.
        return to_json(event, ensure_ascii=True, fallback=repr).decode().replace("\x7f", "\\u007f")
    except ValueError:  # half of a surrogate pair: a byte of a header field that is no UTF-8
        return json.dumps(event, default=repr)


def _printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape what a terminal would act upon, or show as something else: anybody can write a path."""
    return {
        _escaped(name): value if value is None or isinstance(value, int | float) else _escaped(value)
        for name, value in event.items()
    }


def _escaped(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def frames(error: BaseException) -> list[str]:
    """Where ``error`` came from, and its causes: modules, lines and functions, innermost last.

    No messages and no values: they may repeat what somebody typed.
    """
    told: list[str] = []
    link: BaseException | None = error
    while link is not None:
        told.append(type(link).__name__)
        innermost = list(traceback.walk_tb(link.__traceback__))[-_INNERMOST_FRAMES:]
        told += [
            f"{frame.f_globals.get('__name__')}:{line} {frame.f_code.co_name}" for frame, line in innermost
        ]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return told


class _DiscreetHandler(logging.StreamHandler[Any]):
    """Says of a line that cannot be written no more than that. logging's own way shows what was in it."""

    def write(self, name: str, line: str) -> None:
        """Write a line that is ready, or several, of the logger ``name``."""
        with self.lock or nullcontext():  # threads of the standard library's log as well
            try:
                self.stream.write(f"{line}\n")
                self.stream.flush()
            except Exception:  # noqa: BLE001 - as logging does: no line is worth an answer
                self.miss(name)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Tell which kind of error it was, if there is still anybody to tell."""
        self.miss(record.name)

    def miss(self, name: str) -> None:
        """Tell that a line of the logger ``name`` is missing, for the error that is being handled."""
        kind = sys.exc_info()[0]
        with suppress(OSError, ValueError):  # closed, or a pipe that nobody reads
            sys.stderr.write(
                f"tgbridge: a line of the log is missing ({name}: {kind.__name__ if kind else None})\n"
            )


_handler: Final = _DiscreetHandler()
"""The one, since loggers that have been used once keep to it."""


class _Rendering:
    """Makes an event a line. One that cannot be shown is missed, as by a handler: it is worth no answer."""

    def __init__(self, renderers: Iterable[Processor]) -> None:
        self._renderers = tuple(renderers)

    def __call__(self, logger: Any, method: str, event: EventDict) -> Any:
        line: Any = event
        try:
            for render in self._renderers:
                line = render(logger, method, line)
        except Exception:  # noqa: BLE001 - it is shown by a type of anybody's
            _handler.miss(logger.name)
            raise structlog.DropEvent from None
        return line


class _Writer:
    """What structlog hands its lines to, ready."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, line: str) -> None:
        """Write a line, of whatever level: structlog has seen to that."""
        _handler.write(self.name, line)

    debug = info = warning = error = critical = write


class _AccessLines:
    """The lines of the access log: those of one turn of the event loop are made and written together.

    They are as structlog would make them one by one, which costs a third of a small answer.
    """

    def __init__(self) -> None:
        self.name = "tgbridge.access"
        self._waiting: deque[dict[str, Any]] = deque()
        self._stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def add(self, event: str, line: dict[str, Any]) -> None:
        """Log a line. What our own loggers say after it comes after it."""
        if not self._waiting:
            if not isinstance(_last_processor(), _Rendering):
                _access_log.info(event, **line)  # somebody has configured it otherwise
                return
            if not _root.isEnabledFor(logging.INFO):
                return
            asyncio.get_running_loop().call_soon(self.write)
        line["event"] = event
        self._waiting.append(line)

    def write(self) -> None:
        """Write what waits, before another line or at the end of the event loop's turn."""
        if not self._waiting:
            return
        # What is logged in one turn is logged at one time.
        ends = dict(self._stamp(self, "info", {"logger": self.name, "level": "info"}))
        render, lines = _last_processor(), []
        while self._waiting:
            line = self._waiting.popleft()
            line.update(ends)
            try:
                lines.append(render(self, "info", line))
            except structlog.DropEvent:
                continue
        if lines:
            _handler.write(self.name, "\n".join(lines))


def _after_access_lines(_logger: object, _method: str, event: EventDict) -> EventDict:
    _access_lines.write()
    return event


def _last_processor() -> Any:
    return structlog.get_config()["processors"][-1]


_access_lines: Final = _AccessLines()


def log_uncaught() -> None:
    """Log what nobody catches: in the running event loop, in threads, and where Python cannot raise."""
    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    threading.excepthook = lambda uncaught: _log_error(uncaught.exc_value)
    sys.unraisablehook = lambda uncaught: _log_error(uncaught.exc_value)


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody caught. asyncio's own way shows arguments and messages."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        _log_error(error)
    else:
        _log.error("asyncio complains")


def _log_error(error: BaseException | None) -> None:
    _log.error("nobody caught it", error=type(error).__name__, frames=[] if error is None else frames(error))


def _without_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace a library's exception by its type and frames."""
    exc_info = event.pop("exc_info", None)
    error = exc_info[1] if isinstance(exc_info, tuple) else None
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["frames"] = frames(error)
    return event


def without_tickets(path: str) -> str:
    """Return a path as the log may show it."""
    return path if len(path) < _SHORTER_THAN_ANY else _TICKET.sub("…", path)


def log_request(request: BaseRequest, status: int | None, seconds: float, reason: str | None = None) -> None:
    """Log what has become of a request, without its query, which may hold a ticket.

    ``seconds`` is how long it took; ``reason`` why its answer was broken off, None where it was sent whole.
    ``bytes`` in the line are those of the body, without the head and what frames chunks.
    """
    exchange = exchange_of(request)
    line: dict[str, Any] = {
        "request_id": exchange.request_id,
        "address": exchange.caller.address or request.remote,
        "method": request.method,
        "path": without_tickets(request.path),
        "status": status,
        "bytes": exchange.sent,  # aiohttp's own number counts the head as well
        "seconds": round(seconds, 4),
    }
    if (failure := exchange.failure) is not None:
        told = {"code": failure.code, "retry_after": failure.retry_after, **failure.log}
        line |= {name: value for name, value in told.items() if value is not None}
    if reason is None:
        _access_lines.add("answered", line)
    else:
        _access_lines.add("broken off", {"reason": reason, **line})


class AccessLogger(AbstractAccessLogger):
    """One line for each answer, whole or not."""

    def log(self, request: BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log one answer; ``time`` is in seconds, from the request's head to the answer's last byte."""
        broken = exchange_of(request).broken
        # aiohttp calls this, too, while it handles the error of a socket that took no more.
        if broken is None and isinstance(error := sys.exception(), ConnectionError):
            broken = error
        log_request(request, response.status, time, None if broken is None else type(broken).__name__)
