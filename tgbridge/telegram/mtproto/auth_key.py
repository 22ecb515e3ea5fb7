"""The key that a client and a data centre share, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1


@dataclass(slots=True)
class AuthorizationKey:
    """An authorization key, and what all of its sessions share: the salt and the clock of the server.

    `time_offset` is in seconds, to be added to our clock. Two are equal if the key itself is.
    Source: https://core.telegram.org/mtproto/description
    """

    key: bytes = field(repr=False)
    salt: int = field(default=0, repr=False, compare=False)
    time_offset: int = field(default=0, compare=False)
    key_id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) != 256:
            raise ValueError("an authorization key has 2048 bits")
        self.key_id = sha1(self.key).digest()[-8:]
