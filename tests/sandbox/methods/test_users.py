"""Whom an account knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import errors, functions, types

if TYPE_CHECKING:
    from tests.sandbox.conftest import SignIn


async def test_everybody_knows_themselves_only(sign_in: SignIn) -> None:
    """Another account's id gives an empty user, also with the right access hash."""
    client, stranger = await sign_in(), await sign_in("+9996620002")
    me = await client.get_me(input_peer=False)
    asked = [types.InputUserSelf(), types.InputUser(me.id, me.access_hash), types.InputUser(1, 1)]
    found = await client(functions.users.GetUsersRequest(asked))
    assert [user.id for user in found] == [me.id, me.id, 1]
    assert [type(user) for user in found] == [types.User, types.User, types.UserEmpty]
    (other,) = await stranger(functions.users.GetUsersRequest([types.InputUser(me.id, me.access_hash)]))
    assert isinstance(other, types.UserEmpty)


async def test_a_profile_is_ones_own(sign_in: SignIn) -> None:
    """users.getFullUser, and USER_ID_INVALID for anybody else."""
    client = await sign_in()
    full = await client(functions.users.GetFullUserRequest(types.InputUserSelf()))
    assert full.full_user.id == full.users[0].id == 770_020_001
    with pytest.raises(errors.UserIdInvalidError):
        await client(functions.users.GetFullUserRequest(types.InputUser(1, 1)))
