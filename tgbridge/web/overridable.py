"""Paths at which a POST may ask for another method (https://tus.io/protocols/resumable-upload).

It is for clients whose environment knows only GET and POST. Which endpoint is meant is decided where all
requests are routed, so that everything on the way sees that one: its 401, its limits, its 405. Other methods
mean what they say: an OPTIONS that could delete would pass every check for what acts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs

from tgbridge.web.resource import Path

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.web_urldispatcher import UrlMappingMatchInfo

OVERRIDE: Final = "X-HTTP-Method-Override"


class OverridableResource(Path):
    """A path whose routes are found by the method that is meant."""

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        """Find the route, and the methods that there are. ``request`` itself stays a POST."""
        meant = ",".join(request.headers.getall(OVERRIDE, [])).strip().upper()
        if request.method == hdrs.METH_POST and meant:
            request = request.clone(method=meant)
        found: tuple[Any, set[str]] = await super().resolve(request)
        return found
