"""deploy/nginx.conf in a real nginx, before the service and a server of pages (make nginx-test)."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import ClientSession, ClientTimeout, CookieJar, FormData, TCPConnector, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.devices import device, scan
from tests.nextjs.conftest import free_port
from tests.web.routes.events import events
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import MakeSettings, Serve
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.nginx, pytest.mark.timeout(120)]

CONF: Final = Path(__file__).parent.parent.parent / "deploy/nginx.conf"
HOST: Final = "tg.example.com"
PHONE: Final = "+9996610001"
TUS: Final = {"Tus-Resumable": "1.0.0"}
# One process in the foreground. It compresses, as many are set to, so that the file has to see to that.
AROUND: Final = """
daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log;
events {{ }}
http {{
    access_log {directory}/access.log; gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    include {directory}/site.conf;
}}
"""


def write_certificate(directory: Path) -> None:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (directory / "pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "key").write_bytes(encoded)


def write_site(directory: Path, **instead: str) -> None:
    """Put the file there, as somebody would who has another name, certificate or port."""
    text = CONF.read_text(encoding="utf-8")
    for old, new in instead.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (directory / "site.conf").write_text(text, encoding="utf-8")
    (directory / "nginx.conf").write_text(AROUND.format(directory=directory), encoding="utf-8")


def sites(directory: Path, port: int, service: str, pages: str) -> dict[str, str]:
    """What stands in the file instead of what is there: by a port, and where service and pages are."""
    return {
        "127.0.0.1:8080": service,
        "127.0.0.1:3000": pages,
        "listen [::]:443 ssl http2;": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/certs/tg.example.com.pem": f"{directory}/pem",
        "/etc/ssl/private/tg.example.com.key": f"{directory}/key",
    }


@asynccontextmanager
async def nginx(directory: Path, port: int) -> AsyncIterator[None]:
    binary = os.environ.get("NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        pytest.fail("no nginx here. On Debian: apt install nginx-light; elsewhere set NGINX to its path")
    command = (binary, "-p", directory, "-c", directory / "nginx.conf")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(30):
            while not await accepts(port):
                if process.returncode is not None:
                    assert process.stderr is not None
                    pytest.fail((await process.stderr.read()).decode())
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        await asyncio.sleep(0.01)
        return False
    writer.transport.abort()
    return True


@pytest.fixture
async def service(serve: Serve, make_settings: MakeSettings) -> Service:
    return await serve(make_settings(server={"trusted_proxies": ["127.0.0.1"]}, session={"secure": True}))


@pytest.fixture
async def pages() -> AsyncIterator[int]:
    """The port of a server of pages."""

    async def index(request: web.Request) -> web.Response:
        return web.json_response([request.path, request.headers["X-Forwarded-Proto"]])

    app = web.Application()
    app.router.add_get("/{path:.*}", index)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture
async def browser(service: Service, pages: int, tmp_path: Path) -> AsyncIterator[ClientSession]:
    """A browser that takes compressed answers, and shows them as they came; with the page's origin."""
    port = free_port()
    write_certificate(tmp_path)
    write_site(tmp_path, **sites(tmp_path, port, service.url.removeprefix("http://"), f"127.0.0.1:{pages}"))
    async with (
        nginx(tmp_path, port),
        ClientSession(
            f"https://127.0.0.1:{port}/tg/",
            connector=TCPConnector(ssl=False),
            cookie_jar=CookieJar(unsafe=True),
            headers={"Host": HOST, "Origin": f"https://{HOST}", "Accept-Encoding": "gzip"},
            auto_decompress=False,
            max_field_size=64 * 1024,
            timeout=ClientTimeout(total=60),
        ) as browser,
    ):
        yield browser


async def log_in(browser: ClientSession, **headers: str) -> None:
    for path, form in (("send-code", {}), ("sign-in", {"code": "11111"})):
        async with browser.post(path, json={"phone": PHONE, **form}, headers=headers) as response:
            assert response.status == 200, await response.text()


async def test_who_calls(browser: ClientSession, capsys: pytest.CaptureFixture[str]) -> None:
    """The service knows its own pages and the caller, whatever a browser says in the fields of proxies."""
    said = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    await log_in(browser, Forwarded="for=192.0.2.1;host=evil.example;proto=http", **said)
    assert {cookie.key for cookie in browser.cookie_jar} == {"__Host-tgbridge"}
    told = capsys.readouterr().out
    assert "address=127.0.0.1" in told
    assert "192.0.2.1" not in told


async def test_another_page(browser: ClientSession) -> None:
    """Another origin is one still."""
    async with browser.post("logout", headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403


async def test_pages(browser: ClientSession) -> None:
    """What is not below the prefix is the other server's."""
    async with browser.get("../play/1", headers={"Accept-Encoding": "identity"}) as response:
        assert await response.read() == b'["/play/1", "https"]'


async def test_events_arrive_one_by_one(sandbox: Sandbox, browser: ClientSession) -> None:
    """The code comes while the stream waits for somebody to scan it, and so does what follows."""
    async with device(sandbox, PHONE) as telephone, events(browser, "qr-login") as stream:
        shown = await stream.next()
        assert shown is not None
        await scan(telephone, shown[1]["url"])
        (end,) = await stream.rest()
    assert end[0] == "authenticated"


async def test_bytes_are_as_they_were_sent(browser: ClientSession) -> None:
    """A text under a strong tag comes uncompressed."""
    await log_in(browser)
    content = b"the same line again\n" * 5000
    form = FormData()
    form.add_field("file", content, filename="lines.txt", content_type="text/plain")
    async with browser.post("upload_file", data=form) as response:
        message_id = (await response.json())["message_id"]
    async with browser.get(f"stream_media/{message_id}") as response:
        assert response.headers["ETag"].startswith('"')
        assert "Content-Encoding" not in response.headers
        assert await response.read() == content


async def test_tickets(browser: ClientSession, tmp_path: Path) -> None:
    """A ticket passes as it is, in ranges too, and stands in no log."""
    await log_in(browser)
    async with browser.post(f"media/{IDS['photo']}/ticket") as response:
        ticket = await response.json()
    paths = [ticket["url"], ticket["thumbnail_url"], f"{ticket['url']}/", f"{ticket['url']}x"]
    statuses = []
    for path in paths:
        async with browser.get(
            path, headers={"Range": "bytes=0-9", "Origin": "https://else.example"}
        ) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            statuses.append(response.status)
    assert statuses == [206, 200, 206, 403]
    logged = (tmp_path / "access.log").read_text()
    assert "/ticket HTTP" in logged
    assert "/tg/ticket_" not in logged


async def create(browser: ClientSession, size: int, **headers: Any) -> str:
    async with browser.post("uploads", headers=TUS | {"Upload-Length": str(size)} | headers) as response:
        assert response.status == 201, await response.text()
        return str(response.url.join(type(response.url)(response.headers["Location"])))


async def test_uploads_pass_as_they_come(sandbox: Sandbox, browser: ClientSession) -> None:
    """Telegram has the first bytes of 24 MB before the last were sent."""
    await log_in(browser)
    half = 12 * 1024 * 1024
    url = await create(browser, 2 * half)

    async def content() -> AsyncIterator[bytes]:
        yield bytes(half)
        async with asyncio.timeout(30):
            while not sandbox.counters.of("upload.saveBigFilePart"):
                await asyncio.sleep(0.01)
        yield bytes(half)

    headers = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    async with browser.patch(url, data=content(), headers=headers) as response:
        assert (response.status, response.headers["Upload-Offset"]) == (204, str(2 * half))


async def test_a_long_caption(browser: ClientSession) -> None:
    """Metadata of nearly 20 KiB reaches the service, beside long cookies, and comes back."""
    await log_in(browser)
    browser.cookie_jar.update_cookies({f"other-{number}": "x" * 2000 for number in range(4)})
    values = {"caption": b"a caption ", "other": bytes(14_000)}
    metadata = ",".join(f"{name} {base64.b64encode(value).decode()}" for name, value in values.items())
    url = await create(browser, 1000, **{"Upload-Metadata": metadata})
    async with browser.head(url, headers=TUS) as response:
        assert (response.status, response.headers["Upload-Metadata"]) == (200, metadata)
