"""The API description: valid, complete, and made of what the router serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tgbridge.app import ENDPOINTS
from tgbridge.openapi import describe

if TYPE_CHECKING:
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
    ("POST", "/upload_file"),
    ("GET", "/stream_media/{message_id}"),
    ("GET", "/stream_thumbnail/{message_id}"),
    ("GET", "/healthz"),
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
    """It describes every method and path of the router, and no other."""
    routed = {
        (route.method, route.resource.canonical)
        for route in service.app.router.routes()
        if route.resource is not None and route.method != "*"
    }
    assert operations(document) == routed


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
    assert set(item["required"]) == {"id", "name", "type", "timestamp", "size", "caption", "has_thumbnail"}
    assert document["paths"]["/get-saved-messages-media"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"] == {"items": {"$ref": "#/components/schemas/MediaItem"}, "type": "array"}


def test_events(document: dict[str, Any]) -> None:
    """A stream of events is described by what their data may be."""
    content = document["paths"]["/qr-login"]["get"]["responses"]["200"]["content"]
    names = {"QrCodeShown", "QrAuthenticated", "QrPasswordRequired", "QrExpired"}
    assert content.keys() == {"text/event-stream"}
    found = content["text/event-stream"]["schema"]["anyOf"]
    assert {schema["$ref"].rpartition("/")[2] for schema in found} == names
    assert names <= document["components"]["schemas"].keys()


def test_optional_body(document: dict[str, Any]) -> None:
    """A body of which nothing is required may be left out."""
    required = {
        path: operation["requestBody"]["required"]
        for path, item in document["paths"].items()
        for operation in item.values()
        if "requestBody" in operation
    }
    assert (required["/resend-code"], required["/send-code"]) == (False, True)
