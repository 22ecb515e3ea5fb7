"""What an account has learnt is its own, and outlasts its clients."""

from __future__ import annotations

import math

import pytest
from telethon.tl import functions

from tests.telegram.rpc.calls import patience
from tgbridge.telegram.rpc.gates import Gates

MIB = 1 << 20
GET_FILE = functions.upload.GetFileRequest
SAVE_PART = functions.upload.SaveBigFilePartRequest
OTHER = functions.messages.GetHistoryRequest


def test_a_gate_is_one_accounts_at_one_data_centre_for_one_method() -> None:
    """The same one for all its clients, another one for everybody else."""
    gates = Gates()
    gate = gates.of("alice").to(1, GET_FILE)
    assert gates.of("alice").to(1, GET_FILE) is gate
    others = [
        gates.of("bob").to(1, GET_FILE),
        gates.of("alice").to(2, GET_FILE),
        gates.of("alice").to(1, SAVE_PART),
    ]
    assert gate not in others


def test_parts_of_small_and_big_files_pass_one_gate() -> None:
    """TDLib's 4 MiB are of all uploads together."""
    account = Gates(adaptive=False).of("alice")
    assert account.to(1, functions.upload.SaveFilePartRequest) is account.to(1, SAVE_PART)


@pytest.mark.parametrize(
    ("adaptive", "premium", "expected"),
    [
        (True, False, (math.inf, math.inf, math.inf)),
        (False, False, (2 * MIB, 4 * MIB, math.inf)),
        (False, True, (16 * MIB, 4 * MIB, math.inf)),
    ],
)
def test_what_may_be_in_flight(adaptive: bool, premium: bool, expected: tuple[float, float, float]) -> None:
    """Without limits where waits tell them, else as TDLib has it; also once Premium is known of."""
    account = Gates(adaptive=adaptive).of("alice")
    methods = (GET_FILE, SAVE_PART, OTHER)
    for method in methods:
        account.to(1, method)
    account.premium = premium
    assert tuple(account.to(1, method).pace.window for method in methods) == expected
    assert tuple(account.to(2, method).pace.window for method in methods) == expected


def test_a_wait_leaves_as_many_connections_as_tdlib_has() -> None:
    """At that data centre; and no setting is exceeded."""
    account = Gates().of("alice")
    assert (account.connections(1, 4), Gates(adaptive=False).of("alice").connections(1, 4)) == (4, 2)
    account.to(1, GET_FILE).pace.flooded(100.0, 1, 99.0, MIB)
    assert (account.connections(1, 4), account.connections(1, 1), account.connections(2, 4)) == (2, 1, 4)
    account.premium = True
    assert (account.connections(1, 4), account.connections(1, 16)) == (4, 8)


async def test_those_used_last_are_remembered_and_the_busy_are() -> None:
    """However many accounts come by."""
    gates = Gates(most=3)
    busy, first = gates.of("busy").to(1, GET_FILE), gates.of("first")
    await busy.enter(MIB, patience())
    for account in ("second", "first", "third", "first", "fourth"):
        gates.of(account)
    assert len(gates) == 3
    assert gates.of("first") is first
    assert gates.of("busy").to(1, GET_FILE) is busy
    busy.leave(MIB)
