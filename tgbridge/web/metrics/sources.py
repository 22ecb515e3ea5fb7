"""Where the metrics' numbers come from: the rooms' own, read when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.settings import Settings
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.statistics import Statistics
    from tgbridge.telegram.transfer.download.downloader import Downloader
    from tgbridge.telegram.transfer.upload.uploader import Uploader
    from tgbridge.web.loop_lag import LoopLag
    from tgbridge.web.tally import Histogram, RequestTally


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
    lookup_hits: int
    lookup_misses: int

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
            lookup_hits=app[keys.LOOKUP].hits,
            lookup_misses=app[keys.LOOKUP].misses,
        )

    @property
    def telegram(self) -> Statistics:
        """What has passed between the process and Telegram."""
        return self.pool.statistics

    @property
    def lag(self) -> Histogram:
        """How late the event loop was."""
        return self.loop_lag.seconds
