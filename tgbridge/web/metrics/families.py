"""Every metric: its name, labels, meaning, and where its values are read.

Names, units and labels are as https://prometheus.io/docs/practices/naming/ has them: base units, the unit and
then `_total` at the end, one meaning whatever the labels. `python -m tgbridge.web.metrics.page` writes
docs/metrics.md from this table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tgbridge import __version__
from tgbridge.web.tally import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tgbridge.web.metrics.sources import Sources

Labels: TypeAlias = Sequence[str]
Values: TypeAlias = Iterable[tuple[Labels, float]]
Histograms: TypeAlias = Iterable[tuple[Labels, Histogram]]


@dataclass(frozen=True, slots=True)
class Family:
    """A metric. ``read`` yields a value for each combination of ``labels`` that there is.

    A counter's ``name`` is without the ``_total`` that it ends with when it is told.
    """

    name: str
    kind: Literal["counter", "gauge", "info"]
    meaning: str
    read: Callable[[Sources], Values]
    labels: tuple[str, ...] = ()
    values: str = ""
    """What the labels' values are, for people."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram. ``read`` yields one for each combination of ``labels``."""

    name: str
    meaning: str
    read: Callable[[Sources], Histograms]
    labels: tuple[str, ...] = ()
    values: str = ""
    kind: Literal["histogram"] = "histogram"


def _one(value: float) -> Values:
    return (((), value),)


def _each(counts: Mapping[str, float]) -> Values:
    return [((name,), value) for name, value in counts.items()]


def _clients(sources: Sources) -> Values:
    stats = sources.pool.stats
    idle = stats.clients - stats.lent
    return _each({"lent": stats.lent, "idle": idle})


FAMILIES: Final[tuple[Family | Distribution, ...]] = (
    Family(
        "tgbridge_build",
        "info",
        "Which version runs.",
        lambda _: (((__version__,), 1.0),),
        ("version",),
    ),
    # HTTP
    Family(
        "tgbridge_http_requests",
        "counter",
        "Requests, counted when their answer begins.",
        lambda sources: sources.tally.requests.items(),
        ("method", "route", "status"),
        "`route` as /openapi.json has it, `other` for paths that are none; `status` is `none` where the "
        "client went before there was one.",
    ),
    Distribution(
        "tgbridge_http_first_byte_seconds",
        "From a request's head to its answer's first byte.",
        lambda sources: (((route,), one) for route, one in sources.tally.first_byte.items()),
        ("route",),
        "As of `tgbridge_http_requests_total`.",
    ),
    Family(
        "tgbridge_http_answers_broken",
        "counter",
        "Answers that began and did not come to their end.",
        lambda sources: sources.tally.broken.items(),
        ("route", "by"),
        "`by` is `client` (it went) or `service` (something failed, or the service stopped).",
    ),
    Family(
        "tgbridge_http_requests_in_flight",
        "gauge",
        "Requests that are being answered, streams and event streams included.",
        lambda sources: _one(sources.requests_in_flight),
    ),
    Family(
        "tgbridge_http_event_streams",
        "gauge",
        "Pages that follow their Saved Messages by /events.",
        lambda sources: _one(sources.event_streams),
    ),
    Family(
        "tgbridge_http_connections",
        "gauge",
        "Connections that are open, those that wait for a next request among them.",
        lambda sources: _one(sources.connections),
    ),
    Family(
        "tgbridge_http_connections_limit",
        "gauge",
        "How many there may be: `server.max_connections`.",
        lambda sources: _one(sources.settings.server.max_connections),
    ),
    Family(
        "tgbridge_http_bounds_reached",
        "counter",
        "What was refused or ended because there was too much, or it was too slow.",
        lambda sources: (((bound,), count) for bound, count in sources.tally.bounds.items()),
        ("bound",),
        "`connections` and `requests` (503), `requests_of_account` (429), `idle_connections` (closed to make "
        "room), `head_seconds` (408), `send_seconds` (cut off).",
    ),
    Family(
        "tgbridge_logins",
        "counter",
        "Steps of logins, by what came of them.",
        lambda sources: sources.tally.logins.items(),
        ("step", "outcome"),
        "`step` is `send_code`, `resend_code`, `code`, `password` or `qr`; `outcome` is `succeeded` or the "
        "error's code.",
    ),
    # Clients
    Family(
        "tgbridge_clients",
        "gauge",
        "Telegram clients of the pool.",
        _clients,
        ("state",),
        "`lent` (in use) or `idle`.",
    ),
    Family(
        "tgbridge_clients_limit",
        "gauge",
        "How many there may be: `pool.max_clients`.",
        lambda sources: _one(sources.settings.pool.max_clients),
    ),
    # Transfers
    Family(
        "tgbridge_transfers",
        "gauge",
        "Files that are being read from Telegram (streams) or sent to it (uploads).",
        lambda sources: _each(
            {"received": sources.downloader.budget.streams, "sent": sources.uploader.budget.streams}
        ),
        ("direction",),
        "`received` or `sent`.",
    ),
    Family(
        "tgbridge_transfer_bytes",
        "counter",
        "Contents of files from and to Telegram.",
        lambda sources: sources.telegram.bytes.items(),
        ("direction", "dc"),
        "`received` or `sent`; `dc` is the data centre's number, `cdn` or `other`.",
    ),
    Family(
        "tgbridge_parts_in_flight",
        "gauge",
        "Parts of files that are on their way.",
        lambda sources: sources.telegram.in_flight.items(),
        ("direction", "dc"),
        "As of `tgbridge_transfer_bytes_total`.",
    ),
    Family(
        "tgbridge_budget_held_bytes",
        "gauge",
        "Memory that transfers hold, in flight or unread.",
        lambda sources: _each(
            {"received": sources.downloader.budget.held, "sent": sources.uploader.budget.held}
        ),
        ("direction",),
        "`received` or `sent`.",
    ),
    Family(
        "tgbridge_budget_limit_bytes",
        "gauge",
        "How much that may be: `window_bytes_per_process`.",
        lambda sources: _each(
            {
                "received": sources.downloader.budget.process_bytes,
                "sent": sources.uploader.budget.process_bytes,
            }
        ),
        ("direction",),
        "`received` or `sent`.",
    ),
    Family(
        "tgbridge_budget_waiting",
        "gauge",
        "Transfers that wait for memory.",
        lambda sources: _each(
            {"received": sources.downloader.budget.waiting, "sent": sources.uploader.budget.waiting}
        ),
        ("direction",),
        "`received` or `sent`.",
    ),
    Family(
        "tgbridge_cache_hits",
        "counter",
        "What was known already.",
        lambda sources: _each({name: cache.hits for name, cache in sources.caches.items()}),
        ("cache",),
        "`parts` of files, `thumbnails`, `messages` that hold a file.",
    ),
    Family(
        "tgbridge_cache_misses",
        "counter",
        "What Telegram had to be asked for.",
        lambda sources: _each({name: cache.misses for name, cache in sources.caches.items()}),
        ("cache",),
        "As of `tgbridge_cache_hits_total`.",
    ),
    Family(
        "tgbridge_cache_bytes",
        "gauge",
        "Parts of files that are kept although nobody reads them, and thumbnails.",
        lambda sources: _each(
            {"parts": sources.downloader.cached_bytes, "thumbnails": sources.thumbnails.held}
        ),
        ("cache",),
        "`parts` or `thumbnails`.",
    ),
    # Telegram
    Family(
        "tgbridge_telegram_calls",
        "counter",
        "Attempts at calls to Telegram.",
        lambda sources: sources.telegram.calls.items(),
        ("method", "outcome"),
        "`method` as Telegram calls it, `other` for those that the service does not know; `outcome` is "
        "`answered`, `refused`, `flood_wait`, `failed` (no answer, or an internal error) or `given_up`.",
    ),
    Family(
        "tgbridge_telegram_flood_wait_seconds",
        "counter",
        "What Telegram told to wait, whether or not that was sat out.",
        lambda sources: _each(sources.telegram.flood_seconds),
        ("method",),
        "As of `tgbridge_telegram_calls_total`.",
    ),
    Family(
        "tgbridge_telegram_connects",
        "counter",
        "TCP connections to Telegram that were tried.",
        lambda sources: _each({"opened": sources.telegram.opened, "failed": sources.telegram.not_opened}),
        ("outcome",),
        "`opened` or `failed`.",
    ),
    Family(
        "tgbridge_telegram_reconnects",
        "counter",
        "Main connections that were opened in place of one that was lost.",
        lambda sources: _one(sources.telegram.reopened),
    ),
    Family(
        "tgbridge_telegram_references_renewed",
        "counter",
        "File references that had expired.",
        lambda sources: _one(sources.telegram.references_renewed),
    ),
    # The process; its memory, descriptors and CPU time are prometheus-client's own metrics.
    Distribution(
        "tgbridge_event_loop_lag_seconds",
        "How late a timer is, twice a second, while /metrics is read: how long all wait for whatever blocks.",
        lambda sources: (((), sources.lag),),
    ),
    Family(
        "tgbridge_tasks",
        "gauge",
        "asyncio tasks.",
        lambda _: _one(len(asyncio.all_tasks())),
    ),
)
