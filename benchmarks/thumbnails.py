"""The table of a gallery's page: a hundred thumbnails at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.http import Client, at_once
from benchmarks.report import print_table
from benchmarks.sandbox import LISTED, THUMBNAIL_BYTES, Numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.http import Transfer
    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_ROUND_TRIP = 0.04
_PICTURES = 100
_IDS = range(LISTED - _PICTURES + 1, LISTED + 1)
_LOOKUP, _FILE = "messages.getMessages", "upload.getFile"


def gallery(stage: Stage, *, quick: bool) -> None:  # noqa: ARG001 - it takes seconds in any case
    """A page's pictures: of which nothing is known, of a page just listed, and once more."""
    service = stage.service(0)
    stage.bring(service, [Numbers.listed])
    stage.round_trip(_ROUND_TRIP)
    cookie = service.cookies[Numbers.listed]
    stage.calls()
    rows = [_row("cold: no connection, and nothing known", stage, lambda: _pictures(service, cookie))]
    stage.end(service.process)
    service = stage.service(after=service)
    with Client(service.port, cookie) as client:
        client.ask(f"/media?limit={_PICTURES}")
        client.answer("/media")
    stage.calls()
    rows += [
        _row("warm: the page was listed", stage, lambda: _pictures(service, cookie)),
        _row("revisited", stage, lambda: _pictures(service, cookie)),
    ]
    plain = stage.library()
    ((session, _),) = stage.sessions([Numbers.listed])
    plain.tell(connect=session)
    stage.calls()
    rows.append(_row("Telethon alone, one after another", stage, lambda: plain.tell(thumbnails=list(_IDS))))
    stage.round_trip(0)
    head = ("", "seconds", "round trips", _LOOKUP, _FILE, "other requests")
    print_table(f"{_PICTURES} thumbnails at once, {_ROUND_TRIP * 1000:.0f} ms", head, rows)


def _pictures(server: Server, cookie: str) -> None:
    def one(message: int) -> Callable[[], Transfer]:
        def get() -> Transfer:
            with Client(server.port, cookie) as client:
                return client.get(f"/stream_thumbnail/{message}")

        return get

    transfers = at_once([one(message) for message in _IDS])
    assert all(transfer.size == THUMBNAIL_BYTES for transfer in transfers)


def _row(name: str, stage: Stage, work: Callable[[], object]) -> Row:
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    calls = stage.calls()
    others = sum(calls.values()) - calls.get(_LOOKUP, 0) - calls.get(_FILE, 0)
    counts = (str(calls.get(_LOOKUP, 0)), str(calls.get(_FILE, 0)), str(others))
    return (name, f"{seconds:.2f}", f"{seconds / _ROUND_TRIP:.1f}", *counts)
