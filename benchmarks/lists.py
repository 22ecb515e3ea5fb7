"""The tables of lists: all media, and a page deep down in them."""

from __future__ import annotations

import json
import statistics
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from benchmarks.report import mebibytes, print_table
from benchmarks.sandbox import HISTORY, LISTED, PAGE_AT, Numbers

if TYPE_CHECKING:
    from benchmarks.stage import Stage

_ROUND_TRIP = 0.04
_PIECE_BYTES = 64 * 1024
_PAGE = 50


def whole_list(stage: Stage, *, quick: bool) -> None:  # noqa: ARG001 - it takes seconds in any case
    """List ten thousand media, beside Telethon's iter_messages."""
    service, plain = stage.service(0), stage.library()
    stage.bring(service, [Numbers.listed])
    ((session, _),) = stage.sessions([Numbers.listed])
    stage.round_trip(_ROUND_TRIP)
    _get(service.port, service.cookies[Numbers.listed], "/me")
    plain.tell(connect=session)
    stage.calls()
    service.process.idle()
    with service.process.measured() as ours:
        first, last, items = _get(service.port, service.cookies[Numbers.listed], "/get-saved-messages-media")
    our_calls = sum(stage.calls().values())
    plain.idle()
    with plain.measured() as theirs:
        told = plain.tell(everything=True)
    their_calls = sum(stage.calls().values())
    stage.round_trip(0)
    assert len(items) == told["count"] == LISTED
    rows = [
        ("tgbridge", f"{first:.2f} s", f"{last:.1f} s", mebibytes(ours.growth_bytes), str(our_calls)),
        (
            "Telethon alone",
            f"{told['first']:.2f} s",
            f"{told['seconds']:.1f} s",
            mebibytes(theirs.growth_bytes),
            str(their_calls),
        ),
    ]
    head = ("", "first item", "last item", "memory over idle", "requests at Telegram")
    print_table(f"The list of {LISTED} media, {_ROUND_TRIP * 1000:.0f} ms", head, rows)


def deep_page(stage: Stage, *, quick: bool) -> None:
    """Fifty media from the 90,000th message on, of which each tenth holds any."""
    service, plain = stage.service(0), stage.library()
    stage.bring(service, [Numbers.history])
    ((session, _),) = stage.sessions([Numbers.history])
    stage.round_trip(_ROUND_TRIP)
    cookie = service.cookies[Numbers.history]
    _get(service.port, cookie, "/me")
    plain.tell(connect=session)
    samples = 3 if quick else 10
    ours, theirs = [], []
    stage.calls()
    for sample in range(samples):
        before = HISTORY - PAGE_AT + 1 - 10 * sample
        _, seconds, page = _get(service.port, cookie, f"/media?limit={_PAGE}&before={before}")
        assert len(page["items"]) == _PAGE
        ours.append(seconds)
    our_calls = sum(stage.calls().values()) / samples
    for sample in range(samples):
        told = plain.tell(page=HISTORY - PAGE_AT + 1 - 10 * sample)
        assert told["count"] == _PAGE
        theirs.append(told["seconds"])
    their_calls = sum(stage.calls().values()) / samples
    stage.round_trip(0)
    rows = [
        (name, f"{statistics.median(times) / _ROUND_TRIP:.1f}", f"{calls:.1f}")
        for name, times, calls in (("tgbridge", ours, our_calls), ("Telethon alone", theirs, their_calls))
    ]
    head = ("", "round trips of 40 ms", "requests at Telegram")
    print_table(f"A page of {_PAGE} media at the {PAGE_AT}th of {HISTORY} messages", head, rows)


def _get(port: int, cookie: str, path: str) -> tuple[float, float, Any]:
    """Ask for JSON: the seconds until there was a first item, and until all was there; and what it was."""
    connection = HTTPConnection("127.0.0.1", port)
    begin = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie})
    response = connection.getresponse()
    first, body = 0.0, bytearray()
    while piece := response.read1(_PIECE_BYTES):
        body += piece
        if not first and b"}" in body:
            first = time.perf_counter() - begin
    last = time.perf_counter() - begin
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {bytes(body[:300])!r}")
    return first, last, json.loads(body)
