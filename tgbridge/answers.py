"""JSON answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs, web
from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.errors import HTTPFailure
    from tgbridge.models import Model

# Answers are one person's. Without this a browser's "back" shows them to the next one.
_HEADERS: Final = {hdrs.CACHE_CONTROL: "no-store"}


def json_answer(value: Model | Sequence[Model], *, status: int = 200) -> web.Response:
    """Answer with ``value``."""
    body = to_json(value)
    return web.Response(body=body, status=status, content_type="application/json", headers=_HEADERS)


def failure_answer(failure: HTTPFailure) -> web.Response:
    """Answer with the error body of the contract."""
    told: dict[str, Any] = {
        "error": failure.text,
        "details": failure.details,
        "code": failure.code,
        "retry_after": failure.retry_after,
    }
    body = {name: value for name, value in told.items() if value is not None} | dict(failure.extra)
    headers = _HEADERS | dict(failure.headers)
    if failure.retry_after is not None:
        headers[hdrs.RETRY_AFTER] = str(failure.retry_after)
    return web.json_response(body, status=failure.status, headers=headers)
