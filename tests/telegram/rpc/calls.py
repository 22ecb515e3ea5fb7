"""An attempt that answers by a script, and the patience to try it with."""

from __future__ import annotations

import asyncio
from typing import Any

from telethon.tl import functions

from tgbridge.telegram.rpc.patience import Patience

REQUEST = functions.help.GetConfigRequest()


class Script:
    """Answers each attempt by the next of its outcomes, and the last one for ever; remembers when."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.times: list[float] = []

    @property
    def attempts(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> float:
        """From the first attempt to the last."""
        return self.times[-1] - self.times[0]

    async def __call__(self, request: Any, patience: Patience) -> Any:
        self.times.append(asyncio.get_running_loop().time())
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def patience(seconds: float = 20.0, *, flood_wait: float = 5.0, **fields: Any) -> Patience:
    return Patience(give_up_at=asyncio.get_running_loop().time() + seconds, flood_wait=flood_wait, **fields)
