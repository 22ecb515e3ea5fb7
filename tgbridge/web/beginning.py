"""How a request begins: with an id, and with a place for what is noted of it on its way."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from multidict import istr

from tgbridge.web import keys
from tgbridge.web.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.web_request import BaseRequest

HEADER: Final = istr("X-Request-Id")
# A proxy's id is taken over, so that its log and ours go together; anything else could be an attack on a log.
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ID_BYTES: Final = 16


def begin_exchange(request: BaseRequest) -> Exchange:
    """Give a request its id, and a place for what will be noted of it."""
    inbound = request.headers.get(HEADER)
    request_id = inbound if inbound and _WELL_FORMED.fullmatch(inbound) else next(_RANDOM_IDS)
    exchange = request[keys.EXCHANGE] = Exchange(request_id)
    return exchange


def exchange_of(request: BaseRequest) -> Exchange:
    """Return what is noted of a request, of which nothing may have been noted yet."""
    try:
        return request[keys.EXCHANGE]
    except KeyError:
        return begin_exchange(request)


def _random_ids() -> Iterator[str]:
    """Give ids, of which the system makes many at once: that is cheaper."""
    digits = 2 * _ID_BYTES
    while True:
        many = os.urandom(64 * _ID_BYTES).hex()
        yield from (many[start : start + digits] for start in range(0, len(many), digits))


_RANDOM_IDS: Final = _random_ids()
