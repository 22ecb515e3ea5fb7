"""What a browser's session holds, and how a request changes it. The cookie that keeps it is the web's."""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from tgbridge.telegram.datacentres.session_keys import KeptSession

_MAX_CONTENT_BYTES: Final = 2700
# A browser may show QR codes in several tabs; the oldest is forgotten.
_MAX_QR_STREAMS: Final = 4


class PendingLogin(BaseModel):
    """A login that has begun: a code was sent to ``phone``, over the Telegram session ``telegram``.

    ``by_email``: to that person's e-mail address, which Telegram wants to know when the code comes back.
    """

    model_config = ConfigDict(frozen=True)

    phone: str
    phone_code_hash: str
    telegram: str
    by_email: bool = False
    awaits_password: bool = False

    def __repr__(self) -> str:
        return f"PendingLogin(awaits_password={self.awaits_password})"

    __str__ = __repr__


class BrowserSession(BaseModel):
    """What the cookie holds. Times are whole seconds since the epoch.

    ``telegram`` is Telethon's session string, None unless signed in; ``created`` is when the login succeeded
    and bounds the session's life; ``renewed`` is when the cookie was last sent. ``qr_proofs`` are what
    proves that this browser opened a stream of QR codes, one for each, newest last.
    """

    model_config = ConfigDict(frozen=True)

    telegram: Annotated[str, AfterValidator(KeptSession)] | None = None
    user_id: int | None = None
    created: int = 0
    renewed: int = 0
    pending_login: PendingLogin | None = None
    qr_proofs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"BrowserSession(signed_in={self.telegram is not None}, pending_login={self.pending_login!r})"

    __str__ = __repr__


NOBODY: Final = BrowserSession()


class SessionState:
    """A request's view of its browser's session. Changing it here is what saves it, once, with the answer."""

    __slots__ = ("_changed", "_value", "ended_by")

    def __init__(self, value: BrowserSession = NOBODY) -> None:
        self._value = value
        self._changed = False
        self.ended_by: str | None = None
        """Why the session that the request came with is none any more; the ``code`` of its answer."""

    def __repr__(self) -> str:
        return f"SessionState({self._value!r}, changed={self._changed})"

    @property
    def value(self) -> BrowserSession:
        """What the cookie holds, or will hold."""
        return self._value

    @property
    def changed(self) -> bool:
        """Whether the answer has to carry a cookie."""
        return self._changed

    @property
    def telegram(self) -> str | None:
        """The signed-in Telegram session; None if nobody is signed in."""
        return self._value.telegram

    @property
    def user_id(self) -> int | None:
        """Whose session it is."""
        return self._value.user_id

    @property
    def pending_login(self) -> PendingLogin | None:
        """The login that has begun, beside whoever is signed in."""
        return self._value.pending_login

    @property
    def qr_proofs(self) -> tuple[str, ...]:
        """What proves that this browser opened the streams of QR codes that it did."""
        return self._value.qr_proofs

    def begin_login(self, pending: PendingLogin) -> None:
        """Remember a login that waits for its code. Whoever is signed in stays so until it succeeds.

        Raises ValueError if it does not fit into a cookie.
        """
        self._change(self._value.model_copy(update={"pending_login": pending}))

    def forget_login(self) -> None:
        """Give up the login that has begun, if there is one."""
        self._change(self._value.model_copy(update={"pending_login": None}))

    def open_qr_stream(self) -> str:
        """Make a proof that this browser, and no other, opened a stream of QR codes; the cookie holds it."""
        proof = secrets.token_urlsafe(16)
        proofs = (*self.qr_proofs, proof)[-_MAX_QR_STREAMS:]
        self._change(self._value.model_copy(update={"qr_proofs": proofs}))
        return proof

    def signed_in(self, telegram: str, user_id: int) -> None:
        """A login has succeeded. Nothing of the session before it stays."""
        now = int(time.time())
        self._change(BrowserSession(telegram=telegram, user_id=user_id, created=now, renewed=now))

    def signed_out(self, reason: str | None = None) -> None:
        """Nobody is signed in any more; ``reason`` is why. A login that has begun goes on."""
        self.ended_by = reason
        self._change(BrowserSession(pending_login=self.pending_login, qr_proofs=self.qr_proofs))

    def clear(self) -> None:
        """Forget everything."""
        self._change(NOBODY)

    def renew(self) -> None:
        """Begin the idle time anew."""
        self._change(self._value.model_copy(update={"renewed": int(time.time())}))

    def _change(self, value: BrowserSession) -> None:
        if len(value.model_dump_json()) > _MAX_CONTENT_BYTES:
            raise ValueError("the session does not fit into a cookie")
        self._value = value
        self._changed = True
