"""Signing in by a code or a password, however often and however quickly it is tried."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tgbridge.errors import PasswordNeeded, SessionEnded, TelegramRefused, TelegramUnavailable
from tgbridge.logins.memory import LoginMemory, Outcome
from tgbridge.telegram.account import login
from tgbridge.telegram.account.log_out import abandon_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tgbridge.logins.session_state import PendingLogin
    from tgbridge.models import User
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

_EXPIRED: Final = frozenset({"PHONE_CODE_EXPIRED", "EMAIL_VERIFY_EXPIRED"})


@dataclass(frozen=True, slots=True, repr=False)
class LoggedIn:
    """A login that is complete: who is signed in, and the Telegram session, a secret."""

    user: User
    telegram: str


class LoginAttempts:
    """Takes the steps of logins, those of one login in turn.

    So the second of two equal attempts finds what came of the first one, and is answered alike: Telegram
    would call the code expired, and the proof of the password used up. A login is complete when whoever was
    signed in before, in the session ``earlier``, is signed out.
    """

    def __init__(self, pool: ClientPool) -> None:
        self._pool = pool
        self._memory = LoginMemory()

    @asynccontextmanager
    async def turn(self, telegram: str) -> AsyncIterator[BridgeClient]:
        """Lend the client of a login under way for a step, when no other step of it is being taken."""
        async with self._pool.borrow(telegram, anonymous=True) as client, client.login_turn:
            yield client

    async def by_code(self, pending: PendingLogin, code: str, *, earlier: str | None) -> LoggedIn:
        """Sign in with the code. Raises what ``login.sign_in`` does."""
        proof = _code(pending.phone, code)
        async with self.turn(pending.telegram) as client:
            known = self._memory.outcome(pending.telegram, proof)
            with self._noting(pending.telegram, proof):
                user = await _standing(client, known) or await _enter(client, pending, code)
            done = self._complete(client, pending.telegram, proof, user)
        await self._end_earlier(known, earlier)
        return done

    async def by_password(self, telegram: str, password: str, *, earlier: str | None) -> LoggedIn:
        """Complete a login by its two-step password. Raises what ``login.check_password`` does."""
        proof = _password(password)
        async with self.turn(telegram) as client:
            known = self._memory.outcome(telegram, proof)
            with self._noting(telegram, proof):
                user = None if known is None else await login.signed_in(client)
                user = user or await login.check_password(client, password)
            done = self._complete(client, telegram, proof, user)
        await self._end_earlier(known, earlier)
        return done

    async def repeated(
        self, telegram: str | None, *, phone: str = "", code: str | None = None, password: str | None = None
    ) -> LoggedIn | None:
        """Return who is signed in in ``telegram``, if it was by this code and password; otherwise None.

        Raises TelegramFailure kinds and PoolExhausted.
        """
        if telegram is None:
            return None
        outcomes = [self._memory.outcome(telegram, _code(phone, code))] if code is not None else []
        if password is not None and Outcome.SIGNED_IN not in outcomes:
            outcomes.append(self._memory.outcome(telegram, _password(password)))
        return await self.still(telegram) if None not in outcomes and Outcome.SIGNED_IN in outcomes else None

    async def still(self, telegram: str) -> LoggedIn | None:
        """Return who is signed in in ``telegram``, None if nobody is any more."""
        try:
            async with self._pool.borrow(telegram) as client:
                return LoggedIn(await login.get_me(client), telegram)
        except SessionEnded:
            return None

    @contextmanager
    def _noting(self, telegram: str, proof: str) -> Iterator[None]:
        try:
            yield
        except PasswordNeeded:
            self._memory.note(telegram, proof, Outcome.PASSWORD_NEEDED)
            raise
        except TelegramUnavailable:
            self._memory.note(telegram, proof, Outcome.UNKNOWN)
            raise

    def _complete(self, client: BridgeClient, telegram: str, proof: str, user: User) -> LoggedIn:
        done = LoggedIn(user, client.session_string())
        for name in {telegram, done.telegram}:  # the address in it may be another one by now
            self._memory.note(name, proof, Outcome.SIGNED_IN)
        return done

    async def _end_earlier(self, known: Outcome | None, earlier: str | None) -> None:
        # The new login has succeeded, and stays so if this fails.
        if earlier is not None and known is not Outcome.SIGNED_IN:
            await abandon_session(self._pool, earlier)


async def _standing(client: BridgeClient, known: Outcome | None) -> User | None:
    """Return who has been signed in by a code of which something is known. Raises PasswordNeeded."""
    match known:
        case Outcome.SIGNED_IN | Outcome.UNKNOWN:
            return await login.standing(client)
        case Outcome.PASSWORD_NEEDED:
            # Also if somebody is signed in by now: the code alone has never been enough.
            await _need_password(client)
    return None


async def _enter(client: BridgeClient, pending: PendingLogin, code: str) -> User:
    try:
        return await login.sign_in(
            client, pending.phone, pending.phone_code_hash, code, by_email=pending.by_email
        )
    except TelegramRefused as error:
        if pending.awaits_password and error.name in _EXPIRED:
            await _need_password(client)  # the code is used up, since it was right before
        raise


async def _need_password(client: BridgeClient) -> None:
    """Raise PasswordNeeded, unless the login has ended."""
    try:
        hint = await login.password_hint(client)
    except SessionEnded:
        return
    raise PasswordNeeded(hint)


def _code(phone: str, code: str) -> str:
    return f"code of {phone}: {code}"


def _password(password: str) -> str:
    return f"password: {password}"
