"""Signing in by a QR code.

The stream's headers are sent long before somebody scans the code. So its answer sets a cookie that holds a
proof, and whoever is signed in waits in ``qr_logins.py`` until a request brings that proof and, from the
stream, the claim.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from tgbridge.errors import MISSING_FIELD, HTTPFailure, PasswordNeeded, SessionEnded
from tgbridge.http.sse import MEDIA_TYPE, Event
from tgbridge.logins.attempts import LoggedIn
from tgbridge.logins.qr_image import svg
from tgbridge.models import ClaimInput, QrAuthenticated, QrCodeShown, QrExpired, QrPasswordRequired
from tgbridge.telegram.account.log_out import abandon_login, abandon_session
from tgbridge.telegram.account.qr import QrLogin
from tgbridge.timestamps import timestamp
from tgbridge.web import keys
from tgbridge.web.body import read_fields
from tgbridge.web.endpoint import Endpoint, Refusal, Success
from tgbridge.web.event_stream import event_stream, no_events
from tgbridge.web.routes.signing_in import SIGNED_IN, forget_pending, signed_in

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.logins.qr_logins import WaitingLogin
    from tgbridge.models import Model, User
    from tgbridge.telegram.account.qr import QrCode
    from tgbridge.web.event_stream import EventStream

CLAIM_MISSING: Final = "Claim is required."
CLAIM_INVALID: Final = "This login has expired, or was claimed already. Please scan a new code."
CLAIM_FOREIGN: Final = "This login was begun in another browser."


async def qr_login(request: web.Request) -> web.StreamResponse:
    """Send QR codes until one is accepted. Whoever is signed in stays so until the login is claimed."""
    if request.method == hdrs.METH_HEAD:
        return await no_events(request)
    pool, settings = request.app[keys.POOL], request.app[keys.SETTINGS].qr_login
    async with AsyncExitStack() as loan:
        loan.enter_context(request.app[keys.LIMITER].streaming(request[keys.EXCHANGE].caller.address))
        client = await loan.enter_async_context(pool.anonymous("qr"))
        attempt = QrLogin(client, lifetime_seconds=settings.lifetime_seconds)
        try:
            first = await anext(attempt, None)  # while there is no status line yet
        except BaseException:
            await pool.drop(attempt.session)  # nobody has seen a code
            raise
        kept = False
        try:
            proof = request[keys.SESSION].open_qr_stream()
            async with event_stream(request) as stream:
                outcome = await _show(stream, first, attempt)
                kept = outcome is not None
                await stream.send(_keep(request, attempt.session, proof, outcome))
            return stream.response
        finally:
            if kept:
                # Whoever comes for it gets a connection that is not sent all the account's updates.
                await pool.drop(attempt.session)
            else:
                # Neither the page, which may have gone, nor a service that stops, waits for it here.
                request.app[keys.COMPLETION].detach(abandon_login(pool, attempt, loan.pop_all()))


async def _show(stream: EventStream, first: QrCode | None, attempt: QrLogin) -> User | PasswordNeeded | None:
    """Show codes until one is accepted, and return by whom; None if none was in time."""
    if first is not None:
        await stream.send(_shown(first))
    try:
        async for code in attempt:
            await stream.send(_shown(code))
    except PasswordNeeded as needed:
        return needed
    return attempt.user


def _keep(request: web.Request, telegram: str, proof: str, outcome: User | PasswordNeeded | None) -> Event:
    """Keep the login for its browser, and return the event that says how it ended."""
    logins = request.app[keys.QR_LOGINS]
    match outcome:
        case None:
            return _event("expired", QrExpired())
        case PasswordNeeded():
            logins.awaits_password(telegram, proof)
            return _event("password_required", QrPasswordRequired(password_hint=outcome.hint))
        case _:
            return _event("authenticated", QrAuthenticated(claim=logins.signed_in(telegram, proof, outcome)))


def _shown(code: QrCode) -> Event:
    return _event("qr", QrCodeShown(url=code.url, svg=svg(code.url), expires_at=timestamp(code.expires)))


def _event(name: str, data: Model) -> Event:
    return Event(data.model_dump_json(), name)


async def claim_qr_login(request: web.Request) -> web.Response:
    """Make the session that a QR code has signed in this browser's, once."""
    fields = await read_fields(request)
    (claim,) = fields.require(CLAIM_MISSING, "claim")
    state, logins, repeats = request[keys.SESSION], request.app[keys.QR_LOGINS], request.app[keys.REPEATS]
    key = ("qr claim", claim) if isinstance(claim, str) else ()
    waiting = logins.claimed(claim) if isinstance(claim, str) else None
    claimed: WaitingLogin | None = repeats.recall(key)
    found = waiting or claimed
    if found is None or found.user is None:
        raise HTTPFailure(400, CLAIM_INVALID, code="QR_CLAIM_INVALID")
    if found.proof not in state.qr_proofs and found.telegram != state.telegram:
        # It stays good for the browser that it belongs to.
        raise HTTPFailure(403, CLAIM_FOREIGN, code="QR_CLAIM_FOREIGN")
    if claimed is not None:
        done = await request.app[keys.ATTEMPTS].still(claimed.telegram)
        if done is None:
            raise HTTPFailure(400, CLAIM_INVALID, code="QR_CLAIM_INVALID")
    else:
        await repeats.once(key, lambda: _take(request.app, found, earlier=state.telegram))
        done = LoggedIn(found.user, found.telegram)
    await forget_pending(request)
    return signed_in(request, done)


async def _take(app: web.Application, waiting: WaitingLogin, *, earlier: str | None) -> WaitingLogin:
    if earlier is not None:
        await abandon_session(app[keys.POOL], earlier)
    app[keys.QR_LOGINS].take(waiting)
    return waiting


async def scanned_login(request: web.Request, password: str) -> web.Response | None:
    """Complete a login by QR code that lacks its password; None if there is none in this browser."""
    state, logins, repeats = request[keys.SESSION], request.app[keys.QR_LOGINS], request.app[keys.REPEATS]
    attempts = request.app[keys.ATTEMPTS]
    waiting = logins.lacking_password(state.qr_proofs)
    if waiting is None:
        for proof in reversed(state.qr_proofs):
            before: LoggedIn | None = repeats.recall(("qr password", proof, password))
            done = None if before is None else await attempts.still(before.telegram)
            if done is not None:
                return signed_in(request, done)
        return None
    await request.app[keys.LIMITER].spend("sign_in_password_per_login", waiting.telegram)
    try:
        done = await repeats.once(
            ("qr password", waiting.proof, password),
            lambda: attempts.by_password(waiting.telegram, password, earlier=state.telegram),
        )
    except SessionEnded:
        logins.take(waiting)
        await request.app[keys.POOL].drop(waiting.telegram)
        raise
    logins.take(waiting)
    await forget_pending(request)
    return signed_in(request, done)


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/qr-login",
        qr_login,
        summary="Sign in by a QR code that another device scans",
        failed="Failed to start the QR login. Please try again.",
        limit="qr_login_per_address",
        acts=True,
        answers=(
            Success(
                "Server-sent events: `qr`, again whenever another code has to be shown instead, and then one "
                "of `authenticated`, `password_required` and `expired`. Their data is JSON.",
                None,
                media_type=MEDIA_TYPE,
                events=(
                    ("qr", QrCodeShown),
                    ("authenticated", QrAuthenticated),
                    ("password_required", QrPasswordRequired),
                    ("expired", QrExpired),
                ),
                headers=(("Set-Cookie", "Proves at /qr-login/claim which browser opened the stream."),),
            ),
        ),
    ),
    Endpoint(
        "POST",
        "/qr-login/claim",
        claim_qr_login,
        summary="Complete a login by QR code",
        body=ClaimInput,
        answers=(
            SIGNED_IN,
            Refusal(400, CLAIM_MISSING, MISSING_FIELD),
            Refusal(400, CLAIM_INVALID, "QR_CLAIM_INVALID"),
            Refusal(403, CLAIM_FOREIGN, "QR_CLAIM_FOREIGN"),
        ),
    ),
)
