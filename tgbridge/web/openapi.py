"""The API description (OpenAPI 3.1), made from the declared endpoints and their models."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from tgbridge import __version__
from tgbridge.errors import (
    ANSWERS,
    EXHAUSTED,
    FILE_TOO_LARGE_CODE,
    FLOOD_WAITS,
    INTERNAL,
    INVALID_BODY,
    NOT_AUTHENTICATED,
    NOT_AUTHENTICATED_CODE,
    SESSION_ENDED,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
)
from tgbridge.http.statuses import PHRASES, code_of, text_of
from tgbridge.models import ErrorBody, Failed
from tgbridge.schemas import Json, a_file, events_of, list_codes, schema_of
from tgbridge.web.answers import Document
from tgbridge.web.connections import OVERLOADED, TOO_BUSY
from tgbridge.web.endpoint import (
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    Endpoint,
    Refusal,
    Success,
    session_ended,
    unknown_parameter,
)
from tgbridge.web.limits import CODE as TOO_MANY_REQUESTS_CODE
from tgbridge.web.middleware.origin import INVALID_HOST, ORIGIN_NOT_ALLOWED, SAFE_METHODS
from tgbridge.web.routes.upload_answers import PROBLEMS
from tgbridge.web.shares import CODE as TOO_MANY_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_REQUEST_ID: Final[Json] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_RETRY_AFTER: Final = ("Retry-After", "Seconds, the same as retry_after in the body.")
# A range is of a GET alone (RFC 9110, section 14.2).
_OF_GET: Final = frozenset({"Range", "If-Range"})


@lru_cache(maxsize=4)
def document(endpoints: tuple[Endpoint, ...], *, cookie_name: str) -> Document:
    """Return the description as it is sent."""
    return Document.of(describe(endpoints, cookie_name=cookie_name))


@lru_cache(maxsize=4)  # models take their time, and tests make many applications
def describe(endpoints: tuple[Endpoint, ...], *, cookie_name: str) -> Json:
    """Describe ``endpoints`` as an OpenAPI document. It stays true since they make the router too."""
    schemas: Json = {}
    paths: Json = defaultdict(dict)
    for endpoint in endpoints:
        for method in _described_methods(endpoint):
            paths[endpoint.path][method.lower()] = _operation(endpoint, method, schemas)
    list_codes(codes_of(endpoints), schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tgbridge",
            "version": __version__,
            "description": (
                "A bridge between a web frontend and a person's Telegram Saved Messages. Whatever answers "
                "GET answers HEAD, and a path with a slash behind it answers as without."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Where this document is, so that it holds behind a proxy that adds a prefix.
        "servers": [{"url": "."}],
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "headers": {
                "RequestId": {
                    "description": "Names the request in the service's log.",
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": cookie_name}},
        },
    }


def _described_methods(endpoint: Endpoint) -> Iterator[str]:
    """Yield the methods that there is something to say of: the head of bytes tells their size, and more."""
    has_bytes = any(
        isinstance(answer, Success) and not answer.content and not answer.events and answer.media_type
        for answer in endpoint.answers
    )
    for method in endpoint.methods:
        if method == endpoint.method or has_bytes:
            yield method


@lru_cache(maxsize=4)  # as above
def codes_of(endpoints: tuple[Endpoint, ...]) -> frozenset[str]:
    """Return the codes of all answers that are foreseen."""
    return frozenset(
        chain(
            (refusal.code for endpoint in endpoints for refusal in _refusals(endpoint)),
            (answer.code or name for name, answer in ANSWERS.items()),
            (problem.code for problem in PROBLEMS.values()),
            map(code_of, PHRASES),
            SESSION_ENDED | FLOOD_WAITS,
            (NOT_AUTHENTICATED_CODE, TOO_MANY_REQUESTS_CODE, UNAVAILABLE, EXHAUSTED, FILE_TOO_LARGE_CODE),
            (INTERNAL, INVALID_BODY, INVALID_HOST),
        )
    )


def _operation(endpoint: Endpoint, method: str, schemas: Json) -> Json:
    operation: Json = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint, method),
        "tags": [endpoint.handler.__module__.rpartition(".")[2]],
        "responses": _responses(endpoint, schemas, with_body=method != "HEAD"),
    }
    if endpoint.parameters:
        operation["parameters"] = [
            {
                "name": parameter.name,
                "in": parameter.where,
                "required": parameter.required or parameter.where == "path",
                "description": parameter.description,
                "schema": schema_of(parameter.kind, schemas, "validation"),
            }
            for parameter in endpoint.parameters
            if method != "HEAD" or parameter.name not in _OF_GET
        ]
    if endpoint.body is not None:
        is_json = endpoint.body_type == "application/json"
        schema = schema_of(endpoint.body, schemas, "validation", nullable=is_json)
        required = any(field.is_required() for field in endpoint.body.model_fields.values())
        operation["requestBody"] = {"required": required, "content": {endpoint.body_type: {"schema": schema}}}
    if endpoint.bytes_type is not None:
        operation["requestBody"] = {"required": False, "content": _bytes(endpoint.bytes_type)}
    if endpoint.signed_in:
        operation["security"] = [{"session": []}]
    return operation


def _operation_id(endpoint: Endpoint, method: str) -> str:
    name: str = getattr(endpoint.handler, "__name__", "")
    return name if method == endpoint.method else f"{name}_{method.lower()}"


def _responses(endpoint: Endpoint, schemas: Json, *, with_body: bool) -> Json:
    responses: Json = {}
    for answer in endpoint.answers:
        if isinstance(answer, Success):
            responses[str(int(answer.status))] = _success(endpoint, answer, schemas, with_body=with_body)
    refusals: defaultdict[int, list[Refusal]] = defaultdict(list)
    for refusal in _refusals(endpoint):
        refusals[refusal.status].append(refusal)
    for status, rows in sorted(refusals.items()):
        responses[str(status)] = _refused(rows, schemas, with_body=with_body)
    return responses


def _refusals(endpoint: Endpoint) -> Iterator[Refusal]:
    yield from (answer for answer in endpoint.answers if isinstance(answer, Refusal))
    yield from _common(endpoint)


def _common(endpoint: Endpoint) -> Iterator[Refusal]:
    """Refusals that follow from what kind of endpoint it is."""
    yield _of_status(421)
    if not endpoint.probe:
        yield Refusal(503, TOO_BUSY, OVERLOADED, headers=(_RETRY_AFTER,))
    if endpoint.method not in SAFE_METHODS or endpoint.acts:
        yield Refusal(403, ORIGIN_NOT_ALLOWED, "ORIGIN_NOT_ALLOWED")
    if endpoint.signed_in:
        yield Refusal(401, NOT_AUTHENTICATED, NOT_AUTHENTICATED_CODE)
        yield from session_ended()
    if endpoint.strict:
        yield Refusal(400, unknown_parameter("offset"), INVALID_PARAMETER)
    if endpoint.signed_in or endpoint.ticket or endpoint.limit is not None:
        yield Refusal(429, TOO_MANY_REQUESTS, TOO_MANY_REQUESTS_CODE, headers=(_RETRY_AFTER,))
    if endpoint.signed_in or endpoint.ticket:
        yield Refusal(429, TOO_MANY_REQUESTS, TOO_MANY_AT_ONCE, headers=(_RETRY_AFTER,))
    if endpoint.not_found is not None:
        yield Refusal(404, endpoint.not_found.text, endpoint.not_found.code)
    if endpoint.body is not None and endpoint.body_type == "application/json":
        yield Refusal(400, "The request's body is malformed.", INVALID_BODY)
        yield _of_status(408)
        yield _of_status(413)
    if endpoint.failed is not None:
        yield Refusal(429, TOO_MANY_REQUESTS, "FLOOD_WAIT", headers=(_RETRY_AFTER,))
        yield Refusal(503, endpoint.failed, UNAVAILABLE, headers=(_RETRY_AFTER,))
        yield Refusal(503, endpoint.failed, EXHAUSTED, headers=(_RETRY_AFTER,))
    body = Failed if endpoint.failed is not None else ErrorBody
    yield Refusal(500, endpoint.failed or INTERNAL_ERROR, INTERNAL, body=body)


def _of_status(status: int) -> Refusal:
    return Refusal(status, text_of(status), code_of(status))


def _success(endpoint: Endpoint, answer: Success, schemas: Json, *, with_body: bool) -> Json:
    response: Json = {"description": answer.description, "headers": _headers(answer.headers)}
    if not with_body:
        return response
    if answer.events:
        response["content"] = {
            answer.media_type: {"schema": events_of(_events_name(endpoint), answer.events, schemas)}
        }
    elif answer.content is not None:
        schema = schema_of(answer.content, schemas, "serialization")
        response["content"] = {answer.media_type or "application/json": {"schema": schema}}
    elif answer.media_type is not None:
        response["content"] = _bytes(answer.media_type)
    return response


def _events_name(endpoint: Endpoint) -> str:
    """Name the schema of an endpoint's events: QrLoginEvents."""
    words = _operation_id(endpoint, endpoint.method).removesuffix("_events").split("_")
    return "".join(map(str.capitalize, (*words, "events")))


def _bytes(media_type: str) -> Json:
    return {media_type: {"schema": a_file()}}


def _refused(rows: list[Refusal], schemas: Json, *, with_body: bool) -> Json:
    response: Json = {
        "description": " ".join(dict.fromkeys(row.text for row in rows)),
        "headers": _headers(header for row in rows for header in row.headers),
    }
    if with_body:
        kinds = dict.fromkeys(row.body for row in rows)
        bodies = [schema_of(kind, schemas, "serialization") for kind in kinds]
        response["content"] = {
            "application/json": {
                "schema": bodies[0] if len(bodies) == 1 else {"anyOf": bodies},
                "examples": {row.code: {"value": {"error": row.text, "code": row.code}} for row in rows},
            }
        }
    return response


def _headers(documented: Iterable[tuple[str, str]]) -> Json:
    described = {name: {"description": text, "schema": {"type": "string"}} for name, text in documented}
    return _REQUEST_ID | described
