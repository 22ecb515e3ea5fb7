"""Where the metrics' numbers come from: the rooms' own, read when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from tgbridge.settings import Settings
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.saved.library import Library
    from tgbridge.telegram.statistics import Statistics
    from tgbridge.telegram.transfer.download.downloader import Downloader
    from tgbridge.telegram.transfer.thumbnails import Thumbnails
    from tgbridge.telegram.transfer.upload.uploader import Uploader
    from tgbridge.web.loop_lag import LoopLag
    from tgbridge.web.tally import Histogram, RequestTally


class Cache(Protocol):
    """Anything that counts how often it was of use."""

    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class Sources:
    """All that is read at a scrape."""

    settings: Settings
    tally: RequestTally
    loop_lag: LoopLag
    pool: ClientPool
    downloader: Downloader
    uploader: Uploader
    requests_in_flight: int
    connections: int
    event_streams: int
    library: Library
    thumbnails: Thumbnails

    @classmethod
    def of(cls, app: web.Application) -> Self:
        """Take what hangs on the application."""
        return cls(
            settings=app[keys.SETTINGS],
            tally=app[keys.TALLY],
            loop_lag=app[keys.LOOP_LAG],
            pool=app[keys.POOL],
            downloader=app[keys.DOWNLOADER],
            uploader=app[keys.UPLOADER],
            requests_in_flight=len(app[keys.IN_FLIGHT]),
            connections=len(app[keys.CONNECTIONS]),
            event_streams=len(app[keys.OPEN_STREAMS]),
            library=app[keys.LIBRARY],
            thumbnails=app[keys.THUMBNAILS],
        )

    @property
    def telegram(self) -> Statistics:
        """What has passed between the process and Telegram."""
        return self.pool.statistics

    @property
    def caches(self) -> Mapping[str, Cache]:
        """What is kept of files and messages, with how often it was of use."""
        return {
            "parts": self.downloader.cache,
            "messages": self.library.cache,
            "thumbnails": self.thumbnails.cache,
        }

    @property
    def lag(self) -> Histogram:
        """How late the event loop was."""
        return self.loop_lag.seconds
