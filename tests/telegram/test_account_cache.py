"""What accounts keep under two bounds, their own and everybody's."""

from __future__ import annotations

import random

from tgbridge.telegram.account_cache import AccountCache


def cache(*, account_most: int = 3, most: int = 5) -> AccountCache[str, str]:
    return AccountCache(account_most=account_most, most=most)


def test_what_is_put_is_found_again() -> None:
    """By the account that has put it, and by nobody else; in place of what was there."""
    kept = cache()
    kept.put("a", "x", "1")
    kept.put("a", "x", "2")
    assert (kept.get("a", "x"), kept.get("a", "y"), kept.get("b", "x"), kept.cost) == ("2", None, None, 1)
    kept.pop("a", "x")
    kept.pop("a", "x")
    assert (kept.get("a", "x"), kept.cost) == (None, 0)


def test_an_account_loses_what_it_has_not_used_for_longest() -> None:
    """When it keeps more than it may; others lose nothing by it."""
    kept = cache()
    kept.put("b", "x", "other")
    for key in "xyz":
        kept.put("a", key, key)
    kept.get("a", "x")
    kept.put("a", "w", "w")
    assert [kept.get("a", key) for key in "wxyz"] == ["w", "x", None, "z"]
    assert kept.get("b", "x") == "other"


def test_the_account_that_nobody_has_come_for_gives_way() -> None:
    """When all keep more together than they may, its oldest first."""
    kept = cache()
    for key in "xyz":
        kept.put("a", key, key)
    kept.put("b", "x", "x")
    kept.put("b", "y", "y")
    kept.put("b", "z", "z")
    assert [kept.get("a", key) for key in "xyz"] == [None, "y", "z"]
    kept.put("c", "x", "x")  # after somebody has come for a
    assert [kept.get("b", key) for key in "xyz"] == [None, "y", "z"]


def test_what_costs_more_than_there_is_room_for() -> None:
    """It is not kept, nothing is lost by it, and what stood in its place is gone."""
    for kept in (cache(account_most=3, most=9), cache(account_most=9, most=3), cache(account_most=0)):
        kept.put("a", "x", "small", 1)
        kept.put("a", "y", "old", 1)
        kept.put("a", "y", "large", 4)
        assert kept.get("a", "y") is None
        assert kept.cost == (1 if kept.get("a", "x") else 0)


def test_forgetting_an_account() -> None:
    """All that it has is gone, again and again."""
    kept = cache()
    kept.put("a", "x", "x", 2)
    kept.put("b", "x", "x")
    kept.clear("a")
    kept.clear("a")
    assert (kept.get("a", "x"), kept.get("b", "x"), kept.cost) == (None, "x", 1)


def test_bounds_hold_whatever_happens() -> None:
    """A thousand random steps of five accounts: what is counted is there, and no more than allowed."""
    chance, kept = random.Random(5), cache(account_most=20, most=50)
    for _ in range(1000):
        account, key = chance.choice("abcde"), chance.choice("uvwxyz")
        match chance.randrange(4):
            case 0:
                kept.get(account, key)
            case 1:
                kept.pop(account, key)
            case _:
                kept.put(account, key, key, chance.randrange(1, 25))
        costs = [sum(cost for _, cost in part.entries.values()) for part in kept._accounts.values()]
        assert kept.cost == sum(costs) <= 50
        assert all(0 < cost <= 20 for cost in costs)
