"""Logins that belong to another data centre (https://core.telegram.org/api/datacenter#user-migration)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import TelegramRefused
from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience

_MIGRATIONS: Final = frozenset({"NETWORK_MIGRATE", "PHONE_MIGRATE", "USER_MIGRATE"})


def follow_migrations(call: Call, follow: Callable[[int], Awaitable[bool]]) -> Call:
    """Go on at the data centre that the answer names.

    `follow` is given its number, and moves the connection there; False if it may not, since somebody is
    signed in: then, and when patience ends, the refusal is raised.
    """

    async def following(request: TLRequest, patience: Patience) -> Any:
        while True:
            try:
                return await call(request, patience)
            except TelegramRefused as refusal:
                if refusal.name not in _MIGRATIONS or refusal.value is None or now() >= patience.give_up_at:
                    raise
                if not await follow(refusal.value):
                    raise

    return following
