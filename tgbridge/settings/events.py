"""What can be set about telling pages of changes."""

from __future__ import annotations

from tgbridge.settings.files import ByteSize
from tgbridge.settings.section import Section, setting

_DAY = 86400.0


class EventsSettings(Section):
    """Telling pages of changes (/events)."""
