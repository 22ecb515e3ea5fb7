"""``doctor --url``: what stands between browsers and the service, looked at through proxies that do wrong."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from aiohttp import web

from tests.doctor.proxy import Proxy
from tgbridge.app import MAX_FIELD_BYTES
from tgbridge.doctor import held_back
from tgbridge.doctor.outside import check_outside
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import MakeSettings, Serve
    from tgbridge.app import Service
    from tgbridge.doctor.findings import Finding
    from tgbridge.settings import Settings

CHECKS = {
    f"url.{name}"
    for name in (
        *("reach", "https", "origin", "stranger", "forged", "metrics", "compression", "ranges", "fields"),
        *("methods", "uploads", "cookie", "events", "cors"),
    )
}


class Through(Protocol):
    """Starts a proxy in front of the service, and returns its URL."""

    async def __call__(self, **wrong: Any) -> str: ...


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    listed = {"allowed_origins": ["https://app.example.com", "https://www.example.com"]}
    return make_settings(server={"trusted_proxies": ["127.0.0.1"]}, cors=listed)


@pytest.fixture
async def through(service: Service) -> AsyncIterator[Through]:
    async with AsyncExitStack() as stack:

        async def start(**wrong: Any) -> str:
            options = {"max_field_size": wrong.pop("max_field_size", MAX_FIELD_BYTES)}
            server = web.Server(Proxy(service.url, **wrong), handler_cancellation=True, **options)
            runner = web.ServerRunner(server)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start


async def found(settings: Settings, url: str) -> dict[str, Finding]:
    return {finding.check: finding async for finding in check_outside(settings, url)}


async def test_directly(settings: Settings, service: Service) -> None:
    """With nothing in between all is well, and nothing is left behind."""
    findings = await found(settings, service.url)
    assert {check: finding.verdict for check, finding in findings.items()} == dict.fromkeys(CHECKS, "ok")
    while service.app[keys.POOL].stats.lent or len(service.app[keys.IN_FLIGHT]):
        await asyncio.sleep(0.01)


async def test_through_a_proxy_that_does_right(settings: Settings, through: Through) -> None:
    """A proxy that adds what it should is not noticed."""
    findings = await found(settings, await through())
    assert {check for check, finding in findings.items() if finding.verdict != "ok"} == set()


WRONG: dict[str, tuple[dict[str, Any], set[str]]] = {
    "compresses": ({"compresses": True}, {"url.compression", "url.events"}),
    "says another name": ({"adds": {"Host": "inner:8080", "X-Forwarded-Host": "inner:8080"}}, {"url.origin"}),
    "takes origins away": ({"drops": frozenset({"origin", "sec-fetch-site"})}, {"url.stranger", "url.cors"}),
    "lets no page read": ({"keeps": frozenset({"access-control-allow-origin"})}, {"url.cors"}),
    "lets all pages read": ({"says": {"Access-Control-Allow-Origin": "*"}}, {"url.cors"}),
    "moves the cookie": (
        {"rewrites": lambda _, value: value.replace("Path=/", "Path=/tg/")},
        {"url.cookie"},
    ),
    "gives the cookie away": (
        {"rewrites": lambda _, value: value.replace("Path=/", "Path=/; Domain=example.com")},
        {"url.cookie"},
    ),
    "takes ranges away": ({"drops": frozenset({"range"})}, {"url.ranges"}),
    "has short fields": ({"max_field_size": 8190}, {"url.fields"}),
    "has a limit": ({"most_bytes": 10_000_000}, {"url.uploads"}),
    "knows some methods": ({"methods": frozenset({"GET", "HEAD", "POST"})}, {"url.methods", "url.cors"}),
    "waits for bodies": ({"buffers": True}, {"url.uploads", "url.events"}),
}


@pytest.mark.parametrize(("wrong", "faults"), WRONG.values(), ids=WRONG.keys())
async def test_through_a_proxy_that_does_wrong(
    settings: Settings,
    through: Through,
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, Any],
    faults: set[str],
) -> None:
    """Each fault is found, and nothing else; each with what to do."""
    if "buffers" in wrong:  # what it holds back need not be waited for
        for name in ("_ANSWER_SECONDS", "_EVENT_SECONDS"):
            monkeypatch.setattr(held_back, name, 0.3)
    findings = await found(settings, await through(**wrong))
    bad = {check: finding for check, finding in findings.items() if finding.verdict == "fault"}
    assert bad.keys() == faults
    assert all(finding.remedy for finding in bad.values())


async def test_nothing_is_there(settings: Settings, unused_tcp_port: int) -> None:
    """Without an answer there is one fault, and no list of those that follow from it."""
    findings = await found(settings, f"http://127.0.0.1:{unused_tcp_port}")
    assert {check: finding.verdict for check, finding in findings.items()} == {"url.reach": "fault"}


async def test_something_else_is_there(settings: Settings, serve: Serve, service: Service) -> None:
    """A page that is not the service's, a path too short for instance, is told apart."""
    findings = await found(settings, f"{service.url}/below")
    assert {check: finding.verdict for check, finding in findings.items()} == {"url.reach": "fault"}


async def test_cookie_of_another_configuration(
    settings: Settings, make_settings: MakeSettings, service: Service
) -> None:
    """A doctor whose settings are not the service's own says so, instead of calling the cookie fine."""
    other = make_settings(session={"cookie_name": "another"})
    findings = await found(other, service.url)
    assert findings["url.cookie"].verdict == "fault"
