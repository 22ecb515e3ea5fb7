"""The service as a whole: many people at once, and nothing left behind however a request ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import ClientError, ClientPayloadError, ClientSession, ClientTimeout, FormData
from telethon.tl import types

from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE: Final = "+9996610001"
LARGE: Final = 8 * 1024 * 1024


def add_file(sandbox: Sandbox, phone: str, name: str, size: int = 1000) -> int:
    """Put a file into somebody's Saved Messages, as another device of theirs would."""
    account = sandbox.state.account_of(phone)
    attributes = [types.DocumentAttributeFilename(name)]
    document = account.document(
        Synthetic(size, seed=size), mime_type="text/plain", dc_id=1, attributes=attributes
    )
    message_id: int = account.add_message(media=types.MessageMediaDocument(document=document)).id
    return message_id


async def test_fifty_people(sandbox: Sandbox, new_browser: NewBrowser, sign_in: SignIn) -> None:
    """Fifty people at once each see their own media, and nobody else's."""
    phones = [f"+99966{dc}{number:04}" for number in range(25) for dc in (1, 3)]
    for phone in phones:
        add_file(sandbox, phone, f"{phone}.txt")

    async def own_files(phone: str) -> list[str]:
        browser = new_browser()
        await sign_in(browser, phone)
        async with browser.get("/get-saved-messages-media") as response:
            assert response.status == 200
            return [item["name"] for item in await response.json() if item["name"].startswith("+")]

    assert await asyncio.gather(*map(own_files, phones)) == [[f"{phone}.txt"] for phone in phones]


class Ending:
    """A request, in each of the ways that it can end."""

    def __init__(self, sandbox: Sandbox, service: Service, browser: ClientSession, large: int) -> None:
        self.sandbox = sandbox
        self.service = service
        self.browser = browser
        self.large = f"/stream_media/{large}"

    async def success(self) -> None:
        for path in ("/get-saved-messages-media", self.large):
            async with self.browser.get(path) as response:
                assert response.status == 200
                await response.read()

    async def refusal(self) -> None:
        async with self.browser.get("/stream_media/1000000") as response:
            assert response.status == 404

    async def error_before_the_answer(self) -> None:
        self.sandbox.faults.error("messages.getHistory", 400, "PEER_ID_INVALID")
        async with self.browser.get("/get-saved-messages-media") as response:
            assert response.status == 500

    async def error_within_the_answer(self) -> None:
        self.sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID", skip=2, times=None)
        async with self.browser.get(self.large) as response:
            assert response.status == 200
            with pytest.raises(ClientPayloadError):
                await response.read()

    async def browser_gone_before_the_answer(self) -> None:
        held = self.sandbox.faults.hold("messages.getHistory")
        asking = asyncio.create_task(fetch(self.browser, "/get-saved-messages-media"))
        await held.reached(1)
        asking.cancel()
        await asyncio.wait({asking})
        held.release()

    async def browser_gone_within_the_answer(self) -> None:
        async with self.browser.get(self.large) as response:
            await response.content.readany()
            response.close()

    async def time_out(self) -> None:
        self.sandbox.faults.silence("messages.getHistory", times=None)
        async with self.browser.get("/get-saved-messages-media") as response:
            assert response.status == 503

    async def lost_connections(self) -> None:
        async with self.browser.get(self.large) as response:
            await response.content.readany()
            self.sandbox.faults.drop_connections()
            await response.read()


ENDINGS: Final = [name for name in vars(Ending) if not name.startswith("_")]


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop turn until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_nothing_is_left(
    sandbox: Sandbox,
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    sign_in: SignIn,
    ending: str,
) -> None:
    """However a request ends, nothing is lent, and no task and no connection is left beside the pool's."""
    large = add_file(sandbox, PHONE, "large.bin", LARGE)
    service = await serve(make_settings(telegram={"request_timeout_seconds": 2}))
    browser = new_browser(service)
    await sign_in(browser, PHONE)
    requests = Ending(sandbox, service, browser, large)
    await requests.success()  # which opens whatever connections stay open

    def state() -> tuple[int, int, int]:
        lent, running = service.app[keys.POOL].stats.lent, len(service.app[keys.IN_FLIGHT])
        return lent, running, sum(sandbox.connections.values())

    await until(lambda: state()[:2] == (0, 0))
    connections, tasks = state()[2], len(asyncio.all_tasks())
    await getattr(requests, ending)()
    sandbox.faults.clear()
    await until(lambda: state()[:2] == (0, 0))
    await until(lambda: state()[2] <= connections and len(asyncio.all_tasks()) <= tasks)
    await requests.success()


async def test_nothing_is_left_after_shutdown(
    sandbox: Sandbox, settings: Any, serve: Serve, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """A stop in the middle of streams leaves no task and no connection."""
    large = add_file(sandbox, PHONE, "large.bin", LARGE)
    before = asyncio.all_tasks()
    service = await serve(
        settings.model_copy(update={"server": settings.server.model_copy(update={"drain_seconds": 0})})
    )
    browser = new_browser(service)
    await sign_in(browser, PHONE)
    held = sandbox.faults.hold("upload.getFile", skip=2)
    asking = [asyncio.create_task(fetch(browser, f"/stream_media/{large}")) for _ in range(3)]
    await held.reached(1)
    await service.stop()
    held.release()
    for outcome in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(outcome, ClientError)
    await browser.close()
    await until(lambda: asyncio.all_tasks() <= before and sum(sandbox.connections.values()) == 0)


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_an_upload_has_its_time(
    sandbox: Sandbox, service: Service, new_browser: NewBrowser, sign_in: SignIn, connection: str
) -> None:
    """What a browser still has to send when the service is stopped is taken, and becomes a message."""
    browser = new_browser()
    await sign_in(browser, PHONE)
    stopping: list[asyncio.Task[None]] = []

    async def content() -> AsyncIterator[bytes]:
        yield bytes(1024 * 1024)
        await until(lambda: sandbox.counters.of("upload.saveFilePart") > 0)
        stopping.append(asyncio.create_task(service.stop()))
        await until(lambda: service.app[keys.IN_FLIGHT].draining)
        yield bytes(3 * 1024 * 1024)

    form = FormData()
    form.add_field("file", content(), filename="large.bin")
    async with browser.post("/upload_file", data=form, headers={"Connection": connection}) as response:
        assert response.status == 200
        message_id = (await response.json())["message_id"]
    await stopping[0]
    message = sandbox.state.account_of(PHONE).history.get(message_id)
    assert message is not None
    assert message.media.document.size == 4 * 1024 * 1024


async def fetch(browser: ClientSession, path: str) -> bytes:
    async with browser.get(path, timeout=ClientTimeout(total=30)) as response:
        return await response.read()
