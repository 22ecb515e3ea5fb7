"""The ports of a sandbox over its restarts: sessions that clients have stored name them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Ports = dict[int, tuple[int, int]]
"""Main and media_only port, by data centre; 0 for any that is free."""


def load(path: Path) -> Ports:
    """Read what was saved, nothing if there is nothing. Raises ValueError for another content."""
    if not path.exists():
        return {}
    return {
        int(dc_id): (int(main), int(media)) for dc_id, (main, media) in json.loads(path.read_text()).items()
    }


def save(path: Path, ports: Mapping[int, tuple[int, int]]) -> None:
    """Write the ports that were had."""
    path.write_text(json.dumps(ports) + "\n", encoding="utf-8")
