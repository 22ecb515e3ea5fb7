"""The page that is rendered from the description."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

import pytest

from tgbridge.app import ENDPOINTS
from tgbridge.web.docs.page import Example, page
from tgbridge.web.openapi import describe

if TYPE_CHECKING:
    from tgbridge.schemas import Json

_VOID: Final = frozenset({"br", "img", "input", "link", "meta"})
HOSTILE: Final = "</code><script>alert(1)</script>\"'&amp;"


class Reading(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def document() -> Json:
    return describe(ENDPOINTS, cookie_name="tgbridge")


@pytest.fixture(scope="module")
def read(document: Json) -> Reading:
    return Reading(page(document, root="", example=None))


def test_well_formed(read: Reading) -> None:
    """Each element is closed where it should be, each id is there once, and each reference has its target."""
    assert read.open == []
    ids = Counter(attributes["id"] for _, attributes in read.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    targets = [href.removeprefix("#") for a in read.all("a") if (href := a["href"] or "").startswith("#")]
    described = [name for _, told in read.elements if (name := told.get("aria-describedby"))]
    labelled = [label["for"] for label in read.all("label")]
    assert {*targets, *described, *labelled} <= ids.keys()


def test_each_endpoint(document: Json, read: Reading) -> None:
    """Each operation has its place, a form that tries it, and all of its parameters and codes."""
    forms = {(form["data-method"], form["data-path"]) for form in read.all("form")}
    texts = set(read.texts)
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            assert (method.upper(), path) in forms
            assert told["summary"] in texts
            for answer in told["responses"].values():
                for content in answer.get("content", {}).values():
                    assert set(content.get("examples", {})) <= texts
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= {
        told.get("id") for told in read.all("details")
    }


def test_fields(document: Json, read: Reading) -> None:
    """What an operation takes has a field: path, query, header, and each of a body's, files as files."""
    fields = {told["id"]: told for told in read.all("input", "select")}
    for operations in document["paths"].values():
        for told in operations.values():
            for parameter in told.get("parameters", []):
                key = f"op-{told['operationId']}-{parameter['in']}-{parameter['name']}"
                assert fields[key]["data-in"] == parameter["in"]
    file = fields["op-upload_file-body-file"]
    assert (file["type"], "multiple" in file) == ("file", True)
    assert fields["op-continue_upload-bytes-bytes"]["type"] == "file"
    assert fields["op-sign_in_password-body-password"]["type"] == "password"
    assert fields["op-delete_items-body-ids"]["data-kind"] == "json"
    assert "required" in fields["op-get_item-path-message_id"]


def test_accessible(read: Reading) -> None:
    """Each field has a label, each landmark and form a name, and a language is told."""
    labelled = {label["for"] for label in read.all("label")}
    assert {told["id"] for told in read.all("input", "select")} <= labelled
    assert all(told.get("aria-label") for told in read.all("nav", "section"))
    assert read.all("html") == [{"lang": "en"}]


def test_nothing_within(read: Reading) -> None:
    """Neither script nor style is in the page, so that the policy allows none; they stand beside it."""
    assert read.all("style") == []
    assert not any(name == "style" or name.startswith("on") for _, told in read.elements for name in told)
    assert [told["src"] for told in read.all("script")] == ["docs.js"]
    assert [told["href"] for told in read.all("link")] == ["docs.css"]


def test_root(document: Json) -> None:
    """Below a slash its files are one step up."""
    html = Reading(page(document, root="../", example=None))
    assert html.all("script")[0]["src"] == "../docs.js"


def test_example(document: Json) -> None:
    """There is a button for an account that anybody may sign in to, if there is one."""
    html = Reading(page(document, root="", example=Example("+9996610001", "11111")))
    assert {"id": "example", "data-phone": "+9996610001", "data-code": "11111"} in html.all("form")
    assert "Sign in as +9996610001" in html.texts


def test_escaped(document: Json, read: Reading) -> None:
    """No text of the description becomes markup, wherever it stands."""

    def changed(value: Any) -> Any:
        match value:
            case dict():
                names = ("description", "summary", "title", "version")
                return {
                    key: HOSTILE if key in names and isinstance(told, str) else changed(told)
                    for key, told in value.items()
                }
            case list():
                return [changed(told) for told in value]
        return value

    hostile = changed(document) | {"components": {"schemas": {HOSTILE: {"enum": [HOSTILE]}}}}
    html = Reading(page(hostile, root="", example=Example(HOSTILE, HOSTILE)))
    assert len(html.all("script")) == 1
    assert HOSTILE in html.texts
    assert html.all("form")[0]["data-phone"] == HOSTILE
    assert html.open == []
