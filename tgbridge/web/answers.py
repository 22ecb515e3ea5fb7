"""JSON answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self

from aiohttp import hdrs, web
from multidict import CIMultiDict
from pydantic_core import to_json

from tgbridge.errors import HTTPFailure
from tgbridge.http.etags import EntityTag
from tgbridge.http.preconditions import Outcome, Validators, evaluate, range_applies
from tgbridge.http.ranges import Selection, select_range, unsatisfied_content_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.http.ranges import RangeSelection
    from tgbridge.models import Model

CHANGED: Final = "The document is not the one that the request expects."
NO_SUCH_BYTES: Final = "The document has no such bytes."

# Answers are one person's. Without this a browser's "back" shows them to the next one.
_HEADERS: Final = CIMultiDict({hdrs.CACHE_CONTROL: "no-store"})
_JSON_HEADERS: Final = CIMultiDict({**_HEADERS, hdrs.CONTENT_TYPE: "application/json"})


def fields_of(request: web.Request) -> dict[str, str]:
    """Give a request's fields by lower-case names, lines of one name as one list (RFC 9110, section 5.3)."""
    return {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}


def json_answer(value: Model | Sequence[Model], *, status: int = 200) -> web.Response:
    """Answer with ``value``."""
    return bytes_answer(to_json(value), status=status)


def bytes_answer(body: bytes, *, status: int = 200) -> web.Response:
    """Answer with JSON that is written already."""
    return web.Response(body=body, status=status, headers=_JSON_HEADERS)


@dataclass(frozen=True, slots=True)
class Document:
    """What is the same for everybody, for as long as the process lives: made once, and sent as it is."""

    body: bytes
    etag: EntityTag
    content_type: str = "application/json"

    @classmethod
    def of(cls, value: object) -> Self:
        """Write ``value`` as JSON."""
        return cls.of_bytes(to_json(value), "application/json")

    @classmethod
    def of_bytes(cls, body: bytes, content_type: str) -> Self:
        """Take ``body`` as it is."""
        return cls(body, EntityTag(sha256(body).hexdigest()[:32]), content_type)

    def answer(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD with it, or the part that Range asks for, 304 to whoever has it.

        Raises HTTPFailure 412, and 416. Whoever checks a proxy finds ranges here that need no session.
        """
        conditions = fields_of(request)
        # Its bytes have a strong tag, so that no proxy may send others.
        tag = {"ETag": str(self.etag)}
        headers = tag | {"Cache-Control": "no-cache, no-transform", hdrs.ACCEPT_RANGES: "bytes"}
        current, now = Validators(self.etag), datetime.now(UTC)
        match evaluate(request.method, conditions, current, now=now):
            case Outcome.NOT_MODIFIED:
                return web.Response(status=304, headers=headers)
            case Outcome.PRECONDITION_FAILED:
                raise HTTPFailure(412, CHANGED, code="PRECONDITION_FAILED", headers=tag)
            case Outcome.PROCEED:
                applies = range_applies(request.method, conditions, current, now=now)
                selected = select_range(conditions["range"] if applies else None, len(self.body))
                return self._part(selected, headers)

    def _part(self, selected: RangeSelection, headers: dict[str, str]) -> web.Response:
        size = len(self.body)
        if selected is Selection.UNSATISFIABLE:
            told = {"Content-Range": unsatisfied_content_range(size)}
            raise HTTPFailure(416, NO_SUCH_BYTES, code="RANGE_NOT_SATISFIABLE", headers=told)
        if selected is Selection.WHOLE:
            return web.Response(body=self.body, headers=headers | {hdrs.CONTENT_TYPE: self.content_type})
        return web.Response(
            status=206,
            body=self.body[selected.start : selected.stop],
            headers=headers
            | {hdrs.CONTENT_TYPE: self.content_type, hdrs.CONTENT_RANGE: selected.content_range(size)},
        )


def failure_answer(failure: HTTPFailure) -> web.Response:
    """Answer with the error body of the contract."""
    told: dict[str, Any] = {
        "error": failure.text,
        "details": failure.details,
        "code": failure.code,
        "retry_after": failure.retry_after,
    }
    body = {name: value for name, value in told.items() if value is not None} | dict(failure.extra)
    headers = {**_HEADERS, **failure.headers}
    if failure.retry_after is not None:
        headers[hdrs.RETRY_AFTER] = str(failure.retry_after)
    return web.json_response(body, status=failure.status, headers=headers)
