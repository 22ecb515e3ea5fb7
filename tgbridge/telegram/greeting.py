"""How a request is wrapped, by where it stands in its MTProto session and by whether it wants updates.

Source: https://core.telegram.org/api/invoking
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telethon.tl import functions
from telethon.tl.alltlobjects import LAYER

if TYPE_CHECKING:
    from telethon.tl import TLRequest

# Service messages, and what has its greeting already.
_UNGREETED: Final = (functions.PingRequest, functions.InvokeWithLayerRequest)


def first_request(
    hello: functions.InitConnectionRequest, query: TLRequest, *, updates: bool = False
) -> TLRequest:
    """Wrap ``query`` as a session's first request, which says who we are. It stands at the end of the bytes.

    A session that has made a request with ``updates`` is sent the account's updates from then on, and before
    anybody is signed in those of the login (updateLoginToken). What needs no greeting is left as it is.
    """
    if isinstance(query, _UNGREETED):
        return query
    first = functions.InitConnectionRequest(
        api_id=hello.api_id,
        device_model=hello.device_model,
        system_version=hello.system_version,
        app_version=hello.app_version,
        system_lang_code=hello.system_lang_code,
        lang_pack=hello.lang_pack,
        lang_code=hello.lang_code,
        query=query,
    )
    return functions.InvokeWithLayerRequest(
        LAYER, first if updates else functions.InvokeWithoutUpdatesRequest(first)
    )


def next_request(query: TLRequest, *, updates: bool = False) -> TLRequest:
    """Wrap ``query`` as a later request of a session that the server has answered."""
    return query if updates else functions.InvokeWithoutUpdatesRequest(query)
