"""The pieces around work that is more than one call, and as good to do again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from tgbridge.telegram.rpc.call import compose
from tgbridge.telegram.rpc.flood_waits import sit_out_flood_waits
from tgbridge.telegram.rpc.internal_errors import repeat_internal_errors
from tgbridge.telegram.rpc.lost_connections import outlast_lost_connections

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience

T = TypeVar("T")


async def persist(work: Callable[[], Awaitable[T]], patience: Patience, *around: Callable[[Call], Call]) -> T:
    """Do `work`, again and again where Telegram makes it wait or cannot be reached, until patience ends.

    `around` are further pieces. Raises what the work raises that another attempt would not mend.
    """

    async def attempt(_request: Any, _patience: Patience) -> T:
        return await work()

    pieces = (outlast_lost_connections, repeat_internal_errors, sit_out_flood_waits, *around)
    return cast("T", await compose(attempt, *pieces)(None, patience))
