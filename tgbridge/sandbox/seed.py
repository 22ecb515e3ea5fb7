"""One message that a new account finds in its Saved Messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.sandbox.world.makers import Maker


@dataclass(frozen=True, slots=True)
class Seed:
    """One message.

    ``key`` names it for tests, ``date`` is UTC, ``make`` makes its media for an account, ``action`` makes it
    a service message, ``fields`` are further fields of Telegram's message constructor.
    """

    key: str
    date: str
    text: str = ""
    make: Maker | None = None
    action: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sent(self) -> datetime:
        """Give the date as a value."""
        return datetime.fromisoformat(self.date).replace(tzinfo=UTC)
