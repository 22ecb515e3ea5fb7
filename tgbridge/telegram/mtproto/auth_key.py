"""The key that a client and a data centre share, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1


@dataclass(slots=True)
class KeyState:
    """What the server has told of a key: all sessions of the key share it, and each keeps it up to date.

    `salt` is 0 before the server has told one, which costs the first request a round trip. `time_offset` is
    in seconds, to be added to our clock to get the server's.
    Source: https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts
    """

    salt: int = field(default=0, repr=False)
    time_offset: int = 0


@dataclass(frozen=True, slots=True)
class AuthorizationKey:
    """An authorization key: 256 bytes, and the state that its sessions share. Equal if the bytes are."""

    key: bytes = field(repr=False)
    state: KeyState = field(default_factory=KeyState, compare=False)
    key_id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) != 256:
            raise ValueError("an authorization key has 2048 bits")
        object.__setattr__(self, "key_id", sha1(self.key).digest()[-8:])
