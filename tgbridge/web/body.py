"""Reading JSON bodies, as leniently as the contract wants: what is no JSON object has no fields."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs

from tgbridge.errors import INVALID_BODY, MISSING_FIELD, HTTPFailure
from tgbridge.http.safety import essence
from tgbridge.web import keys
from tgbridge.web.routing import continue_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web


@dataclass(frozen=True, slots=True, repr=False)
class Fields:
    """The fields of a JSON object; of anything else, none."""

    values: Mapping[str, Any]
    is_object: bool

    def require(self, text: str, *names: str) -> list[Any]:
        """Return fields. Absent, null and "" are missing, which raises HTTPFailure 400 with ``text``."""
        values = [self.values.get(name) for name in names]
        if any(value is None or value == "" for value in values):
            raise HTTPFailure(400, text, code=MISSING_FIELD if self.is_object else INVALID_BODY)
        return values

    def optional(self, name: str) -> Any:
        """Return a field, None where it is missing."""
        value = self.values.get(name)
        return None if value == "" else value


async def read_fields(request: web.Request) -> Fields:
    """Read the body. What is no JSON object, or is not declared as JSON, has no fields.

    Raises HTTPFailure 408 for a body that does not come within ``server.body_timeout_seconds``, and aiohttp's
    own 413 for one beyond the application's limit.
    """
    await continue_body(request)
    try:
        async with asyncio.timeout(request.app[keys.SETTINGS].server.body_timeout_seconds):
            body = await request.read()
    except TimeoutError:
        raise HTTPFailure(
            408, "Request Timeout.", code="REQUEST_TIMEOUT", headers={"Connection": "close"}
        ) from None
    media_type = essence(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if media_type != "application/json" and not media_type.endswith("+json"):
        return Fields({}, is_object=False)
    try:
        # From bytes: JSON is UTF-8 whatever charset is declared (RFC 8259, section 11).
        values = json.loads(body)
    except (ValueError, RecursionError):
        return Fields({}, is_object=False)
    return Fields(values, is_object=True) if isinstance(values, dict) else Fields({}, is_object=False)


def is_text(value: object) -> bool:
    """Tell whether ``value`` is text that can travel: JSON can also hold half a surrogate pair."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
