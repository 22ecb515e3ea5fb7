"""Logins by QR code that another device has let in, until the browser comes for them.

By then the stream's headers, and with them the cookie, have long been sent. So the login waits here, in
memory and nowhere else. Where there are several processes, the routing cookie brings the browser's next
request to the one that has it. A process that ends signs out what waits; one that is killed leaves it in the
user's list of devices, and nobody has the key to it.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tgbridge.models import User

_MOST: Final = 1000


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class WaitingLogin:
    """``telegram`` is signed in as ``user``, or lacks the two-step verification password (None).

    It is for the browser whose session holds ``proof``.
    """

    telegram: str
    proof: str
    user: User | None
    claim_hash: bytes = b""


class QrLogins:
    """All that wait. Each does for ``seconds``; then, or when there are too many, it is signed out.

    ``leave`` begins that for a session string, and does not wait for it.
    """

    def __init__(self, leave: Callable[[str], None], *, seconds: float, most: int = _MOST) -> None:
        self._leave = leave
        self._seconds = seconds
        self._most = most
        # Oldest first.
        self._waiting: dict[WaitingLogin, asyncio.TimerHandle] = {}
        # By a hash: how long it takes to look for a claim tells nothing about those that there are.
        self._claims: dict[bytes, WaitingLogin] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def signed_in(self, telegram: str, proof: str, user: User) -> str:
        """Keep a login that is complete. Return the claim, which is good once."""
        claim = secrets.token_urlsafe(32)
        self.keep(WaitingLogin(telegram, proof, user, _hash(claim)))
        return claim

    def awaits_password(self, telegram: str, proof: str) -> None:
        """Keep a login that lacks its password."""
        self.keep(WaitingLogin(telegram, proof, None))

    def keep(self, login: WaitingLogin) -> None:
        """Keep a login, which may have been taken before. If there are too many, the oldest is given up."""
        while len(self._waiting) >= self._most:
            self.give_up(next(iter(self._waiting)))
        self._waiting[login] = self._expiry(login)
        if login.user is not None:
            self._claims[login.claim_hash] = login

    def claimed(self, claim: str) -> WaitingLogin | None:
        """Find what a claim is for. It stays until it is taken, and waits for its whole time again."""
        login = self._claims.get(_hash(claim))
        if login is not None:
            self._wait_anew(login)
        return login

    def lacking_password(self, proofs: Iterable[str]) -> WaitingLogin | None:
        """Find the newest login of a browser that lacks its password. It waits for its whole time again."""
        for login in reversed(self._waiting):
            if login.user is None and login.proof in proofs:
                self._wait_anew(login)
                return login
        return None

    def take(self, login: WaitingLogin) -> bool:
        """Forget a login, which is somebody else's business now. False if that has happened."""
        timer = self._waiting.pop(login, None)
        if timer is None:
            return False
        timer.cancel()
        self._claims.pop(login.claim_hash, None)
        return True

    def give_up(self, login: WaitingLogin) -> None:
        """Sign a login out, if it still waits."""
        if self.take(login):
            self._leave(login.telegram)

    def close(self) -> None:
        """Sign out all that wait."""
        for login in list(self._waiting):
            self.give_up(login)

    def _wait_anew(self, login: WaitingLogin) -> None:
        self._waiting[login].cancel()
        self._waiting[login] = self._expiry(login)

    def _expiry(self, login: WaitingLogin) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, self.give_up, login)


def _hash(claim: str) -> bytes:
    return sha256(claim.encode(errors="surrogatepass")).digest()
