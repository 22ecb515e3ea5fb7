"""The API description (OpenAPI 3.1), made from the declared endpoints and their models."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from tgbridge import __version__
from tgbridge.answers import Document
from tgbridge.errors import NOT_AUTHENTICATED, NOT_AUTHENTICATED_CODE, SESSION_ENDED, TOO_MANY_REQUESTS
from tgbridge.http.statuses import code_of, text_of
from tgbridge.limits import CODE as TOO_MANY_REQUESTS_CODE
from tgbridge.middleware.origin import ORIGIN_NOT_ALLOWED, SAFE_METHODS
from tgbridge.routes.endpoint import (
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    Endpoint,
    Refusal,
    Success,
    unknown_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

_REQUEST_ID: Final[Json] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_RETRY_AFTER: Final = ("Retry-After", "Seconds, the same as retry_after in the body.")
_INVALID_BODY: Final = "INVALID_BODY"


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
        for method in endpoint.methods:
            paths[endpoint.path][method.lower()] = _operation(endpoint, method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tgbridge",
            "version": __version__,
            "description": "A bridge between a web frontend and a person's Telegram Saved Messages.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
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
                "schema": _schema(parameter.kind, schemas, "validation"),
            }
            for parameter in endpoint.parameters
        ]
    if endpoint.body is not None:
        schema = _schema(endpoint.body, schemas, "validation")
        required = any(field.is_required() for field in endpoint.body.model_fields.values())
        operation["requestBody"] = {"required": required, "content": {endpoint.body_type: {"schema": schema}}}
    if endpoint.bytes_type is not None:
        operation["requestBody"] = {"required": False, "content": {endpoint.bytes_type: {}}}
    if endpoint.signed_in:
        operation["security"] = [{"session": []}]
    return operation


def _operation_id(endpoint: Endpoint, method: str) -> str:
    name: str = getattr(endpoint.handler, "__name__", "")
    return name if method == endpoint.method else f"{name}_{method.lower()}"


def _responses(endpoint: Endpoint, schemas: Json, *, with_body: bool) -> Json:
    responses: Json = {}
    refusals: defaultdict[int, list[Refusal]] = defaultdict(list)
    for answer in endpoint.answers:
        if isinstance(answer, Success):
            responses[str(int(answer.status))] = _success(answer, schemas, with_body=with_body)
        else:
            refusals[answer.status].append(answer)
    for refusal in _common(endpoint):
        refusals[refusal.status].append(refusal)
    for status, rows in sorted(refusals.items()):
        responses[str(status)] = _refused(rows, schemas, with_body=with_body)
    return responses


def _common(endpoint: Endpoint) -> Iterator[Refusal]:
    """Refusals that follow from what kind of endpoint it is."""
    yield _of_status(421)
    if endpoint.method not in SAFE_METHODS or endpoint.acts:
        yield Refusal(403, ORIGIN_NOT_ALLOWED, "ORIGIN_NOT_ALLOWED")
    if endpoint.signed_in:
        yield Refusal(401, NOT_AUTHENTICATED, NOT_AUTHENTICATED_CODE)
        yield from (Refusal(401, NOT_AUTHENTICATED, name) for name in sorted(SESSION_ENDED))
    if endpoint.strict:
        yield Refusal(400, unknown_parameter("offset"), INVALID_PARAMETER)
    if endpoint.signed_in or endpoint.limit is not None:
        yield Refusal(429, TOO_MANY_REQUESTS, TOO_MANY_REQUESTS_CODE, headers=(_RETRY_AFTER,))
    if endpoint.not_found is not None:
        yield Refusal(404, endpoint.not_found)
    if endpoint.body is not None and endpoint.body_type == "application/json":
        yield _of_status(408)
        yield _of_status(413)
    if endpoint.failed is not None:
        yield Refusal(429, TOO_MANY_REQUESTS, "FLOOD_WAIT", headers=(_RETRY_AFTER,))
        yield Refusal(503, endpoint.failed, "TELEGRAM_UNAVAILABLE", headers=(_RETRY_AFTER,))
        yield Refusal(503, endpoint.failed, "POOL_EXHAUSTED", headers=(_RETRY_AFTER,))
    yield Refusal(500, endpoint.failed or INTERNAL_ERROR)


def _of_status(status: int) -> Refusal:
    return Refusal(status, text_of(status), code_of(status))


def _success(answer: Success, schemas: Json, *, with_body: bool) -> Json:
    response: Json = {"description": answer.description, "headers": _headers(answer.headers)}
    if not with_body:
        return response
    if answer.content is not None:
        schema = _schema(answer.content, schemas, "serialization")
        response["content"] = {answer.media_type or "application/json": {"schema": schema}}
    elif answer.media_type is not None:
        response["content"] = {answer.media_type: {}}
    return response


def _refused(rows: list[Refusal], schemas: Json, *, with_body: bool) -> Json:
    response: Json = {
        "description": " ".join(dict.fromkeys(row.text for row in rows)),
        "headers": _headers(header for row in rows for header in row.headers),
    }
    if with_body:
        bodies = list({row.body: _schema(row.body, schemas, "serialization") for row in rows}.values())
        response["content"] = {
            "application/json": {
                "schema": bodies[0] if len(bodies) == 1 else {"anyOf": bodies},
                "examples": {row.code or row.text: {"value": _example(row)} for row in rows},
            }
        }
    return response


def _example(row: Refusal) -> Json:
    return {"error": row.text} | ({"code": row.code} if row.code is not None else {})


def _headers(documented: Iterable[tuple[str, str]]) -> Json:
    described = {name: {"description": text, "schema": {"type": "string"}} for name, text in documented}
    return _REQUEST_ID | described


def _schema(kind: Any, schemas: Json, mode: Any) -> Json:
    """Return a schema of ``kind``; models that it names go into ``schemas``."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema(mode=mode, ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs", {})
    if "properties" in schema:
        name = schema["title"]
        schemas[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}
    return schema
