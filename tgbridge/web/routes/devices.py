"""Where the account is signed in, and signing out there."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from tgbridge.errors import HTTPFailure, TelegramRefused
from tgbridge.models import Device
from tgbridge.telegram.account import devices
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success, refusals

UNKNOWN: Final = "There is no such session."
CURRENT: Final = "This is the session that you are using. Please use /logout to end it."
# Telegram's own for the session that asks.
_CURRENT_HASH: Final = "0"
# A signed 64-bit integer; Python would take the digits of any script, and convert thousands of them.
_HASH: Final = re.compile(r"-?[1-9][0-9]{0,18}", re.ASCII)
_UNKNOWN_CODE: Final = "HASH_INVALID"


async def list_sessions(request: web.Request) -> web.Response:
    """Answer with the account's authorizations, at this service and in all other apps."""
    return json_answer(await devices.list_devices(request[keys.CLIENT]))


async def end_session(request: web.Request) -> web.Response:
    """End another authorization."""
    number = _number(request.match_info["hash"])
    try:
        await devices.end_device(request[keys.CLIENT], number)
    except TelegramRefused as error:
        if error.name != _UNKNOWN_CODE:
            raise
        raise HTTPFailure(404, UNKNOWN, code=_UNKNOWN_CODE) from error
    request.app[keys.POOL].doubt(request[keys.LOAN].account)
    return web.Response(status=204)


def _number(text: str) -> int:
    if text == _CURRENT_HASH:
        raise HTTPFailure(400, CURRENT, code="CURRENT_SESSION")
    number = int(text) if _HASH.fullmatch(text) else 0
    if not number or not -(2**63) <= number < 2**63:
        raise HTTPFailure(404, UNKNOWN, code=_UNKNOWN_CODE)
    return number


async def end_other_sessions(request: web.Request) -> web.Response:
    """End all authorizations but the one that asks."""
    await devices.end_other_devices(request[keys.CLIENT])
    request.app[keys.POOL].doubt(request[keys.LOAN].account)
    return web.Response(status=204)


_TOO_FRESH: Final = refusals("FRESH_RESET_AUTHORISATION_FORBIDDEN")
_FAILED: Final = "Failed to end the session."

ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/sessions",
        list_sessions,
        summary="Where the account is signed in",
        failed="Failed to fetch the sessions.",
        signed_in=True,
        strict=True,
        answers=(Success("All of the account's sessions.", list[Device]),),
    ),
    Endpoint(
        "DELETE",
        "/sessions/{hash}",
        end_session,
        summary="Sign out another device",
        failed=_FAILED,
        signed_in=True,
        parameters=(Parameter("hash", "path", str, "As in the list."),),
        answers=(
            Success("It has ended.", None, status=204),
            Refusal(400, CURRENT, "CURRENT_SESSION"),
            *_TOO_FRESH,
            Refusal(404, UNKNOWN, _UNKNOWN_CODE),
        ),
    ),
    Endpoint(
        "DELETE",
        "/sessions",
        end_other_sessions,
        summary="Sign out all other devices",
        failed=_FAILED,
        signed_in=True,
        strict=True,  # one that was meant to spare a device would be passed over
        answers=(Success("All others have ended.", None, status=204), *_TOO_FRESH),
    ),
)
