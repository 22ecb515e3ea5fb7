"""The service itself: whether it lives, and what it can do."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from tgbridge import keys
from tgbridge.answers import json_answer
from tgbridge.models import Health
from tgbridge.routes.endpoint import Endpoint, Success


async def healthz(_request: web.Request) -> web.Response:
    """Answer as long as the process lives; Telegram is not asked."""
    return json_answer(Health(status="ok"))


async def openapi(request: web.Request) -> web.Response:
    """Answer with the API description."""
    return web.json_response(request.app[keys.OPENAPI])


ENDPOINTS: Final = (
    Endpoint("GET", "/healthz", healthz, summary="The process lives", answers=(Success("It does.", Health),)),
    Endpoint(
        "GET",
        "/openapi.json",
        openapi,
        summary="This description",
        answers=(Success("An OpenAPI 3.1 document.", dict[str, Any]),),
    ),
)
