"""What a JSON schema says, in words, and as the fields of a form."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tgbridge.web.docs.elements import make

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from tgbridge.schemas import Json
    from tgbridge.web.docs.elements import Child

_NULL: Final = {"type": "null"}
_WORDS: Final = {"string": "text", "boolean": "true or false"}
_FILE: Final = "contentMediaType"
_QUOTED: Final = re.compile(r"``?([^`]+)``?")


def name_of(schema: Json) -> str | None:
    """Return the name of the schema that ``schema`` refers to, if it does."""
    reference = schema.get("$ref")
    return None if reference is None else reference.rpartition("/")[2]


def link(name: str) -> Element:
    """Link to a schema's place on the page."""
    return make("a", name, href=f"#schema-{name}")


def kind_of(schema: Json) -> Iterator[Child]:
    """Say in words and links what a value is."""
    if (name := name_of(schema)) is not None:
        yield link(name)
    elif "const" in schema:
        yield make("code", _written(schema["const"]))
    elif "enum" in schema:
        yield from listed(schema["enum"])
    elif alternatives := schema.get("anyOf", schema.get("oneOf")):
        for number, alternative in enumerate(alternatives):
            yield " or " if number else None
            yield from kind_of(alternative)
    elif schema.get("type") == "array":
        yield "list of "
        yield from kind_of(schema.get("items", {}))
    elif _FILE in schema:
        yield "file"
    else:
        kind = str(schema.get("type", "any value"))
        yield _WORDS.get(kind, kind) + _bounds(schema)


def prose(text: str | None) -> Iterator[Child]:
    """Give a description, whose words in backticks are code."""
    for number, piece in enumerate(_QUOTED.split(text or "")):
        yield make("code", piece) if number % 2 else piece


def listed(values: Iterable[object]) -> Iterator[Child]:
    """Give values with commas in between."""
    for number, value in enumerate(values):
        yield ", " if number else None
        yield make("code", _written(value))


def field_of(schema: Json, attributes: dict[str, Any]) -> Element:
    """Return the element to give a value with; ``data-kind`` is json for what is not text."""
    schema = _first(schema)
    inner = schema.get("items", {})
    if _FILE in schema or _FILE in inner:
        return make("input", type="file", multiple=_FILE in inner, **attributes)
    choices = schema.get("enum", ["true", "false"] if schema.get("type") == "boolean" else [])
    kind = "text" if schema.get("type", "string") == "string" else "json"
    if choices:
        options = [make("option", str(choice), value=str(choice)) for choice in ("", *choices)]
        return make("select", options, data_kind=kind, **attributes)
    is_secret = attributes.get("name") == "password"
    return make(
        "input",
        type="password" if is_secret else "text",
        value=schema.get("const"),
        data_kind=kind,
        autocomplete="off",
        spellcheck="false",
        placeholder="[1, 2]" if schema.get("type") == "array" else None,
        **attributes,
    )


def _first(schema: Json) -> Json:
    """Return the first alternative that is something."""
    found: Json = next((kind for kind in schema.get("anyOf", []) if kind != _NULL), schema)
    return found


def _bounds(schema: Json) -> str:
    smallest, largest = schema.get("minimum"), schema.get("maximum")
    if smallest is not None and largest is not None:
        return f", {smallest} to {largest}"
    return f", {smallest} or more" if smallest is not None else ""


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
