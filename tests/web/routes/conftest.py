"""Files in Saved Messages, and waiting for what happens on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
from telethon.tl import types

from tests.devices import device, scan
from tests.web.routes.events import events
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aiohttp import ClientSession
    from aiohttp.typedefs import LooseHeaders
    from multidict import CIMultiDictProxy

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

PHONE = "+9996610001"  # the number that browsers are signed in with; at home in data centre 1


class File(NamedTuple):
    """A document in Saved Messages."""

    id: int
    content: bytes

    @property
    def path(self) -> str:
        return f"/stream_media/{self.id}"


class AddFile(Protocol):
    """Puts a document of so many bytes into Saved Messages, as if another device had sent it."""

    def __call__(
        self, size: int, *, dc: int = 1, mime_type: str = "video/mp4", name: str = "", **options: Any
    ) -> File: ...


class Answer(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Get(Protocol):
    """Makes a request as the signed-in browser, or as another one."""

    async def __call__(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: LooseHeaders | None = None,
        browser: ClientSession | None = None,
    ) -> Answer: ...


class SignedInTo(Protocol):
    """Starts a service with settings of its own, for a browser that was signed in by a patient one."""

    async def __call__(self, **sections: Mapping[str, Any]) -> tuple[Service, ClientSession]: ...


class Scanned(Protocol):
    """Opens a stream in a browser, lets a device scan the first code, and gives the event that ends it."""

    async def __call__(self, browser: ClientSession, phone: str = ...) -> tuple[str, Any]: ...


class Until(Protocol):
    """Lets the event loop run until a condition holds; a TimeoutError after some seconds."""

    async def __call__(self, condition: Callable[[], object]) -> None: ...


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return sandbox.state.account_of(PHONE)


@pytest.fixture
def add_file(account: Account) -> AddFile:
    def add(size: int, *, dc: int = 1, mime_type: str = "video/mp4", name: str = "", **options: Any) -> File:
        blob = Synthetic(size, seed=size)
        attributes = [types.DocumentAttributeFilename(name)] if name else []
        document = account.document(blob, mime_type=mime_type, dc_id=dc, attributes=attributes, **options)
        message = account.add_message(media=types.MessageMediaDocument(document=document))
        return File(message.id, blob.read(0, size))

    return add


@pytest.fixture
def get(signed_in: ClientSession) -> Get:
    async def get(
        path: str,
        *,
        method: str = "GET",
        headers: LooseHeaders | None = None,
        browser: ClientSession | None = None,
    ) -> Answer:
        async with (browser or signed_in).request(method, path, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())

    return get


@pytest.fixture
def signed_in_to(
    make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser, sign_in: SignIn
) -> SignedInTo:
    async def start(**sections: Mapping[str, Any]) -> tuple[Service, ClientSession]:
        service = await serve(make_settings(**sections))
        browser = new_browser(service)
        await sign_in(browser)  # with a session of its own: no two services may share one
        return service, browser

    return start


@pytest.fixture
def until() -> Until:
    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0)

    return wait


@pytest.fixture
def scanned(sandbox: Sandbox) -> Scanned:
    async def scanned(browser: ClientSession, phone: str = "+9996610002") -> tuple[str, Any]:
        async with device(sandbox, phone) as telephone, events(browser, "/qr-login") as stream:
            event = await stream.next()
            assert event is not None
            await scan(telephone, event[1]["url"])
            (end,) = await stream.rest()
            return end

    return scanned


@pytest.fixture
def nothing_of_uploads_is_left(service: Service) -> Iterator[None]:
    """However a test ends its uploads, the service holds nothing of them afterwards."""
    yield
    budget = service.app[keys.UPLOADER].budget
    assert (budget.held, budget.waiting, budget.streams) == (0, 0, 0)


@pytest.fixture
async def fine(signed_in_to: SignedInTo) -> tuple[Service, ClientSession]:
    """A service whose parts are as small as Telegram allows."""
    return await signed_in_to(upload={"part_bytes": 1024})


@pytest.fixture
def only_tails_are_held(service: Service) -> Iterator[None]:
    """However a test ends, only unfinished resumable uploads hold something, and less than a part."""
    yield
    uploads, budget = service.app[keys.UPLOADS], service.app[keys.UPLOADER].budget
    assert budget.streams <= len(uploads)
    assert budget.held < (len(uploads) or 1) * 512 * 1024
    assert (budget.waiting, service.app[keys.POOL].stats.lent) == (0, 0)
