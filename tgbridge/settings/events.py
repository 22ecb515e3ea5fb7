"""What can be set about telling pages of changes."""

from __future__ import annotations

from typing import Final

from pydantic import ByteSize

from tgbridge.settings.section import Section, setting

_DAY: Final = 86400.0


class EventsSettings(Section):
    """Telling pages of what changes in Saved Messages (/events)."""

    streams_per_session: int = setting(
        16,
        "streams",
        "Open at the same time: one a tab, and a few that their end has not reached.",
        ge=1,
        le=1000,
    )
    streams_per_process: int = setting(
        2000, "streams", "For all sessions together, at 0.1 MB each.", ge=1, le=100_000
    )
    heartbeat_seconds: float = setting(
        15.0,
        "seconds",
        "So often at least something is sent: proxies end what is silent for a minute.",
        gt=0,
        le=300,
    )
    longest_seconds: float = setting(
        3600.0,
        "seconds",
        "Then a stream ends, each at a time of its own within the last half, and its page connects again: so "
        "pages find their way to a new process, a few at a time.",
        gt=0,
        le=_DAY,
    )
    behind_bytes: ByteSize = setting(
        ByteSize(1024 * 1024), "bytes", "A page that has left so much unread is cut off.", ge=64 * 1024
    )
    behind_seconds: float = setting(
        30.0, "seconds", "So is one that takes nothing for so long.", gt=0, le=3600
    )
    linger_seconds: float = setting(
        30.0,
        "seconds",
        "How long a session listens on when its last page has gone: the next one is often there at once.",
        ge=0,
        le=3600,
    )
