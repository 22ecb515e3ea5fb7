"""Saved Messages as a list of media."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from tgbridge.models import MediaItem
from tgbridge.telegram.saved import messages as media
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from collections.abc import Iterable

_ITEMS: Final = TypeAdapter(list[MediaItem])


async def get_saved_messages_media(request: web.Request) -> web.StreamResponse:
    """Send all media of Saved Messages, newest first, page by page as Telegram sends them.

    The first page comes before the status line, so that errors have their status. What fails later breaks the
    connection: the array is not closed, and no client takes half a list for the whole.
    """
    async with aclosing(media.iter_saved_media(request[keys.CLIENT])) as pages:
        first: list[MediaItem] = await anext(pages, [])
        response = web.StreamResponse(
            headers={"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        if request.method == hdrs.METH_HEAD:
            return response
        empty = not first
        await response.write(b"[" + _elements(first))
        async for page in pages:
            if page:
                await response.write(_elements(page) if empty else b"," + _elements(page))
                empty = False
    await response.write_eof(b"]")
    return response


def _elements(items: Iterable[MediaItem]) -> bytes:
    """Write items as they stand in a JSON array, without its brackets."""
    return _ITEMS.dump_json(list(items))[1:-1]


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/get-saved-messages-media",
        get_saved_messages_media,
        summary="All media of Saved Messages, newest first",
        failed="Failed to fetch media from Saved Messages.",
        signed_in=True,
        strict=True,
        answers=(Success("The whole list, sent as it arrives from Telegram.", list[MediaItem]),),
    ),
)
