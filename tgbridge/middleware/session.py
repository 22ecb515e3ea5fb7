"""The browser's session, from its cookie and back into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from tgbridge import keys

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


@web.middleware
async def session_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the session; ``save_session`` writes it."""
    request[keys.SESSION] = await request.app[keys.STORAGE].read(request)
    return await handler(request)


async def save_session(request: web.Request, response: web.StreamResponse) -> None:
    """Save the session with whatever is answered: also a stream, and also what an error has become."""
    state = request.get(keys.SESSION)
    if state is None:
        return
    # aiohttp has made the response's cookies into header fields by now: a later one has to be one itself.
    stand_in = web.Response()
    await request.app[keys.STORAGE].write(request, stand_in, state)
    for cookie in stand_in.cookies.values():
        response.headers.add(hdrs.SET_COOKIE, cookie.OutputString())
