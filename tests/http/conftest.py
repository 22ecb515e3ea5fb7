"""The same examples each time, and no deadline on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tgbridge", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("tgbridge")
