"""What may happen to Saved Messages, as far as they hold media."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tgbridge.telegram.saved.saved_media import SavedMedia


@dataclass(frozen=True, slots=True)
class Added:
    """A message with media is new. ``pts`` is the account's state after it, as with all changes."""

    media: SavedMedia
    pts: int


@dataclass(frozen=True, slots=True)
class Edited:
    """A message has another caption, or other media."""

    media: SavedMedia
    pts: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages are gone, or hold no media any more. There may be ids among them that held none before."""

    ids: tuple[int, ...]
    pts: int


Change: TypeAlias = Added | Edited | Deleted
"""In the order of their ``pts`` (https://core.telegram.org/api/updates#message-related-event-sequences)."""
