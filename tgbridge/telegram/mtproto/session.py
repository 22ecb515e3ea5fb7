"""One MTProto session: its message ids and sequence numbers, and the checks of what the server sends in it.

Sources: https://core.telegram.org/mtproto/description, https://core.telegram.org/mtproto/security_guidelines.
No I/O.
"""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from tgbridge.telegram.mtproto.failures import ProtocolViolated

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.pieces import Bytes

REMEMBERED: Final = 1000
"""Message ids that are kept of each side: to recognise a message that comes again, or one of our own."""

MOST_PADDING: Final = 1024
LEAST_PADDING: Final = 12

_FORGOTTEN, _NOT_RECEIVED, _RECEIVED = 1, 2, 4  # states of messages
_TOO_OLD: Final = 300  # seconds
_TOO_NEW: Final = 30
_HEADER: Final = struct.Struct("<q8sqii")  # salt, session, message id, sequence number, length


class Message(NamedTuple):
    """A message from the server, on its own or out of a container."""

    id: int
    seq_no: int
    body: Bytes

    @property
    def content_related(self) -> bool:
        """Whether it has to be acknowledged."""
        return bool(self.seq_no & 1)


class Session:
    """The numbers of one session. Its id is new and random; the key's salt and clock are shared."""

    def __init__(self, key: AuthorizationKey, *, now: Callable[[], float] = time.time) -> None:
        self.key = key
        self.id = os.urandom(8)
        self._now = now
        self._last_id = 0
        self._heard = False
        self._content_related = 0
        self._sent: dict[int, int] = {}  # sequence numbers by message id
        self._seen: dict[int, None] = {}
        self._forgotten = 0

    def header(self, size: int, *, content_related: bool) -> tuple[int, bytes]:
        """Give the next message, of `size` bytes, its id, and the header that goes before it."""
        seq_no = self._content_related * 2 + content_related
        self._content_related += content_related
        seconds = self._now() + self.key.state.time_offset
        # "Approximately unixtime * 2^32", divisible by 4, increasing within the session.
        self._last_id = max(int(seconds * 2**32) & ~3, self._last_id + 4)
        self._sent[self._last_id] = seq_no
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return self._last_id, self._header(self._last_id, seq_no, size)

    def header_again(self, msg_id: int, size: int) -> bytes | None:
        """Return the header of a message that is sent once more as it was; None if it is forgotten."""
        seq_no = self._sent.get(msg_id)
        return None if seq_no is None else self._header(msg_id, seq_no, size)

    def _header(self, msg_id: int, seq_no: int, size: int) -> bytes:
        return _HEADER.pack(self.key.state.salt, self.id, msg_id, seq_no, size)

    def has_sent(self, msg_id: int) -> bool:
        """Tell whether a message is one of ours, of those remembered."""
        return msg_id in self._sent

    def state_of(self, msg_id: int) -> int:
        """Return what msgs_state_info says of a message of the server's.

        Source: https://core.telegram.org/mtproto/service_messages_about_messages, msgs_state_info.
        """
        if msg_id in self._seen:
            return _RECEIVED
        return _FORGOTTEN if msg_id <= self._forgotten else _NOT_RECEIVED

    def has_received(self, msg_id: int) -> bool:
        """Tell whether a message of the server's has come, of those remembered."""
        return msg_id in self._seen

    def open(self, plain: Bytes) -> Message:
        """Return the message in a decrypted packet. Raises ProtocolViolated if it does not belong here."""
        _, session_id, msg_id, seq_no, size = _HEADER.unpack(bytes(plain[: _HEADER.size]))
        if session_id != self.id:
            raise ProtocolViolated("a message of another session")
        if not msg_id & 1:
            raise ProtocolViolated("a message id that is a client's")
        padding = len(plain) - _HEADER.size - size
        if size <= 0 or size % 4 or not LEAST_PADDING <= padding <= MOST_PADDING:
            raise ProtocolViolated("message length out of bounds")
        if not self._heard:
            # The first message of a session whose id is random and new can't be an old one.
            self._heard = True
            if not self.is_timely(msg_id):
                self.set_clock(msg_id)
        return Message(msg_id, seq_no, plain[_HEADER.size : _HEADER.size + size])

    def is_new(self, msg_id: int) -> bool:
        """Tell, once, that a message id is neither among those remembered nor older than all of them."""
        if msg_id <= self._forgotten or msg_id in self._seen:
            return False
        self._seen[msg_id] = None
        if len(self._seen) > REMEMBERED:
            oldest = next(iter(self._seen))
            del self._seen[oldest]
            self._forgotten = max(self._forgotten, oldest)
        return True

    def is_timely(self, msg_id: int) -> bool:
        """Tell whether a message is of now, by the server's clock as we know it."""
        return timely(msg_id, self._now() + self.key.state.time_offset)

    def set_clock(self, msg_id: int) -> None:
        """Take the server's clock from a message that it sent just now."""
        self.key.state.time_offset = (msg_id >> 32) - int(self._now())
        self._last_id = 0


def timely(msg_id: int, server_time: float) -> bool:
    """Tell whether a message id is of now, at most 30 s in the future and 300 s in the past."""
    return -_TOO_NEW <= server_time - (msg_id >> 32) <= _TOO_OLD
