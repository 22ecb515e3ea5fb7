"""updates.*: what a device missed.

Source: https://core.telegram.org/api/updates#recovering-gaps
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.world.access import home_account, now

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.history import Event

MAX_EVENTS = 1000


@method(functions.updates.GetStateRequest)
async def get_state(call: Call, _request: functions.updates.GetStateRequest) -> types.updates.State:
    """Give the account's state of now."""
    return _state(call, home_account(call).history.pts)


@method(functions.updates.GetDifferenceRequest)
async def get_difference(call: Call, request: functions.updates.GetDifferenceRequest) -> Any:
    """Give what happened after a state, or the first part of it."""
    account = home_account(call)
    if request.pts <= 0:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.pts > account.history.pts:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID")
    events = account.history.since(request.pts)
    if not events:
        return types.updates.DifferenceEmpty(now(call), seq=0)
    if request.pts_total_limit is not None and len(events) > request.pts_total_limit:
        return types.updates.DifferenceTooLong(account.history.pts)
    batch = events[: min(request.pts_limit or MAX_EVENTS, MAX_EVENTS)]
    found = {
        "new_messages": [_message(account, event) for event in batch if _is_there(account, event, "new")],
        "new_encrypted_messages": [],
        "other_updates": [_update(account, event) for event in batch if _is_update(account, event)],
        "chats": [],
        "users": [account.user()],
    }
    state = _state(call, batch[-1].pts)
    if len(batch) < len(events):
        return types.updates.DifferenceSlice(intermediate_state=state, **found)
    return types.updates.Difference(state=state, **found)


def _state(call: Call, pts: int) -> types.updates.State:
    return types.updates.State(pts=pts, qts=0, date=now(call), seq=0, unread_count=0)


def _is_there(account: Account, event: Event, kind: str) -> bool:
    return event.kind == kind and account.history.get(event.ids[0]) is not None


def _is_update(account: Account, event: Event) -> bool:
    return event.kind == "delete" or _is_there(account, event, "edit")


def _message(account: Account, event: Event) -> Any:
    return account.files.stamp(account.history.get(event.ids[0]))


def _update(account: Account, event: Event) -> Any:
    if event.kind == "delete":
        return types.UpdateDeleteMessages(list(event.ids), event.pts, event.count)
    return types.UpdateEditMessage(_message(account, event), event.pts, event.count)
