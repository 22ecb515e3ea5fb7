"""The page itself. It needs docs.css and docs.js, which stand beside it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tgbridge.web.docs.elements import make, write
from tgbridge.web.docs.shapes import field_of, kind_of, link, listed, name_of, prose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from tgbridge.schemas import Json
    from tgbridge.web.docs.elements import Child

_BYTES: Final = "bytes"
_BODY: Final = "body"
_USUAL_FIELD: Final = "X-Request-Id"
_PLACES: Final = {"path": "Path", "query": "Query", "header": "Header fields", _BODY: "Body"}


class Example(NamedTuple):
    """An account that anybody may sign in to."""

    phone: str
    code: str


def page(document: Json, *, root: str, example: Example | None) -> str:
    """Render ``document``. ``root`` is where the service's root is, seen from the page: "" or "../"."""
    title = f"{document['info']['title']} {document['info']['version']}"
    head = make(
        "head",
        make("meta", charset="utf-8"),
        make("meta", name="viewport", content="width=device-width, initial-scale=1"),
        make("meta", name="color-scheme", content="light dark"),
        make("title", f"{title}: the API"),
        make("link", rel="stylesheet", href=f"{root}docs.css"),
        make("script", type="module", src=f"{root}docs.js"),
    )
    groups = dict(_groups(document))
    body = make(
        "body",
        make("a", "Skip to the endpoints", class_="skip", href="#endpoints"),
        _header(document, title, root, example),
        make(
            "nav",
            (make("ul", map(_entry, operations)) for operations in groups.values()),
            aria_label="Endpoints",
        ),
        make(
            "main",
            make("h2", "Endpoints"),
            (make("section", map(_operation, rows), aria_label=tag) for tag, rows in groups.items()),
            make("h2", "Bodies"),
            (_schema(name, schema) for name, schema in document["components"]["schemas"].items()),
            id="endpoints",
        ),
    )
    return write(make("html", head, body, lang="en"))


class _Operation(NamedTuple):
    method: str
    path: str
    told: Json
    schemas: Json

    @property
    def id(self) -> str:
        return f"op-{self.told['operationId']}"

    @property
    def body(self) -> tuple[str | None, Json]:
        """The media type and schema of what it reads."""
        for media_type, content in self.told.get("requestBody", {}).get("content", {}).items():
            return media_type, content["schema"]
        return None, {}


def _groups(document: Json) -> Iterator[tuple[str, list[_Operation]]]:
    groups: dict[str, list[_Operation]] = {}
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            groups.setdefault(told["tags"][0], []).append(
                _Operation(method.upper(), path, told, document["components"]["schemas"])
            )
    yield from groups.items()


def _header(document: Json, title: str, root: str, example: Example | None) -> Element:
    sign_in = None
    if example is not None:
        sign_in = make(
            "form",
            make("button", f"Sign in as {example.phone}"),
            id="example",
            data_phone=example.phone,
            data_code=example.code,
        )
    return make(
        "header",
        make("h1", title),
        make("p", prose(document["info"]["description"])),
        make("p", "For programs: ", make("a", "openapi.json", href=f"{root}openapi.json"), "."),
        make("p", id="session", role="status"),
        sign_in,
        make("noscript", make("p", "Without JavaScript this page is for reading only.")),
    )


def _entry(operation: _Operation) -> Element:
    return make("li", make("a", *_name(operation), href=f"#{operation.id}"))


def _name(operation: _Operation) -> Iterator[Child]:
    yield make("code", operation.method, class_=f"method {operation.method.lower()}")
    yield " "
    yield make("code", operation.path)


def _operation(operation: _Operation) -> Element:
    told = operation.told
    return make(
        "details",
        make("summary", make("h3", *_name(operation)), " ", make("span", told["summary"])),
        make("p", "For those who are signed in.") if "security" in told else None,
        _form(operation),
        make("h4", "Answers"),
        make(
            "table",
            make("thead", make("tr", (make("th", name, scope="col") for name in ("Status", "What", "Body")))),
            make("tbody", (_answer(status, answer) for status, answer in told["responses"].items())),
        ),
        id=operation.id,
    )


def _form(operation: _Operation) -> Element:
    """Make the form that tries an operation, which tells its parameters and its body as well."""
    media_type, schema = operation.body
    fields: dict[str, list[Element]] = {}
    for parameter in operation.told.get("parameters", []):
        row = _field(operation, parameter["name"], parameter, parameter["schema"], parameter["in"])
        fields.setdefault(parameter["in"], []).append(row)
    if media_type is not None:
        fields[_BODY] = list(_body_fields(operation, media_type, schema))
    return make(
        "form",
        (
            make("fieldset", make("legend", _PLACES[place], _of_body(media_type, schema, place)), rows)
            for place, rows in fields.items()
        ),
        make("p", make("button", "Send"), " ", make("button", "Stop", type="button", hidden=True)),
        make("div", class_="answer", hidden=True),
        class_="try",
        aria_label=f"Try {operation.method} {operation.path}",
        data_method=operation.method,
        data_path=operation.path,
        data_body=media_type,
    )


def _of_body(media_type: str | None, schema: Json, place: str) -> Iterator[Child]:
    if place == _BODY:
        yield from (": ", make("code", media_type))
        if (name := name_of(schema)) is not None:
            yield from (", ", link(name))


def _body_fields(operation: _Operation, media_type: str, schema: Json) -> Iterator[Element]:
    described = operation.schemas.get(name_of(schema) or "", {})
    properties = described.get("properties", {})
    if not properties:
        yield _field(operation, _BYTES, {"description": media_type}, schema, _BYTES)
    for name, field in properties.items():
        told = {"required": name in described.get("required", []), "description": field.get("description")}
        yield _field(operation, name, told, field, _BODY)


def _field(operation: _Operation, name: str, told: Json, schema: Json, place: str) -> Element:
    key = f"{operation.id}-{place}-{name}"
    is_required = bool(told.get("required"))
    attributes = {
        "id": key,
        "name": name,
        "data_in": place,
        "aria_describedby": f"{key}-what",
        "data_required": is_required,
        # Elsewhere it may be left out, to see what the service says then.
        "required": place == "path",
    }
    return make(
        "div",
        make("label", make("code", name), for_=key),
        field_of(schema, attributes),
        make(
            "small",
            kind_of(schema),
            "; required" if is_required else None,
            [". ", *prose(told["description"])] if told.get("description") else None,
            id=f"{key}-what",
        ),
        class_="field",
    )


def _answer(status: str, answer: Json) -> Element:
    fields = [name for name in answer.get("headers", {}) if name != _USUAL_FIELD]
    return make(
        "tr",
        make("th", status, scope="row"),
        make(
            "td",
            prose(answer["description"]),
            [make("br"), "Fields: ", *listed(fields)] if fields else None,
        ),
        make("td", (child for body in answer.get("content", {}).items() for child in _body(*body))),
    )


def _body(media_type: str, content: Json) -> Iterator[Child]:
    if codes := content.get("examples"):
        yield from listed(list(codes))
        return
    yield make("code", media_type)
    yield " "
    if "oneOf" in content["schema"]:
        for event in content["schema"]["oneOf"]:
            told = event["properties"]
            yield make("br")
            yield make("code", told["event"]["const"])
            yield " "
            yield from kind_of(told["data"]["contentSchema"])
    else:
        yield from kind_of(content["schema"])


def _schema(name: str, schema: Json) -> Element:
    rows = [
        make(
            "tr",
            make("th", make("code", field), scope="row"),
            make("td", kind_of(told), "; required" if field in schema.get("required", []) else None),
            make("td", prose(told.get("description"))),
        )
        for field, told in schema.get("properties", {}).items()
    ]
    columns = make("tr", (make("th", column, scope="col") for column in ("Field", "Type", "What")))
    return make(
        "details",
        make("summary", make("h3", name)),
        make("p", prose(schema.get("description"))),
        make("table", make("thead", columns), make("tbody", rows)) if rows else make("p", kind_of(schema)),
        id=f"schema-{name}",
    )
