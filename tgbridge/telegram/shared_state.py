"""What Telethon's sender and our file connections have in common when both use the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon.network.mtprotostate import MTProtoState

from tgbridge.telegram.mtproto.auth_key import KeyState
from tgbridge.telegram.telethon_log import LOGGERS

if TYPE_CHECKING:
    from telethon.crypto import AuthKey


class SharedState(MTProtoState):  # type: ignore[misc]  # Telethon has no types
    """An MTProto session's state, of which the key's part is shared with the key's other sessions."""

    def __init__(self, auth_key: AuthKey, of_key: KeyState) -> None:
        self._of_key = KeyState()
        super().__init__(auth_key, loggers=LOGGERS)  # which begins with neither salt nor time offset
        self._of_key = of_key
        self.time_offset = 0

    def reset(self) -> None:
        """Begin another session, by our own clock: Telethon does not get over an offset that became wrong."""
        super().reset()
        self.time_offset = 0

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
        return self._of_key.time_offset

    @time_offset.setter
    def time_offset(self, seconds: int) -> None:
        self._of_key.time_offset = seconds
