"""JSON schemas of the models, as generators of typed clients read them best.

pydantic says of a field that is left out that it is null by default. A client made from that would have to
look for null, which never comes, and openapi-typescript takes whatever has a default for required.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

CODES: Final = "ErrorCode"
"""The name of the schema that lists all codes."""

_REFERENCE: Final = "#/components/schemas/"
_NULL: Final[Json] = {"type": "null"}
_OF_A_CODE: Final = "For programs; the Telegram error's own name where there is one."


def schema_of(
    kind: Any, schemas: Json, mode: Literal["validation", "serialization"], *, nullable: bool = False
) -> Json:
    """Return a schema of ``kind``; models that it names go into ``schemas``.

    ``nullable`` is whether a field that may be left out may be null as well.
    """
    schema, named = _schema_of(kind, mode, nullable=nullable)
    schemas |= named
    return schema


@cache  # answers have a few kinds of bodies, and there are hundreds of answers
def _schema_of(
    kind: Any, mode: Literal["validation", "serialization"], *, nullable: bool
) -> tuple[Json, Json]:
    """Return a schema, and those that it names, none of which is changed any more."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema(mode=mode, ref_template=f"{_REFERENCE}{{model}}")
    named: Json = schema.pop("$defs", {})
    if "properties" in schema:
        named[schema["title"]] = schema
        schema = reference(schema["title"])
    for model in named.values():
        _tidy(model, nullable=nullable)
    return schema, named


def reference(name: str) -> Json:
    """Return a reference to a schema that has a name."""
    return {"$ref": f"{_REFERENCE}{name}"}


def a_file() -> Json:
    """Return the schema of bytes, whatever they are: of more special types, Hey API would make text."""
    return {"type": "string", "contentMediaType": "application/octet-stream"}


def events_of(name: str, events: Iterable[tuple[str, Any]], schemas: Json) -> Json:
    """Return the schema of a server-sent event, as OpenAPI 3.2 has it: of data that is text, and JSON in it.

    No generator looks into that text: for them ``name`` becomes a schema from events' names to their data.
    """
    data = {event: schema_of(model, schemas, "serialization") for event, model in events}
    schemas[name] = {
        "type": "object",
        "properties": data,
        "description": "Server-sent events: their names, and what the JSON of their data holds.",
    }
    return {
        "oneOf": [
            {
                "type": "object",
                "required": ["event", "data"],
                "properties": {
                    "event": {"type": "string", "const": event},
                    "data": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": schema,
                    },
                },
            }
            for event, schema in data.items()
        ]
    }


def list_codes(codes: Iterable[str], schemas: Json) -> None:
    """Say which codes there are. ``Failed`` alone may have others: any name that Telegram will think of."""
    schemas[CODES] = {"type": "string", "enum": sorted(set(codes)), "description": _OF_A_CODE}
    foreseen = reference(CODES)
    others = {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"}
    for name, schema in schemas.items():
        properties = schema.get("properties", {})
        if properties.keys() >= {"error", "code"}:
            code = {"anyOf": [foreseen, others]} if name == "Failed" else foreseen
            schemas[name] = schema | {"properties": properties | {"code": code}}


def _tidy(model: Json, *, nullable: bool) -> None:
    required = model.get("required", [])
    for name, field in model.get("properties", {}).items():
        field.pop("title", None)
        field.pop("default", None)
        for schema in (field, field.get("items", {}), *field.get("anyOf", [])):
            _name_bytes(schema)
        if name not in required and not nullable:
            _without_null(field)


def _name_bytes(schema: Json) -> None:
    if schema.get("format") == "binary":
        del schema["format"]
        schema.update(a_file())


def _without_null(field: Json) -> None:
    kinds = [kind for kind in field.pop("anyOf", []) if kind != _NULL]
    if len(kinds) == 1:
        field.update(kinds[0] | field)
    elif kinds:
        field["anyOf"] = kinds
