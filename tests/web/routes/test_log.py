"""What an operator sees: how the service began and ended, and why somebody was refused or cut off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import ClientError, ClientPayloadError
from structlog.testing import capture_logs

from tests.web.routes.events import events
from tests.web.routes.rows import PHONE, post
from tgbridge import __version__
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from tests.conftest import Exchange, MakeSettings, NewBrowser, Serve
    from tests.web.routes.conftest import AddFile, SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

MIB = 1024 * 1024
APP: Final = "https://app.example.com"
CALLED: Final = "tg.example.com"


@pytest.fixture
async def strict(serve: Serve, make_settings: MakeSettings) -> Service:
    """A service behind a proxy that does not say that it speaks https."""
    return await serve(
        make_settings(
            limits={"enabled": True, "send_code_per_address": 1},
            cors={"allowed_origins": [APP]},
            server={"allowed_hosts": [CALLED], "trusted_proxies": ["10.0.0.0/8", "::1"]},
        )
    )


def line_of(lines: list[Any], event: str, path: str | None = None) -> dict[str, Any]:
    """Return the one line of this event."""
    (found,) = (
        line for line in lines if line["event"] == event and (path is None or line.get("path") == path)
    )
    return dict(found)


async def written(browser: ClientSession) -> None:
    """Wait until the lines of the requests before are there: one is written after its answer is out."""
    await browser.get("/nothing", headers={"Host": CALLED})


async def test_flood_wait(sandbox: Sandbox, browser: ClientSession) -> None:
    """Telegram's own wait is in the line, with its seconds."""
    sandbox.faults.flood_wait("auth.sendCode", seconds=33)
    with capture_logs() as lines:
        assert (await post(browser, "/send-code", {"phone": PHONE}))[0] == 429
        await written(browser)
    line = line_of(lines, "answered", "/send-code")
    assert (line["status"], line["code"], line["retry_after"]) == (429, "FLOOD_WAIT", 33)


async def test_own_limits(strict: Service, new_browser: NewBrowser) -> None:
    """A limit of ours is in the line by its setting's name, with the seconds."""
    browser, named = new_browser(strict), {"Host": CALLED}
    with capture_logs() as lines:
        for status in (400, 429):
            assert (await post(browser, "/send-code", {"phone": "x"}, headers=named))[0] == status
        await written(browser)
    missing, refused = (line for line in lines if line.get("path") == "/send-code")
    assert "retry_after" not in missing
    assert (refused["code"], refused["limit"]) == ("TOO_MANY_REQUESTS", "send_code_per_address")
    assert 590 < refused["retry_after"] <= 600


ORIGINS: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "https": ({"Origin": f"https://{CALLED}"}, {"origin": f"https://{CALLED}"}),
    "another": (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"origin": "https://evil.example", "site": "cross-site"},
    ),
    "none": ({"Sec-Fetch-Site": "same-site"}, {"site": "same-site"}),
}


@pytest.mark.parametrize(("headers", "told"), ORIGINS.values(), ids=ORIGINS.keys())
async def test_refused_origin(
    strict: Service, new_browser: NewBrowser, headers: Mapping[str, str], told: Mapping[str, str]
) -> None:
    """The line names both origins that were compared: most often one sees what the proxy does not say."""
    browser = new_browser(strict)
    with capture_logs() as lines:
        assert (await post(browser, "/logout", headers={"Host": CALLED, **headers}))[0] == 403
        await written(browser)
    line = line_of(lines, "answered", "/logout")
    assert (line["status"], line["code"], line["own_origin"]) == (
        403,
        "ORIGIN_NOT_ALLOWED",
        f"http://{CALLED}",
    )
    assert {name: line[name] for name in ("origin", "site") if name in line} == told


async def test_wrong_host(strict: Service, new_browser: NewBrowser, exchange: Exchange) -> None:
    """The line names the host that the service was called by."""
    with capture_logs() as lines:
        for host in (b"evil.example:80", b"evil.example/"):
            await exchange(strict, b"GET /healthz HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
        await written(new_browser(strict))
    told = [(line["status"], line["code"], line["host"]) for line in lines if line.get("path") == "/healthz"]
    assert told == [
        (421, "MISDIRECTED_REQUEST", "evil.example:80"),
        (400, "INVALID_HOST", "evil.example/"),
    ]


async def test_stream_that_fails(sandbox: Sandbox, signed_in: ClientSession, add_file: AddFile) -> None:
    """A stream that Telegram has broken off was not answered, and the line says why."""
    file = add_file(6 * MIB)
    sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID", skip=3, times=None)
    with capture_logs() as lines:
        async with signed_in.get(file.path) as response:
            with pytest.raises(ClientPayloadError):
                await response.read()
        await written(signed_in)
    line = line_of(lines, "broken off", file.path)
    assert (line["status"], line["code"], line["reason"]) == (200, "LOCATION_INVALID", "TelegramRefused")
    assert 0 < line["bytes"] < 6 * MIB
    assert not [line for line in lines if (line["event"], line.get("path")) == ("answered", file.path)]


async def test_stream_whose_reader_goes_away(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, add_file: AddFile, until: Until
) -> None:
    """Nor was one that nobody wanted any more, wherever it stood: waiting for Telegram, or for the socket."""
    file = add_file(20 * MIB)
    with capture_logs() as lines:
        for held in (True, False):
            if held:
                sandbox.faults.hold("upload.getFile", skip=2)
            async with signed_in.get(file.path) as response:
                await response.content.readexactly(1)
                response.close()
            await until(lambda: not service.app[keys.IN_FLIGHT])
            sandbox.faults.clear()
        await written(signed_in)
    assert [line["event"] for line in lines if line.get("path") == file.path] == ["broken off"] * 2


async def test_start(serve: Serve, make_settings: MakeSettings) -> None:
    """The first line says what most often explains a refusal."""
    with capture_logs() as lines:
        service = await serve(
            make_settings(
                server={"trusted_proxies": ["10.0.0.0/8", "::1"], "allowed_hosts": [CALLED]},
                cors={"allowed_origins": [APP]},
                limits={"enabled": None},
                session={"secure": None},
            )
        )
    assert line_of(lines, "listening") == {
        "event": "listening",
        "log_level": "info",
        "version": __version__,
        "url": service.url,
        "sockets_given": 0,
        "trusted_proxies": ["10.0.0.0/8", "::1/128"],
        "allowed_hosts": [CALLED],
        "allowed_origins": [APP],
        "limits": True,
        "secure": True,
    }


async def test_stop(
    sandbox: Sandbox, signed_in_to: SignedInTo, new_browser: NewBrowser, add_file: AddFile
) -> None:
    """A stop says for how many requests it waits, and how many it cut; each of those has a line."""
    service, browser = await signed_in_to(server={"drain_seconds": 0.05})
    file = add_file(20 * MIB)
    held = sandbox.faults.hold("upload.getFile", skip=2)
    with capture_logs() as lines:
        async with browser.get(file.path) as stream, events(new_browser(service), "/qr-login") as page:
            await page.next()
            await stream.content.readexactly(1)
            await service.stop()
            with pytest.raises(ClientError):
                await stream.read()
        await service.stop()
    draining = line_of(lines, "draining")
    assert (draining["requests"], draining["at_most_seconds"]) == (2, 0.05)
    drained = line_of(lines, "drained")
    assert (drained["log_level"], drained["cut"]) == ("warning", 1)
    cut = [line for line in lines if line["event"] == "broken off"]
    assert {(line["path"], line["status"], line["reason"]) for line in cut} == {
        (file.path, 200, "the service stops"),
    }
    held.release()


async def test_stop_without_anything_to_cut(signed_in_to: SignedInTo, add_file: AddFile) -> None:
    """What came to its end in time was not cut."""
    service, browser = await signed_in_to()
    file = add_file(20 * MIB)
    with capture_logs() as lines:
        async with browser.get(file.path) as response:
            await response.content.readexactly(1)
            stopping = asyncio.create_task(service.stop())
            await response.read()
        await stopping
    drained = line_of(lines, "drained")
    assert (drained["log_level"], drained["cut"]) == ("info", 0)
    assert line_of(lines, "answered", file.path)["bytes"] == 20 * MIB
