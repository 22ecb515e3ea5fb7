"""/metrics: what Prometheus is told, and who else is told that there is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pytest
from aiohttp import FormData
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from tests.web.routes.rows import PHONE, post
from tgbridge.web.metrics.families import FAMILIES
from tgbridge.web.metrics.page import page
from tgbridge.web.routes import metrics as route

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, MakeSettings, NewBrowser, Serve
    from tests.web.routes.conftest import AddFile, Get
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

ROOT: Final = Path(__file__).parent.parent.parent.parent
MIB: Final = 1024 * 1024


async def scrape(browser: ClientSession) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    async with browser.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_metrics(text)
        for sample in family.samples
    }


class Numbers:
    """What has changed between two scrapes."""

    def __init__(self, browser: ClientSession) -> None:
        self._browser = browser

    async def __aenter__(self) -> Self:
        self._before = await scrape(self._browser)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._after = await scrape(self._browser)

    def __call__(self, name: str, **labels: str) -> float:
        key = f"tgbridge_{name}", frozenset(labels.items())
        return self._after.get(key, 0.0) - self._before.get(key, 0.0)


async def test_requests(browser: ClientSession, exchange: Exchange, service: Service) -> None:
    """Requests are counted by the route's template; what has none, and what is no HTTP, is one."""
    async with Numbers(browser) as numbers:
        for path in ("/healthz", "/stream_media/1", "/stream_media/2", "/nothing", "/wp-login.php"):
            await browser.get(path)
        await exchange(service, b"nothing of the kind\r\n\r\n")
        await exchange(service, b"PROPFIND /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    route = "/stream_media/{message_id}"
    assert numbers("http_requests_total", method="GET", route="/healthz", status="200") == 1
    assert numbers("http_requests_total", method="GET", route=route, status="401") == 2
    assert numbers("http_requests_total", method="GET", route="other", status="404") == 2
    assert numbers("http_requests_total", method="other", route="other", status="400") == 1
    assert numbers("http_requests_total", method="other", route="other", status="405") == 1
    assert numbers("http_first_byte_seconds_count", route="/healthz") == 1
    assert numbers("http_first_byte_seconds_bucket", route="/healthz", le="+Inf") == 1


async def test_transfers(browser: ClientSession, sign_in: Any, get: Get, add_file: AddFile) -> None:
    """Bytes by direction and data centre, calls, and what the caches spared."""
    await sign_in(browser)
    file = add_file(MIB, dc=2)
    async with Numbers(browser) as numbers:
        for _ in range(2):
            assert len((await get(file.path, headers={"Range": "bytes=0-"}, browser=browser)).body) == MIB
        form = FormData()
        form.add_field("file", b"x" * 1000, filename="x.bin")
        async with browser.post("/upload_file", data=form) as response:
            assert response.status == 200
    assert numbers("transfer_bytes_total", direction="received", dc="2") == MIB
    assert numbers("transfer_bytes_total", direction="sent", dc="1") == 1000
    assert numbers("telegram_calls_total", method="upload.getFile", outcome="answered") > 0
    assert numbers("cache_misses_total", cache="parts") > 0
    assert numbers("cache_hits_total", cache="parts") > 0
    assert numbers("cache_misses_total", cache="messages") == 1
    assert numbers("cache_hits_total", cache="messages") == 1
    assert numbers("telegram_connects_total", outcome="opened") >= 1
    for gauge in ("parts_in_flight", "budget_held_bytes", "transfers"):
        assert all(value == 0 for (name, _), value in numbers._after.items() if name == f"tgbridge_{gauge}")
    assert numbers._after["tgbridge_clients", frozenset({("state", "idle")})] >= 1


async def test_renewed_references(
    browser: ClientSession, sign_in: Any, get: Get, add_file: AddFile, sandbox: Sandbox
) -> None:
    """A file reference that has expired is counted once, however many parts are told so."""
    await sign_in(browser)
    file = add_file(4 * MIB)
    await get(file.path, headers={"Range": "bytes=0-0"}, browser=browser)
    sandbox.faults.expire_file_references()
    async with Numbers(browser) as numbers:
        answer = await get(file.path, headers={"Range": f"bytes={MIB}-"}, browser=browser)
        assert answer.body == file.content[MIB:]
    assert numbers("telegram_references_renewed_total") == 1


async def test_logins_and_flood_waits(sandbox: Sandbox, browser: ClientSession) -> None:
    """Logins are counted by step and outcome, flood waits by method and in seconds."""
    async with Numbers(browser) as numbers:
        sandbox.faults.flood_wait("auth.sendCode", seconds=33)
        assert (await post(browser, "/send-code", {"phone": PHONE}))[0] == 429
        assert (await post(browser, "/send-code", {"phone": PHONE}))[0] == 200
        assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "99999"}))[0] == 400
        assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
    assert numbers("telegram_flood_wait_seconds_total", method="auth.sendCode") == 33
    assert numbers("telegram_calls_total", method="auth.sendCode", outcome="flood_wait") == 1
    assert numbers("logins_total", step="send_code", outcome="FLOOD_WAIT") == 1
    assert numbers("logins_total", step="send_code", outcome="succeeded") == 1
    assert numbers("logins_total", step="code", outcome="PHONE_CODE_INVALID") == 1
    assert numbers("logins_total", step="code", outcome="succeeded") == 1


async def test_open_metrics(browser: ClientSession) -> None:
    """Whoever asks for OpenMetrics is told in OpenMetrics."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with browser.get("/metrics", headers=accept) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        families = list(open_metrics(await response.text()))  # type: ignore[no-untyped-call]  # theirs
    assert {family.name for family in FAMILIES} <= {family.name for family in families}
    assert "process_open_fds" in {family.name for family in families}


PASSED_ON: Final = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1, 127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"Forwarded": "for=127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"X-Real-IP": "127.0.0.1"},
]


@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)], ids=["trusted", "not trusted"])
@pytest.mark.parametrize("fields", PASSED_ON, ids=str)
async def test_not_through_a_proxy(
    serve: Serve,
    make_settings: MakeSettings,
    new_browser: NewBrowser,
    fields: dict[str, str],
    trusted: tuple[str, ...],
) -> None:
    """What a proxy on this machine passes on comes from anywhere: a 404 like that of any other path."""
    service = await serve(make_settings(server={"trusted_proxies": list(trusted)}))
    browser = new_browser(service)
    async with browser.get("/metrics", headers=fields) as response:
        told = response.status, await response.json()
    async with browser.get("/nothing", headers=fields) as response:
        assert (response.status, await response.json()) == told
    assert told[0] == 404


PEERS: Final[dict[str | None, bool]] = {
    "127.0.0.1": True,
    "127.8.9.1": True,
    "::1": True,
    "::ffff:127.0.0.1": True,
    "10.1.2.3": True,
    "::ffff:10.1.2.3": True,
    "fd00::5": True,
    "10.9.9.9": False,  # a proxy
    "10.2.0.1": False,
    "fe80::1%eth0": False,
    "192.0.2.1": False,
    "": False,
    None: False,
}


@pytest.mark.parametrize(("peer", "may"), PEERS.items())
def test_who_may(make_settings: MakeSettings, peer: str | None, may: bool) -> None:
    """This machine, and those that the settings name, unless they are proxies."""
    settings = make_settings(
        metrics={"allowed_addresses": ["10.1.0.0/16", "10.9.9.9", "fd00::/8"]},
        server={"trusted_proxies": ["10.9.9.9"]},
    )
    assert route._may_read(peer, settings) is may


def test_documented() -> None:
    """docs/metrics.md is what the table of metrics makes."""
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == page()


def test_names() -> None:
    """Names have the units that Prometheus's guide asks for, and are told apart."""
    names = [family.name for family in FAMILIES]
    assert len(names) == len(set(names))
    for family in FAMILIES:
        assert family.name.startswith("tgbridge_")
        assert not family.name.endswith(("_total", "_ms", "_milliseconds", "_kb", "_mb", "_info"))
        assert len(family.meaning) > 5
