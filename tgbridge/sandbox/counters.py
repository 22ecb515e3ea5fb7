"""What the sandbox was asked, and how much of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Totals since the start; read them, compare them, or replace them by new ones with `reset`."""

    calls: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Calls of methods, by data centre and Telegram's name for the method, without its wrappers."""
    connections: Counter[int] = field(default_factory=Counter)
    """Connections opened, by data centre."""
    auth_keys: int = 0
    """Authorization keys created."""
    bad_salts: int = 0
    """Messages refused by bad_server_salt."""
    bytes_in: int = 0
    bytes_out: int = 0
    """Bytes on the wire, framing included."""

    def called(self, dc_id: int, method: str) -> None:
        """Count a call."""
        self.calls[dc_id, method] += 1

    def of(self, method: str, dc: int | None = None) -> int:
        """Tell how often a method was called, in one data centre or in all."""
        if dc is not None:
            return self.calls[dc, method]
        return sum(count for (_, name), count in self.calls.items() if name == method)

    def reset(self) -> None:
        """Begin at zero again."""
        self.calls.clear()
        self.connections.clear()
        self.auth_keys = self.bad_salts = self.bytes_in = self.bytes_out = 0
