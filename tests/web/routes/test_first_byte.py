"""How many round trips to Telegram the first byte of a file takes, and what nobody is given before its time.

The way to the data centres takes a second, and the loop's time moves while they are waited for only: what a
request takes by it are its round trips.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from tests.ready import ready_session
from tests.web.routes.conftest import PHONE
from tgbridge.logins.session_state import SessionState
from tgbridge.sandbox.seeds import IDS
from tgbridge.telegram.client import VOUCHED_SECONDS
from tgbridge.telegram.saved.library import GUESS_SECONDS, LIFETIME_SECONDS
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from tests.web.routes.conftest import AddFile, Get
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

pytestmark = pytest.mark.swift_time

GET_FILE, GET_MESSAGES, GET_USERS = "upload.getFile", "messages.getMessages", "users.getUsers"
KIB = 1024
HOME, FOREIGN = 1, 3


class RoundTrips(Protocol):
    """Reads a file from a position, and tells how many round trips that took."""

    async def __call__(self, path: str, start: int = 0) -> int: ...


@pytest.fixture
def round_trips(sandbox: Sandbox, browser: ClientSession) -> RoundTrips:
    async def read(path: str, start: int = 0) -> int:
        sandbox.faults.delay(0.5)
        now = asyncio.get_running_loop().time
        began = now()
        async with browser.get(path, headers={"Range": f"bytes={start}-"}) as answer:
            await answer.content.readany()
            took = now() - began
            assert answer.status in {200, 206}
        sandbox.faults.delay(0)
        assert abs(took - round(took)) < 0.1
        return round(took)

    return read


@pytest.fixture
def trust(service: Service, account: Account) -> Callable[[], None]:
    """What is known of Saved Messages is believed, as while updates are told."""
    return service.app[keys.LIBRARY].account(account.id).trust


async def pause(service: Service) -> None:
    """Until the client is closed as idle."""
    await asyncio.sleep(service.app[keys.SETTINGS].pool.idle_seconds + 1)
    assert service.app[keys.POOL].stats.clients == 0


# Round trips


async def test_while_it_is_connected(add_file: AddFile, get: Get, round_trips: RoundTrips) -> None:
    """The message and the file; the file alone where the message is known, as of a minute ago or not."""
    first, second = add_file(9000 * KIB), add_file(300 * KIB)
    await get(first.path, headers={"Range": "bytes=0-1"})
    assert await round_trips(second.path) == 2
    assert await round_trips(first.path, 7000 * KIB) == 1
    await asyncio.sleep(LIFETIME_SECONDS - 10)  # file connections last as long
    await get(first.path, headers={"Range": f"bytes={5000 * KIB}-{5000 * KIB}"})
    await asyncio.sleep(10)
    assert await round_trips(first.path, 2000 * KIB) == 1


@pytest.mark.parametrize("dc", [HOME, FOREIGN])
async def test_after_the_client_was_closed(
    service: Service,
    add_file: AddFile,
    get: Get,
    round_trips: RoundTrips,
    trust: Callable[[], None],
    dc: int,
) -> None:
    """The connections and, what is asked together, the file and whether the message still holds it.

    What is known of the message may be right for certain, or up to an hour old; else it is asked for first.
    """
    first, second = add_file(300 * KIB, dc=dc), add_file(301 * KIB, dc=dc)
    await get(first.path)
    await pause(service)
    trust()
    assert await round_trips(first.path) == 2
    await pause(service)
    assert await round_trips(first.path) == 2
    await pause(service)
    # Most files are at home, where a connection is made while the message is asked for.
    assert await round_trips(second.path) == (3 if dc == HOME else 4)


@pytest.mark.usefixtures("signed_in")
async def test_a_thumbnail_after_the_client_was_closed(service: Service, round_trips: RoundTrips) -> None:
    """As a file that nobody has asked for; of one that is in memory, the message is asked for."""
    path = f"/stream_thumbnail/{IDS['photo']}"
    await round_trips(f"/stream_media/{IDS['video']}")
    await pause(service)
    assert await round_trips(path) == 3
    await pause(service)
    assert await round_trips(path) == 2


async def test_the_file_connection_is_opened_beside_the_main_one(
    sandbox: Sandbox, service: Service, add_file: AddFile, get: Get
) -> None:
    """And not after it, which would be one round trip of TCP after the other."""
    file = add_file(300 * KIB, dc=FOREIGN)
    await get(file.path)
    await pause(service)
    await sandbox.data_centres[HOME].stop()
    sandbox.counters.reset()
    reading = asyncio.create_task(get(file.path))
    while not sandbox.counters.connections[FOREIGN]:
        await asyncio.sleep(0.01)
    assert not sandbox.counters.connections[HOME]
    await sandbox.data_centres[HOME].start()
    assert (await reading).body == file.content


@pytest.mark.parametrize(("dc", "first", "second"), [(HOME, 5, 4), (FOREIGN, 8, 8)])
async def test_after_a_start(
    sandbox: Sandbox,
    service: Service,
    browser: ClientSession,
    account: Account,
    add_file: AddFile,
    round_trips: RoundTrips,
    dc: int,
    first: int,
    second: int,
) -> None:
    """A connection, its salt, the message and where data centres are, the file's connection, the file.

    Where they are is known to the next one. Elsewhere, three go to a key for the file's connection, on one of
    its own, and the login there goes with the file.
    """
    file = add_file(300 * KIB, dc=dc)
    for expected in (first, second):
        state, answer = SessionState(), web.Response()
        state.signed_in(ready_session(sandbox, PHONE), account.id)
        await service.app[keys.STORAGE].write(make_mocked_request("GET", "/"), answer, state)
        browser.cookie_jar.update_cookies(answer.cookies, URL(service.url))
        service.app[keys.LIBRARY].forget(account.id)
        assert await round_trips(file.path) == expected


# What is not given


@pytest.mark.parametrize(
    ("question", "size"), [(GET_USERS, 300 * KIB), (GET_MESSAGES, 300 * KIB), (GET_USERS, 0)]
)
async def test_nothing_is_sent_before_the_answer(
    sandbox: Sandbox,
    add_file: AddFile,
    get: Get,
    trust: Callable[[], None],
    question: str,
    size: int,
) -> None:
    """Though the file has come: whether the session lives, and the message holds it, is waited for."""
    file = add_file(size)
    if question == GET_USERS:
        trust()
    await get(file.path)
    await asyncio.sleep(VOUCHED_SECONDS + 1)
    held = sandbox.faults.hold(question)
    reading = asyncio.create_task(get(file.path))
    await held.reached(1)
    await asyncio.sleep(5)
    assert not reading.done()
    held.release()
    answer = await reading
    assert (answer.status, answer.body) == (200, file.content)


@pytest.mark.parametrize(
    ("is_trusted", "headers"),
    [(True, {}), (False, {}), (True, {"Range": "bytes=9999999-"}), (False, {"If-Match": '"other"'})],
)
async def test_a_session_that_has_ended(
    sandbox: Sandbox,
    service: Service,
    add_file: AddFile,
    get: Get,
    trust: Callable[[], None],
    is_trusted: bool,
    headers: dict[str, str],
) -> None:
    """It is told so, and nothing of the file, whatever it asks for and whatever else goes wrong."""
    file = add_file(300 * KIB, dc=FOREIGN)
    if is_trusted:
        trust()
    await get(file.path)
    await pause(service)
    sandbox.faults.slow(GET_USERS if is_trusted else GET_MESSAGES, 5)
    sandbox.faults.error(GET_FILE, 400, "LOCATION_INVALID", times=None)
    sandbox.faults.revoke(error="SESSION_REVOKED")
    answer = await get(file.path, headers=headers)
    assert (answer.status, b"SESSION_REVOKED" in answer.body) == (401, True)


@pytest.mark.parametrize("what", ["file", "file of no type", "thumbnail"])
async def test_the_end_of_a_session_is_told_at_once(
    sandbox: Sandbox, service: Service, add_file: AddFile, get: Get, what: str
) -> None:
    """Though nobody answers for the file."""
    await get(add_file(1).path)
    paths = {
        "file": add_file(300 * KIB).path,
        "file of no type": add_file(301 * KIB, mime_type="").path,
        "thumbnail": f"/stream_thumbnail/{IDS['photo']}",
    }
    await get("/get-saved-messages-media")
    await pause(service)
    sandbox.faults.hold(GET_FILE)
    sandbox.faults.revoke(error="SESSION_REVOKED")
    now = asyncio.get_running_loop().time
    began = now()
    assert (await get(paths[what])).status == 401
    assert now() - began < 1


async def test_a_message_that_holds_another_file(
    sandbox: Sandbox, account: Account, add_file: AddFile, get: Get
) -> None:
    """What has come of the old one is dropped, and the new one sent."""
    old, new = add_file(300 * KIB), add_file(301 * KIB, dc=FOREIGN)
    await get(old.path)
    await asyncio.sleep(LIFETIME_SECONDS + 1)
    one, other = account.history.get(old.id), account.history.get(new.id)
    assert one
    assert other
    one.media = other.media
    sandbox.faults.slow(GET_MESSAGES, 5)
    answer = await get(old.path)
    assert (answer.status, answer.body) == (200, new.content)
    assert answer.headers["ETag"] == (await get(new.path)).headers["ETag"]


async def test_a_message_that_is_gone(
    sandbox: Sandbox, account: Account, add_file: AddFile, get: Get
) -> None:
    """Its file is there still, and not sent."""
    file = add_file(300 * KIB)
    await get(file.path)
    await asyncio.sleep(LIFETIME_SECONDS + 1)
    account.history.delete([file.id])
    sandbox.faults.slow(GET_MESSAGES, 5)
    assert (await get(file.path)).status == 404


async def test_what_is_old_is_not_asked_for_in_vain(sandbox: Sandbox, add_file: AddFile, get: Get) -> None:
    """After hours, file references have expired: then the message is asked for first."""
    file = add_file(300 * KIB)
    await get(file.path)
    asked = sandbox.counters.of(GET_FILE)
    await asyncio.sleep(GUESS_SECONDS + 1)
    sandbox.faults.expire_file_references()
    sandbox.counters.reset()
    assert (await get(file.path)).body == file.content
    assert sandbox.counters.of(GET_FILE) == asked
