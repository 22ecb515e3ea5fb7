"""What is known of a session's keys, kept while no client of it is connected.

Salts of the home data centre, and the keys that other data centres have logged in. Without them each client
would begin with a refused request, and make, export and import everything anew: half a dozen round trips, and
keys upon keys at Telegram. In memory alone, and as secret as the sessions themselves.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

from telethon.sessions.string import CURRENT_VERSION

from tgbridge.errors import SessionEnded
from tgbridge.telegram.mtproto.auth_key import KeyState

if TYPE_CHECKING:
    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey

MOST_SESSIONS: Final = 4096
"""Of how many sessions: 2 KB each."""

# A session string is its version, and in Base64 the data centre (1 byte), its address (4, or 16 of IPv6), its
# port (2) and the key.
_KEY_BYTES: Final = 256
_PACKED_BYTES: Final = 1 + 4 + 2 + _KEY_BYTES
_PACKED_BYTES_IPV6: Final = 1 + 16 + 2 + _KEY_BYTES
_USUAL_CHARACTERS: Final = 1 + 352


@dataclass(slots=True, repr=False)
class SessionKeys:
    """What the clients of one session, one after the other, know of its keys."""

    home: KeyState = field(default_factory=KeyState)
    """Of the session's own key."""
    others: dict[int, AuthorizationKey] = field(default_factory=dict)
    """By data centre: keys that can be used as they are, those of home excepted."""


class KeyMemory:
    """The keys of sessions without a client, those that were used last."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        self._kept: OrderedDict[object, SessionKeys] = OrderedDict()

    def __len__(self) -> int:
        """How many sessions' keys are kept."""
        return len(self._kept)

    def keep(self, session: object, keys: SessionKeys) -> None:
        """Keep a session's keys until its next client takes them; may forget those of another one."""
        self._kept[session] = keys
        self._kept.move_to_end(session)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def take(self, session: object) -> SessionKeys:
        """Return what is known of a session's keys, and keep it no longer."""
        return self._kept.pop(session, None) or SessionKeys()


class KeptSession(str):
    """A session string that keeps what ``key_of`` has made of it: that is wanted several times a request."""

    __slots__ = ("key",)

    key: str | None

    def __new__(cls, text: str) -> Self:
        """Keep nothing yet."""
        made = super().__new__(cls, text)
        made.key = None
        return made


def key_of(session: str) -> str:
    """Return a hash of the authorization key in ``session``: what may be compared, and shown.

    Raises SessionEnded for a text that is no session string.
    """
    if not isinstance(session, KeptSession):
        return _key_of(session)
    if session.key is None:
        session.key = _key_of(session)
    return session.key


def _key_of(session: str) -> str:
    # As Telethon's StringSession reads it, of which nothing but the key is wanted, several times a request.
    try:
        packed = urlsafe_b64decode(session[1:])
    except ValueError as error:
        raise SessionEnded("AUTH_KEY_INVALID") from error
    size = _PACKED_BYTES if len(session) == _USUAL_CHARACTERS else _PACKED_BYTES_IPV6
    key = packed[-_KEY_BYTES:]
    if not session.startswith(CURRENT_VERSION) or len(packed) != size or not any(key):
        raise SessionEnded("AUTH_KEY_INVALID")
    return sha256(key).hexdigest()
