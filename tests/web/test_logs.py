"""Logging: what goes into a line, and what never does."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from tgbridge.settings import LogSettings
from tgbridge.web.logs import REQUEST_ID, AccessLogger, configure_logging, frames, log_loop_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "+15551234567"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Configures logging as JSON; what was logged so far."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with configured(LogSettings(format="json")):
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@contextmanager
def configured(settings: LogSettings) -> Iterator[None]:
    """Log as configured. Everything is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging(settings)
    # Modules' loggers would keep this configuration for the tests that follow.
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


def warn_within(request_id: str, library: str) -> None:
    REQUEST_ID.set(request_id)
    logging.getLogger(library).warning("hello")


def fail() -> None:
    raise ValueError(SECRET)


def lose_the_connection() -> None:
    raise ConnectionResetError


def test_line(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """A line has time, level, logger and event."""
    structlog.get_logger("tgbridge.test").info("hello", answer=42)
    (line,) = logged()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "hello", "answer": 42, "level": "info", "logger": "tgbridge.test"}


def test_request_id(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """Lines of libraries carry the id of the request that they belong to as well."""
    contextvars.copy_context().run(warn_within, "0123456789", "aiohttp.server")
    assert logged()[0]["request_id"] == "0123456789"


@pytest.mark.parametrize("name", ["telethon.network", "aiohttp.access", "asyncio"])
def test_quiet_libraries(logged: Callable[[], list[dict[str, Any]]], name: str) -> None:
    """Libraries that tell of every packet are heard from WARNING on."""
    logging.getLogger(name).info(SECRET)
    logging.getLogger(name).warning("hello")
    assert [line["event"] for line in logged()] == ["hello"]


def test_exceptions_without_messages(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """A library's exception is logged by type and place: its message may repeat what somebody typed."""
    try:
        fail()
    except ValueError:
        logging.getLogger("library").exception("failed")
    (line,) = logged()
    assert line["error"] == "ValueError"
    assert any(frame.endswith(" fail") for frame in line["frames"])
    assert SECRET not in json.dumps(line)


async def test_uncaught_exceptions(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """What nobody catches in the event loop is logged without its message and arguments."""
    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    asyncio.get_running_loop().call_soon(lambda secret: fail(), SECRET)
    await asyncio.sleep(0)
    (line,) = logged()
    assert line["error"] == "ValueError"
    assert SECRET not in json.dumps(line)


def test_frames_of_causes() -> None:
    """Frames go through the causes, each under the name of its error."""
    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError from error
    except RuntimeError as error:
        told = frames(error)
    assert [line for line in told if " " not in line] == ["RuntimeError", "ValueError"]
    # By module and line: where the service is installed is nobody's business.
    assert re.fullmatch(rf"{re.escape(__name__)}:\d+ fail", told[-1])


async def test_socket_that_takes_no_more(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """An answer whose last bytes could not be written was broken off; aiohttp logs while it handles that."""
    logger, request = AccessLogger(logging.getLogger(), ""), make_mocked_request("GET", "/x")
    logger.log(request, web.Response(), 0.5)
    try:
        lose_the_connection()
    except ConnectionResetError:
        logger.log(request, web.Response(), 0.5)
    await asyncio.sleep(0)  # they are written at the end of the event loop's turn
    answered, broken = logged()
    assert (answered["event"], "reason" in answered) == ("answered", False)
    assert (broken["event"], broken["reason"]) == ("broken off", "ConnectionResetError")


async def test_access_lines(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """Lines of the access log are like all others, and stand where they were logged among them."""
    logger, request = AccessLogger(logging.getLogger(), ""), make_mocked_request("GET", "/x?ticket=secret")
    logger.log(request, web.Response(), 0.5)
    logger.log(request, web.Response(status=404), 0.25)
    structlog.get_logger("tgbridge.test").info("between")
    logger.log(request, web.Response(), 0.5)
    await asyncio.sleep(0)
    first, second, between, third = logged()
    timestamps = [line["timestamp"] for line in (first, second, between, third)]
    assert timestamps == sorted(timestamps)
    assert set(first) == {*between, "request_id", "address", "method", "path", "status", "bytes", "seconds"}
    assert (second["status"], second["seconds"], second["path"]) == (404, 0.25, "/x")
    assert all(re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", stamp) for stamp in timestamps)
    assert (third["logger"], third["level"], third["event"]) == ("tgbridge.access", "info", "answered")


async def test_unwanted_access_lines(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """Where only warnings are wanted, answers are not logged."""
    configure_logging(LogSettings(format="json", level="warning"))
    AccessLogger(logging.getLogger(), "").log(make_mocked_request("GET", "/x"), web.Response(), 0.5)
    await asyncio.sleep(0)
    assert logged() == []


# What a terminal acts upon, and what turns text around or hides in it.
NASTY: Final = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\r",
    "\n",
    "\x7f",
    "\u202e",
    "\u2028",
    "\udcff",
    "\x00",
)


class Shown:
    """A value of a kind of its own."""

    def __repr__(self) -> str:
        return "".join(NASTY)


def test_nothing_reaches_the_terminal_but_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody sends, and wherever in a line it stands: a line for people is one line of text."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with configured(LogSettings(format="console")):
        structlog.get_logger("tgbridge.test").info(
            "plain", path="/stream_media/1", number=1, text="Füße 日本"
        )
        plain = stream.getvalue()
        for nasty in NASTY:
            structlog.get_logger("tgbridge.test").info(
                f"event {nasty}",
                path=f"/{nasty}",
                frames=[f"{nasty} in a list", {nasty: nasty}],
                other=Shown(),
                **{f"key {nasty}": 1},
            )
            logging.getLogger(f"library {nasty}").warning("said %s", nasty)
        contextvars.copy_context().run(warn_within, "".join(NASTY), "library")
    colours = re.compile(r"\x1b\[[0-9;]*m")
    assert re.search(r"plain .* number=1 path=/stream_media/1 text='Füße 日本'\n", colours.sub("", plain))
    written = colours.sub("", stream.getvalue())
    assert written.count("\n") == 2 + 2 * len(NASTY)
    assert all(line.isprintable() for line in written.split("\n"))


def test_json_is_ascii(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """Also as JSON nothing of a value is acted upon, and half of a surrogate pair costs no line."""
    for nasty in NASTY:
        structlog.get_logger("tgbridge.test").info("hello", value=nasty)
    assert [line["value"] for line in logged()] == list(NASTY)
    handler = logging.getLogger().handlers[0]  # pytest adds its own
    assert isinstance(handler, logging.StreamHandler)
    assert all(line.isascii() and line.isprintable() for line in handler.stream.getvalue().split("\n"))


def test_level(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """`log.level` bounds what is logged."""
    configure_logging(LogSettings(format="json", level="error"))
    structlog.get_logger("tgbridge.test").warning("hello")
    assert logged() == []
