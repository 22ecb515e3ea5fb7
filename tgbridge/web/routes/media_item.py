"""One item of Saved Messages, and changing it: its caption, or its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import web

from tgbridge.errors import INVALID_BODY, MISSING_FIELD, HTTPFailure, NotFound
from tgbridge.models import CaptionInput, DeleteInput, MediaItem, MediaRemoved
from tgbridge.telegram.saved import editing
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.body import is_text, read_fields
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success, refusals
from tgbridge.web.message_id import message_id_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.library import AccountLibrary

T = TypeVar("T")

MOST_IDS: Final = 1000
CAPTION_REQUIRED: Final = "Caption is required."
INVALID_CAPTION: Final = "Invalid caption: it has to be text."
IDS_REQUIRED: Final = "The ids of the messages are required."
INVALID_IDS: Final = f"Invalid ids: they have to be a list of 1 to {MOST_IDS} whole numbers."


async def get_item(request: web.Request) -> web.Response:
    """Answer with one item."""
    client = request[keys.CLIENT]
    media = await request.app[keys.LIBRARY].of(client).get(client, message_id_of(request))
    return json_answer(media.item)


async def edit_item(request: web.Request) -> web.Response:
    """Change an item's caption."""
    message_id = message_id_of(request)
    fields = await read_fields(request)
    caption = fields.values.get("caption")
    if caption is None:
        raise HTTPFailure(400, CAPTION_REQUIRED, code=MISSING_FIELD if fields.is_object else INVALID_BODY)
    if not is_text(caption):
        raise HTTPFailure(400, INVALID_CAPTION, code=INVALID_BODY)

    media = await _complete(
        request, lambda client, library: editing.edit_caption(client, library, message_id, caption)
    )
    return json_answer(media.item)


async def delete_item(request: web.Request) -> web.Response:
    """Delete one item."""
    message_id = message_id_of(request)
    await _complete(request, lambda client, library: editing.delete_one(client, library, message_id))
    return web.Response(status=204)


async def delete_items(request: web.Request) -> web.Response:
    """Delete many items."""
    fields = await read_fields(request)
    ids: Any = fields.values.get("ids")
    if ids is None:
        raise HTTPFailure(400, IDS_REQUIRED, code=MISSING_FIELD if fields.is_object else INVALID_BODY)
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST_IDS or any(type(one) is not int for one in ids):
        raise HTTPFailure(400, INVALID_IDS, code=INVALID_BODY)
    removed = await _complete(request, lambda client, library: editing.delete(client, library, ids))
    return json_answer(MediaRemoved(deleted=list(removed.deleted), missing=list(removed.missing)))


async def _complete(
    request: web.Request, change: Callable[[BridgeClient, AccountLibrary], Awaitable[T]]
) -> T:
    """Carry a change out, whether or not the browser waits: what Telegram has done, others are told of."""
    app, state = request.app, request[keys.SESSION]
    session, account = str(state.telegram), state.user_id

    async def work() -> T:
        async with app[keys.POOL].borrow(session, account=account) as client:
            return await change(client, app[keys.LIBRARY].of(client))

    return await app[keys.COMPLETION].run(work())


_NO_MEDIA: Final = NotFound("Media not found or message ID is invalid.", "MEDIA_NOT_FOUND")
_MESSAGE_ID: Final = Parameter("message_id", "path", int, "The message's id, as in the list.")
_PATH: Final = "/media/{message_id}"

ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/media/delete",
        delete_items,
        summary="Delete many items of Saved Messages",
        failed="Failed to delete the media.",
        signed_in=True,
        body=DeleteInput,
        answers=(
            Success("Those that were there are gone; texts and other chats are never touched.", MediaRemoved),
            Refusal(400, IDS_REQUIRED, MISSING_FIELD),
            Refusal(400, INVALID_IDS, INVALID_BODY),
        ),
    ),
    Endpoint(
        "GET",
        _PATH,
        get_item,
        summary="One item of Saved Messages",
        failed="Failed to fetch media from Saved Messages.",
        not_found=_NO_MEDIA,
        signed_in=True,
        parameters=(_MESSAGE_ID,),
        answers=(Success("The item.", MediaItem),),
    ),
    Endpoint(
        "PATCH",
        _PATH,
        edit_item,
        summary="Change an item's caption",
        failed="Failed to change the caption.",
        not_found=_NO_MEDIA,
        signed_in=True,
        parameters=(_MESSAGE_ID,),
        body=CaptionInput,
        answers=(
            Success("The item as it is now. Formatting of the old caption is gone with it.", MediaItem),
            Refusal(400, CAPTION_REQUIRED, MISSING_FIELD),
            Refusal(400, INVALID_CAPTION, INVALID_BODY),
            *refusals(
                "MEDIA_CAPTION_TOO_LONG",
                "MESSAGE_AUTHOR_REQUIRED",
                "MESSAGE_EDIT_TIME_EXPIRED",
                "MESSAGE_ID_INVALID",
            ),
        ),
    ),
    Endpoint(
        "DELETE",
        _PATH,
        delete_item,
        summary="Delete an item of Saved Messages",
        failed="Failed to delete the media.",
        not_found=_NO_MEDIA,
        signed_in=True,
        parameters=(_MESSAGE_ID,),
        answers=(Success("It is gone.", None, status=204),),
    ),
)
