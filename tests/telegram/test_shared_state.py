"""What Telethon's sender shares with the key's other sessions, and what it keeps to itself."""

from __future__ import annotations

import os
import struct

import pytest
from telethon.crypto import AuthKey
from telethon.errors import SecurityError

from tgbridge.telegram.mtproto.auth_key import KeyState
from tgbridge.telegram.shared_state import SharedState


def test_what_the_server_tells_is_shared() -> None:
    """The salt in both directions; the time offset is told others, and not taken from them."""
    of_key = KeyState(salt=1, time_offset=5)
    state = SharedState(AuthKey(os.urandom(256)), of_key)
    assert (state.salt, state.time_offset) == (1, 5)
    of_key.salt, of_key.time_offset = 2, 9
    assert (state.salt, state.time_offset) == (2, 5)
    state.salt, state.time_offset = 3, 7
    assert of_key == KeyState(salt=3, time_offset=7)


def test_what_was_altered_tells_no_time() -> None:
    """A first message that the server has not sent leaves every clock as it was."""
    key, of_key = AuthKey(os.urandom(256)), KeyState(salt=1, time_offset=5)
    state = SharedState(key, of_key)
    of_key.time_offset = 9  # another session has found out
    with pytest.raises(SecurityError):
        state.decrypt_message_data(struct.pack("<Q", key.key_id) + os.urandom(16 + 64))
    assert (state.time_offset, of_key.time_offset) == (5, 9)
