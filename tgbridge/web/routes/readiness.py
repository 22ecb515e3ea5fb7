"""Whether the service can take work: what a load balancer asks before it sends somebody here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tgbridge.errors import HTTPFailure
from tgbridge.machine import descriptor_limit, descriptors_used
from tgbridge.models import Check, NotReady, Readiness
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.endpoint import Endpoint, Refusal, Success

if TYPE_CHECKING:
    from aiohttp import web

NOT_READY: Final = "The service cannot take work now."
_CODE: Final = "NOT_READY"
_RETRY_SECONDS: Final = 5

DESCRIPTORS_LEFT: Final = 32
"""Fewer than so many, and requests begin to fail: one takes two at least, its own and one to Telegram."""


async def readyz(request: web.Request) -> web.Response:
    """Answer 200 if each part can take work, and else 503; with what each of them says."""
    checks = {
        "service": _service(request.app),
        "pool": _pool(request.app),
        "descriptors": await asyncio.to_thread(_descriptors),
        "telegram": await _telegram(request.app),
    }
    if all(check.ok for check in checks.values()):
        return json_answer(Readiness(status="ok", checks=checks))
    told = {name: check.model_dump(exclude_none=True) for name, check in checks.items()}
    failing = [name for name, check in checks.items() if not check.ok]
    raise HTTPFailure(
        503,
        NOT_READY,
        code=_CODE,
        retry_after=_RETRY_SECONDS,
        extra={"checks": told},
        log={"failing": failing},
    )


def _service(app: web.Application) -> Check:
    return _check(not app[keys.IN_FLIGHT].draining, "It is stopping.")


def _pool(app: web.Application) -> Check:
    pool = app[keys.POOL]
    if pool.stopping:
        return _check(False, "It is closing.")
    is_free = pool.stats.lent < app[keys.SETTINGS].pool.max_clients
    return _check(is_free, "Every Telegram client is in use (pool.max_clients).")


def _descriptors() -> Check:
    used, most = descriptors_used(), descriptor_limit()
    is_enough = used is None or most is None or most - used >= DESCRIPTORS_LEFT
    return _check(is_enough, "There are hardly any file descriptors left (RLIMIT_NOFILE).")


async def _telegram(app: web.Application) -> Check:
    return _check(await app[keys.POOL].reaches_telegram(), "Its data centre does not answer.")


def _check(ok: bool, otherwise: str) -> Check:
    return Check(ok=ok, reason=None if ok else otherwise)


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/readyz",
        readyz,
        summary="The service can take work",
        probe=True,
        answers=(
            Success("Each part can.", Readiness),
            Refusal(503, NOT_READY, _CODE, body=NotReady, headers=(("Retry-After", "Seconds."),)),
        ),
    ),
)
