"""Authorization keys: what is kept of each, their server salts and sessions.

Source: https://core.telegram.org/mtproto/description#server-salt
"""

from __future__ import annotations

import struct
from dataclasses import asdict
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from tgbridge.sandbox.dispatch import ClientInfo
from tgbridge.sandbox.mtproto.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.sandbox.dispatch import World

SALT_SECONDS = 1800
"""How often the salt changes; the one before is taken for as long again."""

_IDLE_SESSIONS = 16  # how many sessions without a connection are remembered for each key


def key_id(key: bytes) -> bytes:
    """Compute the 8 bytes by which a key is named."""
    return sha1(key).digest()[-8:]


class AuthKeyRecord:
    """One authorization key of one data centre, and what is known of its owner; its repr is safe to show.

    ``authorization`` is who is signed in with it, None if nobody; ``revoked`` the error (401) that is
    answered instead of AUTH_KEY_UNREGISTERED; ``layer`` and ``client_info`` what the client told last.
    """

    def __init__(
        self,
        dc_id: int,
        key: bytes,
        first_salt: int,
        created: int,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.dc_id = dc_id
        self.key = key
        self.id = key_id(key)
        self.created = created
        self.first_salt = first_salt
        self.salt_epoch = 0
        self.sessions: dict[int, Session] = {}
        self._changed = changed
        self._authorization: Any = None
        self._revoked: str | None = None
        self._layer: int | None = None
        self._client_info: ClientInfo | None = None

    def __repr__(self) -> str:
        return f"<AuthKeyRecord {self.name} of data centre {self.dc_id}>"

    @property
    def name(self) -> str:
        """The key's id in hexadecimal: it names the key without giving it away."""
        return self.id.hex()

    @property
    def authorization(self) -> Any:
        """Who is signed in with this key."""
        return self._authorization

    @authorization.setter
    def authorization(self, value: Any) -> None:
        self._authorization = value
        self._changed()

    @property
    def revoked(self) -> str | None:
        """The error that whoever was signed in gets."""
        return self._revoked

    @revoked.setter
    def revoked(self, value: str | None) -> None:
        self._revoked = value
        self._changed()

    @property
    def layer(self) -> int | None:
        """The layer of the last invokeWithLayer."""
        return self._layer

    @layer.setter
    def layer(self, value: int | None) -> None:
        if value != self._layer:
            self._layer = value
            self._changed()

    @property
    def client_info(self) -> ClientInfo | None:
        """What the last initConnection told."""
        return self._client_info

    @client_info.setter
    def client_info(self, value: ClientInfo | None) -> None:
        if value != self._client_info:
            self._client_info = value
            self._changed()

    def salt(self, now: float, ahead: int = 0) -> int:
        """Give the server salt of now, or of ``ahead`` changes later."""
        # Made from the key, so that there is nothing to store; nobody without the key can tell it.
        slot = int(now) // SALT_SECONDS + ahead
        digest = sha1(self.key + struct.pack("<qq", slot, self.salt_epoch)).digest()
        return int.from_bytes(digest[:8], "little", signed=True)

    def takes_salt(self, salt: int, now: float) -> bool:
        """Decide whether a message with this salt is to be read."""
        if salt in (self.salt(now), self.salt(now, -1)):
            return True
        fresh = now < self.created + SALT_SECONDS and self.salt_epoch == 0
        return fresh and salt == self.first_salt

    def future_salts(self, now: float, number: int) -> list[tuple[int, int, int]]:
        """List the salt of now and those after it, each as (valid since, valid until, salt)."""
        slot = int(now) // SALT_SECONDS
        return [
            ((slot + ahead) * SALT_SECONDS, (slot + ahead + 2) * SALT_SECONDS, self.salt(now, ahead))
            for ahead in range(number)
        ]

    def session(self, session_id: int, now: Callable[[], float]) -> Session:
        """Find or begin a session of this key."""
        session = self.sessions.get(session_id)
        if session is None:
            session = self.sessions[session_id] = Session(self, session_id, now)
            self._forget_idle_sessions()
        return session

    def close_sessions(self) -> None:
        """Forget all sessions."""
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()

    def _forget_idle_sessions(self) -> None:
        idle = [session for session in self.sessions.values() if not session.connections]
        for session in idle[: -_IDLE_SESSIONS - 1]:
            session.close()
            del self.sessions[session.id]

    def to_json(self, world: World) -> dict[str, Any]:
        """Put all that is worth keeping into a JSON object."""
        authorization = self._authorization
        return {
            "dc": self.dc_id,
            "key": self.key.hex(),
            "first_salt": self.first_salt,
            "created": self.created,
            "layer": self._layer,
            "client_info": asdict(self._client_info) if self._client_info else None,
            "revoked": self._revoked,
            "authorization": None if authorization is None else dict(world.save_authorization(authorization)),
        }

    def restore(self, saved: dict[str, Any], world: World) -> None:
        """Take from a JSON object what the constructor does not."""
        self._layer = saved["layer"]
        self._client_info = ClientInfo(**saved["client_info"]) if saved["client_info"] else None
        self._revoked = saved["revoked"]
        if saved["authorization"] is not None:
            self._authorization = world.load_authorization(self, saved["authorization"])
