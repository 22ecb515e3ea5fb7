"""The service itself: whether it lives, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from tgbridge.models import Health
from tgbridge.web import keys
from tgbridge.web.answers import CHANGED, NO_SUCH_BYTES, bytes_answer
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success

if TYPE_CHECKING:
    from aiohttp import web

_ALIVE: Final = to_json(Health(status="ok"))


async def healthz(_request: web.Request) -> web.Response:
    """Answer as long as the process lives; Telegram is not asked."""
    return bytes_answer(_ALIVE)


async def openapi(request: web.Request) -> web.Response:
    """Answer with the API description."""
    return request.app[keys.OPENAPI].answer(request)


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/healthz",
        healthz,
        summary="The process lives",
        probe=True,
        answers=(Success("It does.", Health),),
    ),
    Endpoint(
        "GET",
        "/openapi.json",
        openapi,
        summary="This description",
        parameters=(
            Parameter("If-None-Match", "header", str, "RFC 9110 section 13.1.2."),
            Parameter("If-Match", "header", str, "RFC 9110 section 13.1.1."),
            Parameter("Range", "header", str, "RFC 9110 section 14.2."),
            Parameter("If-Range", "header", str, "RFC 9110 section 13.1.5."),
        ),
        answers=(
            Success(
                "An OpenAPI 3.1 document.", dict[str, Any], headers=(("ETag", "A strong tag of its bytes."),)
            ),
            Success(  # which is JSON by its type, and none to be read
                "A part of it.", None, status=206, headers=(("Content-Range", "Which of how many bytes."),)
            ),
            Success("The copy that the client has is still right.", None, status=304),
            Refusal(412, CHANGED, "PRECONDITION_FAILED"),
            Refusal(416, NO_SUCH_BYTES, "RANGE_NOT_SATISFIABLE"),
        ),
    ),
)
