"""How long a caller waits for Telegram: one value, passed down, that each layer obeys and none multiplies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.settings import TelegramSettings


class Patience(NamedTuple):
    """What a call may take. Made anew for each call, since its end is a moment and not a duration."""

    give_up_at: float
    """By the event loop's clock, in seconds: no attempt begins, and no wait ends, after it.

    An attempt that is under way then ends as soon as its connection is silent; slow is not silent.
    """
    flood_wait: float
    """The longest single FLOOD_WAIT that is sat out, in seconds; a longer one is raised at once."""
    answer_seconds: float | None = None
    """How long one answer may take before it counts as lost; as a rule `telegram.request_timeout_seconds`."""
    repeatable: bool = True
    """Whether the request may be carried out more than once, since an answer was lost."""
    on_wait: Callable[[float], None] | None = None
    """Is told the seconds before each wait that Telegram imposes. Must be quick, and not raise."""
    on_turn: Callable[[], None] | None = None
    """Is told when an attempt goes out, after all waiting for its turn. Must be quick, and not raise."""

    @classmethod
    def of_login(cls, telegram: TelegramSettings, *, repeatable: bool = True) -> Self:
        """Short, and no flood wait is sat out: a person looks at a form, and is told of it at once."""
        return cls(
            give_up_at=_now() + telegram.request_timeout_seconds, flood_wait=0.0, repeatable=repeatable
        )

    @classmethod
    def of_first_bytes(
        cls,
        telegram: TelegramSettings,
        *,
        since: float | None = None,
        repeatable: bool = True,
        on_wait: Callable[[float], None] | None = None,
        on_turn: Callable[[], None] | None = None,
    ) -> Self:
        """Short, for whatever is asked before a status line is sent; short flood waits are sat out.

        Counted from `since` (by the loop's clock; now by default).
        """
        start = _now() if since is None else since
        return cls(
            give_up_at=start + telegram.request_timeout_seconds,
            flood_wait=telegram.flood_wait_seconds,
            repeatable=repeatable,
            on_wait=on_wait,
            on_turn=on_turn,
        )

    @classmethod
    def of_transfer(
        cls,
        telegram: TelegramSettings,
        *,
        since: float | None = None,
        answer_seconds: float | None = None,
        on_wait: Callable[[float], None] | None = None,
        on_turn: Callable[[], None] | None = None,
    ) -> Self:
        """Long, for a body under way, either way.

        Counted from its last progress (`since`, by the loop's clock; now, if there was none); at least as
        long as one answer may take.
        """
        start = _now() if since is None else since
        return cls(
            give_up_at=start + max(telegram.transfer_wait_seconds, answer_seconds or 0.0),
            flood_wait=telegram.transfer_wait_seconds,
            answer_seconds=answer_seconds,
            on_wait=on_wait,
            on_turn=on_turn,
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
