"""What Telethon's sender and our file connections have in common when both use the same key."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any, Final

from telethon.crypto import AES
from telethon.network.mtprotostate import MTProtoState

from tgbridge.telegram.mtproto.auth_key import KeyState
from tgbridge.telegram.mtproto.session import timely
from tgbridge.telegram.telethon_log import LOGGERS

if TYPE_CHECKING:
    from telethon.crypto import AuthKey

_ENVELOPE: Final = 24  # key id and message key
_HEAD: Final = struct.Struct("<qqq8x")  # salt, session id, message id; and as much as fills a block


class SharedState(MTProtoState):  # type: ignore[misc]  # Telethon has no types
    """An MTProto session's state that shares what the server tells of the key with the key's other sessions.

    The salt is theirs in common. The time offset is told them, and not taken from them: message ids grow by
    the clock that the session has begun with, until the server says that it is wrong.
    """

    def __init__(self, auth_key: AuthKey, of_key: KeyState) -> None:
        self._of_key = KeyState()
        super().__init__(auth_key, loggers=LOGGERS)  # which begins with neither salt nor time offset
        self._of_key, self._time_offset = of_key, of_key.time_offset

    @property
    def salt(self) -> int:
        """The server's salt."""
        return self._of_key.salt

    @salt.setter
    def salt(self, salt: int) -> None:
        self._of_key.salt = salt

    @property
    def time_offset(self) -> int:
        """Seconds to add to our clock to get the server's."""
        return self._time_offset

    @time_offset.setter
    def time_offset(self, seconds: int) -> None:
        self._time_offset = self._of_key.time_offset = seconds

    def decrypt_message_data(self, body: bytes) -> Any:
        """Return the message in a packet, or None for one to be ignored. Raises SecurityError."""
        if self._highest_remote_id or len(body) < _ENVELOPE + _HEAD.size:
            return super().decrypt_message_data(body)
        own, shared = self._time_offset, self._of_key.time_offset
        self._set_clock(body)
        try:
            return super().decrypt_message_data(body)
        except Exception:
            # What has set the clock is not the server's word.
            self._time_offset, self._of_key.time_offset = own, shared
            raise

    def _set_clock(self, body: bytes) -> None:
        """Believe a session's first message: its id is random and new, so that this is no old message.

        Telethon does so for a refused salt alone, and would ignore all others if one of the clocks was wrong.
        """
        aes = self._calc_key(self.auth_key.key, body[8:_ENVELOPE], client=False)
        _, _, msg_id = _HEAD.unpack(AES.decrypt_ige(body[_ENVELOPE : _ENVELOPE + _HEAD.size], *aes))
        if not timely(msg_id, time.time() + self._time_offset):
            self.update_time_offset(msg_id)
