"""Counting what passes between the process and Telegram: names are of a known set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from telethon.tl import functions

from tgbridge.errors import FloodWait, InternalError, SessionEnded, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.rpc.counting import count_calls
from tgbridge.telegram.rpc.log import method
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.statistics import METHODS, Statistics, centre_name

if TYPE_CHECKING:
    from telethon.tl import TLRequest

TELEGRAM: Final = Path(__file__).parent.parent.parent / "tgbridge" / "telegram"
ASKING: Final = functions.help.GetConfigRequest()
PATIENCE: Final = Patience(give_up_at=0, flood_wait=0)


def test_methods_that_are_called_have_names() -> None:
    """Each request that the service makes is counted under its own name."""
    called = set()
    for path in TELEGRAM.rglob("*.py"):
        for space, name in re.findall(r"functions\.(\w+)\.(\w+)Request\b", path.read_text(encoding="utf-8")):
            kind = getattr(getattr(functions, space), f"{name}Request")
            called.add(method(kind.__new__(kind)))
    assert len(called) > 20
    assert called <= METHODS


def test_other_methods_are_one() -> None:
    """A method that nobody has thought of does not make a name of its own."""
    statistics = Statistics()
    statistics.called("stories.getAllStories", "answered")
    statistics.called("payments.getStarsStatus", "flood_wait", 3)
    assert statistics.calls == {("other", "answered"): 1, ("other", "flood_wait"): 1}
    assert statistics.flood_seconds == {"other": 3}


@pytest.mark.parametrize(
    ("dc_id", "cdn", "name"),
    [(1, False, "1"), (5, False, "5"), (0, False, "other"), (10_002, False, "other"), (203, True, "cdn")],
)
def test_names_of_data_centres(dc_id: int, cdn: bool, name: str) -> None:
    """Telegram's own five have numbers; what else a server may name has not."""
    assert centre_name(dc_id, cdn=cdn) == name


@pytest.mark.parametrize(
    ("error", "outcome", "is_heard"),
    [
        (FloodWait(7), "flood_wait", True),
        (TelegramRefused("MESSAGE_ID_INVALID"), "refused", True),
        (SessionEnded("SESSION_REVOKED"), "refused", True),
        (InternalError("RPC_CALL_FAIL"), "failed", True),
        (TelegramUnavailable("x"), "failed", False),
        (OSError(), "failed", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_outcomes(error: Exception, outcome: str, is_heard: bool) -> None:
    """What came of a call counts, and whether Telegram has said anything."""
    statistics = Statistics()

    async def call(_request: TLRequest, _patience: Patience) -> None:
        raise error

    with pytest.raises(type(error)):
        await count_calls(call, statistics)(ASKING, PATIENCE)
    assert statistics.calls == {("help.getConfig", outcome): 1}
    assert statistics.flood_seconds == ({"help.getConfig": 7} if outcome == "flood_wait" else {})
    assert (statistics.heard_at > 0) is is_heard
