"""Logins under way: codes that were sent, passwords that are awaited, QR tokens, exported authorizations.

Sources: https://core.telegram.org/api/auth, https://core.telegram.org/api/qr-login,
https://core.telegram.org/api/datacenter#authorization-transfer
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.sandbox.dispatch import ClientInfo
    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.world.accounts import Authorization
    from tgbridge.sandbox.world.phone import PhoneNumber
    from tgbridge.sandbox.world.srp import Challenge

MAX_ATTEMPTS = 5


@dataclass(slots=True, eq=False)
class SentCode:
    """A code on its way.

    ``ways`` are those it can take, ``step`` is the one that it took last, ``wrong`` how many were not it.
    ``verified`` tells that it was right, and an account is still to be made.
    """

    phone: PhoneNumber
    key_id: bytes = field(repr=False)
    ways: tuple[str, ...]
    expires: float
    step: int = 0
    wrong: int = 0
    verified: bool = False


@dataclass(slots=True, eq=False)
class LoginToken:
    """A QR code's token: for which key, and when it was ``accepted``, what that key will be signed in as."""

    key: AuthKeyRecord
    client: ClientInfo | None
    expires: float
    accepted: Authorization | None = None


class Logins:
    """All logins that are not complete yet. Times are seconds.

    ``keeps_tokens``: a key that asks for a QR token again gets the one that it has, until that expires, and
    not another one that makes it void. Telegram's documentation leaves that open.

    ``passwords`` holds, by key, what that key will be signed in as once the two-step password is right, and
    ``challenges`` the last one that it got, and the password that this is about.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.code_lifetime = 300.0
        self.token_lifetime = 30.0
        self.keeps_tokens = False
        self.export_lifetime = 60.0
        self.passwords: dict[bytes, Authorization] = {}
        self.challenges: dict[bytes, tuple[Challenge, str]] = {}
        self._codes: dict[str, SentCode] = {}
        self._tokens: dict[bytes, LoginToken] = {}
        self._exports: dict[bytes, tuple[Authorization, int, float]] = {}

    # Codes

    def send_code(self, phone: PhoneNumber, key_id: bytes, ways: tuple[str, ...]) -> str:
        """Send a code and give its hash; an earlier code of this key and number is void."""
        now = self._now()
        for phone_code_hash, sent in list(self._codes.items()):
            if sent.expires <= now or (sent.phone == phone and sent.key_id == key_id):
                del self._codes[phone_code_hash]
        phone_code_hash = secrets.token_hex(9)
        self._codes[phone_code_hash] = SentCode(phone, key_id, ways, now + self.code_lifetime)
        return phone_code_hash

    def resend_code(self, sent: SentCode) -> None:
        """Send a code by the next way, which makes it good for its whole time again."""
        sent.step += 1
        sent.expires = self._now() + self.code_lifetime

    def code(self, phone_code_hash: str, phone: PhoneNumber, key_id: bytes) -> SentCode | None:
        """Look up what was sent to this number, for this key, under this hash, unless it has expired."""
        sent = self.sent(phone_code_hash, phone, key_id)
        return None if sent is None or sent.expires <= self._now() or sent.wrong >= MAX_ATTEMPTS else sent

    def sent(self, phone_code_hash: str, phone: PhoneNumber, key_id: bytes) -> SentCode | None:
        """Look it up also when it has expired."""
        sent = self._codes.get(phone_code_hash)
        return sent if sent is not None and (sent.phone, sent.key_id) == (phone, key_id) else None

    def drop_code(self, phone_code_hash: str) -> None:
        """Forget a code."""
        self._codes.pop(phone_code_hash, None)

    def expire_codes(self) -> None:
        """Let every code sent so far expire."""
        for sent in self._codes.values():
            sent.expires = 0.0

    # QR tokens

    def new_token(self, key: AuthKeyRecord, client: ClientInfo | None) -> tuple[bytes, LoginToken]:
        """Make a QR token, unless the last one is kept; the earlier ones of this key are void."""
        now = self._now()
        for value, token in self._tokens.items():
            if self.keeps_tokens and token.key is key and token.expires > now:
                return value, token
        for value, token in list(self._tokens.items()):
            if token.key is key or token.expires + self.token_lifetime <= now:
                del self._tokens[value]
        value = secrets.token_bytes(32)
        token = self._tokens[value] = LoginToken(key, client, now + self.token_lifetime)
        return value, token

    def token(self, value: bytes) -> LoginToken | None:
        """Look a token up, also when it has expired."""
        return self._tokens.get(value)

    def accepted_token(self, key: AuthKeyRecord) -> bytes | None:
        """Find the token that a key has asked for, if it was accepted and has not expired."""
        for value, token in self._tokens.items():
            if token.key is key and token.accepted is not None and not self.is_token_expired(token):
                return value
        return None

    def is_token_expired(self, token: LoginToken) -> bool:
        """Tell whether a token's time is over. One that was accepted in time stays good for as long again."""
        grace = self.token_lifetime if token.accepted is not None else 0.0
        return token.expires + grace <= self._now()

    def expire_tokens(self) -> None:
        """Let every QR token made so far expire."""
        for token in self._tokens.values():
            token.expires = 0.0

    def drop_token(self, value: bytes) -> None:
        """Forget a token."""
        self._tokens.pop(value, None)

    # Authorizations on their way to another data centre

    def export(self, authorization: Authorization, dc_id: int) -> bytes:
        """Make the bytes that authorize one key at another data centre."""
        now = self._now()
        self._exports = {key: value for key, value in self._exports.items() if value[2] > now}
        value = secrets.token_bytes(128)
        self._exports[value] = (authorization, dc_id, now + self.export_lifetime)
        return value

    def import_(self, value: bytes, user_id: int, dc_id: int) -> Authorization | None:
        """Take the authorization for which `export` gave the bytes: good once, there, and for a while."""
        found = self._exports.pop(value, None)
        if found is None:
            return None
        authorization, exported_to, expires = found
        if expires <= self._now() or exported_to != dc_id or authorization.account.id != user_id:
            return None
        return authorization if authorization.keys else None
