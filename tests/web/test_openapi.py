"""The API description: valid, complete, and made of what the router serves."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import tgbridge
from tgbridge import errors
from tgbridge.app import ENDPOINTS
from tgbridge.http.statuses import PHRASES, code_of
from tgbridge.web.openapi import describe
from tgbridge.web.routes import docs
from tgbridge.web.routes.upload_form import FIELDS, UploadForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import ClientSession

    from tgbridge.app import Service

OURS: Final = {
    ("POST", "/send-code"),
    ("POST", "/resend-code"),
    ("POST", "/cancel-code"),
    ("POST", "/sign-in"),
    ("POST", "/sign-in-password"),
    ("GET", "/is-authenticated"),
    ("POST", "/logout"),
    ("GET", "/session"),
    ("GET", "/qr-login"),
    ("POST", "/qr-login/claim"),
    ("GET", "/sessions"),
    ("DELETE", "/sessions"),
    ("DELETE", "/sessions/{hash}"),
    ("GET", "/me"),
    ("GET", "/get-saved-messages-media"),
    ("GET", "/media"),
    ("GET", "/media/counts"),
    ("GET", "/events"),
    ("GET", "/media/timeline"),
    ("POST", "/media/delete"),
    ("GET", "/media/{message_id}"),
    ("PATCH", "/media/{message_id}"),
    ("DELETE", "/media/{message_id}"),
    ("POST", "/upload_file"),
    ("GET", "/stream_media/{message_id}"),
    ("GET", "/stream_thumbnail/{message_id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
}


@pytest.fixture
def document() -> dict[str, Any]:
    return describe(ENDPOINTS, cookie_name="tgbridge")


def operations(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def test_valid(document: dict[str, Any]) -> None:
    """It is a valid OpenAPI 3.1 document."""
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


async def test_served(browser: ClientSession, document: dict[str, Any]) -> None:
    """It is what /openapi.json answers."""
    async with browser.get("/openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.json() == document


async def test_complete(service: Service, document: dict[str, Any]) -> None:
    """It describes all of the router but the pages for people; HEAD where it says more than GET."""
    pages = {endpoint.path for endpoint in docs.ENDPOINTS}
    routed = {
        (route.method, route.resource.canonical)
        for route in service.app.router.routes()
        if route.resource is not None and route.method != "*" and route.resource.canonical not in pages
    }
    twins = {("HEAD", path) for method, path in routed if method == "GET"}
    with_bytes = {("HEAD", path) for _, path in twins if path.startswith(("/stream_", "/ticket_"))}
    assert operations(document) == routed - twins | with_bytes


def test_contract(document: dict[str, Any]) -> None:
    """All endpoints of the contract's part 1, and those beyond it that are built, are there."""
    assert operations(document) >= OURS


def test_operation_ids(document: dict[str, Any]) -> None:
    """Each operation has a name of its own, from which clients are generated."""
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_responses(document: dict[str, Any], endpoint: Any) -> None:
    """Each endpoint tells the statuses that follow from what it is, and its own text for 500."""
    responses = document["paths"][endpoint.path][endpoint.method.lower()]["responses"]
    if endpoint.failed is not None:
        assert responses.keys() >= {"429", "500", "503"}
        assert responses["500"]["description"] == endpoint.failed
    assert ("401" in responses) >= endpoint.signed_in
    assert all("X-Request-Id" in response["headers"] for response in responses.values())


def test_media_item(document: dict[str, Any]) -> None:
    """The schemas say which fields are always there; a client need not guess."""
    item = document["components"]["schemas"]["MediaItem"]
    assert set(item["required"]) == {
        "id",
        "name",
        "type",
        "timestamp",
        "size",
        "caption",
        "has_thumbnail",
        "url",
        "thumbnail_url",
    }
    assert document["paths"]["/get-saved-messages-media"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"] == {"items": {"$ref": "#/components/schemas/MediaItem"}, "type": "array"}


def test_events(document: dict[str, Any]) -> None:
    """A stream of events is described by their names, each with what its data holds."""
    content = document["paths"]["/qr-login"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {"text/event-stream"}
    found = [event["properties"] for event in content["text/event-stream"]["schema"]["oneOf"]]
    names = {
        event["event"]["const"]: event["data"]["contentSchema"]["$ref"].rpartition("/")[2] for event in found
    }
    mapped = document["components"]["schemas"]["QrLoginEvents"]["properties"]
    assert {name: schema["$ref"].rpartition("/")[2] for name, schema in mapped.items()} == names
    assert names == {
        "qr": "QrCodeShown",
        "authenticated": "QrAuthenticated",
        "password_required": "QrPasswordRequired",
        "expired": "QrExpired",
    }
    assert set(names.values()) <= document["components"]["schemas"].keys()


def test_optional_body(document: dict[str, Any]) -> None:
    """A body of which nothing is required may be left out."""
    required = {
        path: operation["requestBody"]["required"]
        for path, item in document["paths"].items()
        for operation in item.values()
        if "requestBody" in operation
    }
    assert (required["/resend-code"], required["/send-code"]) == (False, True)


def test_optional_fields(document: dict[str, Any]) -> None:
    """What may be left out is optional, has no default, and is never null in an answer or a form."""
    for name, schema in document["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            assert "default" not in said, (name, field)
            may_be_null = {"type": "null"} in said.get("anyOf", ())
            is_json_input = name.endswith("Input") and name != "UploadInput"
            assert not may_be_null or field in schema.get("required", ()) or is_json_input, (name, field)


def test_files(document: dict[str, Any]) -> None:
    """Files are strings of a content type, and those of a form an array."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    fields = document["components"]["schemas"]["UploadInput"]["properties"]
    assert (fields["file"]["type"], fields["file"]["items"]) == ("array", file)
    assert fields["thumbnail"].items() >= file.items()
    stream = document["paths"]["/stream_media/{message_id}"]["get"]["responses"]
    assert stream["200"]["content"]["*/*"]["schema"] == stream["206"]["content"]["*/*"]["schema"] == file
    uploads = document["paths"]["/uploads/{upload_id}"]["patch"]["requestBody"]["content"]
    assert uploads["application/offset+octet-stream"]["schema"] == file


def test_cookies(document: dict[str, Any]) -> None:
    """Answers that set the cookie say so, or that clear it."""
    for path, status in {
        "/send-code": "200",
        "/sign-in": "200",
        "/sign-in-password": "200",
        "/qr-login/claim": "200",
        "/logout": "200",
        "/upload_file": "401",
    }.items():
        assert "Set-Cookie" in document["paths"][path]["post"]["responses"][status]["headers"], path


def test_servers(document: dict[str, Any]) -> None:
    """The service is where the document is, whatever proxies put in front of both."""
    assert document["servers"] == [{"url": "."}]


def codes_in(source: str) -> Iterator[str]:
    """Yield what stands as the code of an answer, by its keyword or at its place."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        place = {"Refusal": 2, "Problem": 1, "NotFound": 1}.get(name)
        given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if place is not None and len(node.args) > place:
            given.append(node.args[place])
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def code_of_field(name: str) -> str | None:
    try:
        UploadForm().take(name, "?")
    except errors.HTTPFailure as refused:
        return refused.code
    return None


def test_codes(document: dict[str, Any]) -> None:
    """Every code that the service can answer is in the enum, wherever in the source it stands."""
    package = Path(tgbridge.__file__).parent
    answered = {
        code
        for path in package.rglob("*.py")
        if "sandbox" not in path.parts
        for code in codes_in(path.read_text(encoding="utf-8"))
    }
    assert len(answered) > 40
    answered |= {answer.code or name for name, answer in errors.ANSWERS.items()}
    answered |= errors.SESSION_ENDED | errors.FLOOD_WAITS | set(map(code_of, PHRASES))
    answered |= {code for name in FIELDS if (code := code_of_field(name)) is not None}
    answered |= {errors.UNAVAILABLE, errors.EXHAUSTED, errors.INTERNAL, errors.FILE_TOO_LARGE_CODE}
    assert answered - set(document["components"]["schemas"]["ErrorCode"]["enum"]) == set()


@pytest.mark.parametrize("name", ["ErrorBody", "PasswordRequired", "Failed"])
def test_error_bodies(document: dict[str, Any], name: str) -> None:
    """Each has a code, one of the enum; where something unforeseen has failed, it may be another one."""
    schema = document["components"]["schemas"][name]
    assert {"error", "code"} <= set(schema["required"])
    code = schema["properties"]["code"]
    assert ("anyOf" in code) == (name == "Failed")
    assert (code["anyOf"][0] if name == "Failed" else code) == {"$ref": "#/components/schemas/ErrorCode"}
    # A login's own code is none of them.
    assert document["components"]["schemas"]["SignInInput"]["properties"]["code"]["type"] == "string"
