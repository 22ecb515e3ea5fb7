"""One run: signing in, all checks, removing what was made, signing out; and the report."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tgbridge import __version__
from tgbridge.doctor.findings import Finding, fault, ok, summary, unknown
from tgbridge.doctor.live import changes, connections, files, lists, messages
from tgbridge.doctor.live.account import Live, Traces
from tgbridge.doctor.live.beliefs import UNCHECKED, Look, Seen, looks
from tgbridge.doctor.live.service import check_service
from tgbridge.doctor.live.session import look_at_endings, sign_in, sign_out
from tgbridge.errors import BridgeError, TelegramRefused
from tgbridge.telegram.pool import ClientPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from tgbridge.doctor.live.person import Person
    from tgbridge.models import User
    from tgbridge.settings import Settings

WHAT_IT_DOES: Final = """\
This signs in to a Telegram account, which is shown in its list of devices; uploads some sixteen megabytes;
makes about twenty messages in Saved Messages, all of which begin with "tgbridge doctor"; asks about them,
edits one, deletes them all; and signs out. It touches nothing that it did not make. It takes a minute or two,
and one of the about five logins a day that Telegram grants a number."""

# The order in which things are made and looked at.
MODULES: Final = (files, connections, messages, lists, changes)
_CLEAN_SECONDS: Final = 60.0
_BELIEVED: Final = "docs/telegram.md believes otherwise: please report it, with this report."

IN_SESSION: Final = frozenset(
    {"login-code-used", "login-before-password", "end-fresh", "logout-answer", "end-signed-out"}
)
"""Lines that are looked at while signing in and out."""


async def run(
    settings: Settings,
    person: Person,
    tell: Callable[[Finding], None],
    *,
    phone: str | None,
    is_test: bool,
) -> None:
    """Make all checks. ``tell`` is told each finding as it comes. Interrupted, it removes what it made."""
    told: set[str] = set()

    def tell_seen(name: str, seen: Seen) -> None:
        told.add(name)
        tell(_finding(name, seen))

    pool = ClientPool(settings)
    try:
        session, user = await sign_in(pool, settings, person, tell_seen, phone=phone, is_test=is_test)
    except BridgeError as error:
        tell(fault("live.sign-in", f"Nobody was signed in: {error}.", _sign_in_remedy(error)))
        return
    finally:
        await pool.close()
    tell(ok("live.sign-in", "Signed in.", dc=settings.telegram.dc_id, premium=user.is_premium))
    traces = Traces()
    try:
        # One after the other: a session has one main connection.
        async with _live(settings, session, user, traces) as live:
            await _look(live, tell_seen)
            await look_at_endings(live, tell_seen)
        async for finding in check_service(settings, session, user.id, traces.marker):
            tell(finding)
    except BridgeError as error:
        tell(fault("live.run", f"The run ended early: {_name(error)}.", "See the lines before this one."))
    finally:
        await _leave(partial(_clean, settings, session, user, traces, tell=tell, tell_seen=tell_seen))
    for name in sorted(IN_SESSION - told):
        tell(unknown(f"live.{name}", "There was no occasion in this run."))
    for name, reason in UNCHECKED.items():
        tell(unknown(f"live.{name}", f"Not looked at. {reason}"))


async def _look(live: Live, tell_seen: Callable[[str, Seen], None]) -> None:
    for module in MODULES:
        for name, look in looks().items():
            if look.__module__ == module.__name__:
                tell_seen(name, await _guarded(look, live))


async def _guarded(look: Look, live: Live) -> Seen:
    """Make a check. One that cannot be made is no reason not to make the others."""
    try:
        return await look(live)
    except BridgeError as error:
        return Seen("differs", f"It met {_name(error)}.", {"error": _name(error)})
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        # Telegram has answered with another type, or a check before this one has left nothing behind.
        return Seen("unseen", f"It could not be looked at ({type(error).__name__}).")


@asynccontextmanager
async def _live(settings: Settings, session: str, user: User, traces: Traces) -> AsyncIterator[Live]:
    """Connect with the session, for as long as the block runs. Raises BridgeError kinds."""
    pool = ClientPool(settings)
    try:
        async with pool.borrow(session, account=user.id) as client:
            yield Live(pool, client, settings, user.is_premium, traces)
    finally:
        await pool.close()


async def _leave(clean: Callable[[], Awaitable[None]]) -> None:
    """Remove what was made, and sign out: also when the run was interrupted, which does not stop this."""
    task = asyncio.ensure_future(clean())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_CLEAN_SECONDS)
        raise


async def _clean(
    settings: Settings,
    session: str,
    user: User,
    traces: Traces,
    *,
    tell: Callable[[Finding], None],
    tell_seen: Callable[[str, Seen], None],
) -> None:
    remedy = (
        f'Delete the messages in Saved Messages that begin with "{traces.marker}", and end the session in '
        "Telegram: Settings, Devices."
    )
    try:
        async with _live(settings, session, user, traces) as live:
            try:
                count = await live.remove_all()
                tell(ok("live.clean", "Nothing that was made is left.", messages=count))
            except BridgeError as error:
                tell(fault("live.clean", f"What was made could not be removed: {_name(error)}.", remedy))
            await sign_out(live, session, tell_seen)
    except BridgeError as error:
        tell(fault("live.sign-out", f"The session could not be ended: {_name(error)}.", remedy))


def _finding(name: str, seen: Seen) -> Finding:
    check = f"live.{name}"
    if seen.answer == "holds":
        return ok(check, seen.text, **seen.data)
    if seen.answer == "unseen":
        return unknown(check, seen.text, **seen.data)
    return fault(check, seen.text, _BELIEVED, **seen.data)


def _name(error: BaseException) -> str:
    """Return what an error is called: never its text, of which nobody knows what may be in it."""
    return str(getattr(error, "name", "") or type(error).__name__)


def _sign_in_remedy(error: BridgeError) -> str:
    if _name(error) == "PHONE_NUMBER_UNOCCUPIED":
        return "Nobody has this test number: try again, which takes another one, or give one by --phone."
    if isinstance(error, TelegramRefused):
        return "Telegram has refused the number, the code or the password: begin again with the right one."
    return "`tgbridge doctor` without --live tells whether Telegram can be reached."


def report(findings: Iterable[Finding], settings: Settings) -> dict[str, Any]:
    """Return what may be shown to others: no names, numbers, ids or addresses of the account's."""
    told = [finding for finding in findings if finding.check.startswith("live.")]
    return {
        "tgbridge": __version__,
        "date": datetime.now(UTC).date().isoformat(),
        "server": "another"
        if settings.telegram.dc_host and not settings.telegram.test_servers
        else "Telegram",
        "test_servers": settings.telegram.test_servers,
        **summary(told),
    }
