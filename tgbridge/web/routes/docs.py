"""The page of the API, to read and to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge.web import keys
from tgbridge.web.docs.pages import POLICY, SCRIPT, STYLE
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from aiohttp import web


async def docs(request: web.Request) -> web.Response:
    """Answer with the page."""
    answer = request.app[keys.DOCS].seen_from(request.rel_url.raw_path).answer(request)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Frame-Options"] = "DENY"
    return answer


async def docs_style(request: web.Request) -> web.Response:
    """Answer with its style sheet."""
    return STYLE.answer(request)


async def docs_script(request: web.Request) -> web.Response:
    """Answer with its script."""
    return SCRIPT.answer(request)


ENDPOINTS: Final = tuple(
    Endpoint("GET", path, handler, summary=summary, answers=(Success(summary, None, media_type=media_type),))
    for path, handler, summary, media_type in (
        ("/docs", docs, "The API, to read and to try", "text/html"),
        ("/docs.css", docs_style, "The style sheet of that page", "text/css"),
        ("/docs.js", docs_script, "The script of that page", "text/javascript"),
    )
)
