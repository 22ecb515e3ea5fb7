"""tus, HEAD and DELETE, and the life of uploads: how long they last, and who may write."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.events import watching
from tests.web.routes.forms import stored
from tests.web.routes.tus_client import (
    CREATE,
    GONE,
    LOCKED,
    MISMATCH,
    UNKNOWN,
    Line,
    begin,
    delete,
    finish,
    head,
    held,
    metadata,
    name_of,
    patch,
    state,
    until_offset,
)
from tgbridge.uploads import resumable
from tgbridge.uploads.turns import Turns
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, Serve
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
SEND = "messages.sendMedia"
NOISE = random.Random(12).randbytes(3 * MIB)
SIZE = 3 * MIB


# HEAD


async def test_head(signed_in: ClientSession) -> None:
    """It says where to go on, the length, and the metadata as they were given; and nobody stores it."""
    said = f"{metadata(filename='ä.bin')},is_confidential,other /+8="
    path = await begin(signed_in, 100, Upload_Metadata=said)
    await patch(signed_in, path, 0, NOISE[:10])
    answer = await head(signed_in, path)
    assert (answer.status, answer.content, answer.headers["Cache-Control"]) == (200, b"", "no-store")
    assert state(answer) == {"Upload-Offset": "10", "Upload-Length": "100", "Upload-Metadata": said}
    assert "Upload-Expires" in answer.headers


async def test_head_without_a_length(signed_in: ClientSession) -> None:
    """While the length is deferred, it says so; then it tells the length."""
    path = await begin(signed_in)
    assert state(await head(signed_in, path)) == {"Upload-Offset": "0", "Upload-Defer-Length": "1"}
    await patch(signed_in, path, 0, Upload_Length=100)
    assert state(await head(signed_in, path)) == {"Upload-Offset": "0", "Upload-Length": "100"}


async def test_head_of_a_finished_upload(signed_in: ClientSession) -> None:
    """It goes on telling which message the file is."""
    path = await begin(signed_in, 100)
    message_id = (await patch(signed_in, path, 0, NOISE[:100])).message_id
    for _ in range(2):
        told = state(await head(signed_in, path))
        assert told == {"Upload-Offset": "100", "Upload-Length": "100", "X-Message-Id": str(message_id)}


@pytest.mark.parametrize("upload_id", ["12345678", "a" * 32, "a" * 200, "%00", "ä", "..%2f..%2f"])
async def test_unknown(signed_in: ClientSession, upload_id: str) -> None:
    """What has never been an upload is not found, whatever is asked of it."""
    path = f"{CREATE}/{upload_id}"
    for answer in (await patch(signed_in, path, 0, b"x"), await delete(signed_in, path)):
        assert (answer.status, answer.body, answer.offset) == (404, UNKNOWN, None)
    assert (await head(signed_in, path)).status == 404


async def test_version(signed_in: ClientSession) -> None:
    """Each request names the protocol's version."""
    path = await begin(signed_in, 100)
    for answer in (
        await head(signed_in, path, Tus_Resumable=None),
        await delete(signed_in, path, Tus_Resumable="2.0.0"),
    ):
        assert (answer.status, answer.headers["Tus-Version"], answer.offset) == (412, "1.0.0", None)
    assert (await head(signed_in, path)).status == 200


# DELETE


async def test_termination(service: Service, signed_in: ClientSession) -> None:
    """It is gone, for every method, and nothing is left of it."""
    path = await begin(signed_in, SIZE)
    await patch(signed_in, path, 0, NOISE[: MIB + 1])
    assert held(service)
    answer = await delete(signed_in, path)
    assert (answer.status, answer.content) == (204, b"")
    assert (held(service), len(service.app[keys.UPLOADS])) == (0, 0)
    for answer in (await patch(signed_in, path, 0, b"x"), await delete(signed_in, path)):
        assert (answer.status, answer.body) == (410, GONE)
    assert (await head(signed_in, path)).status == 410


async def test_termination_of_a_finished_upload(signed_in: ClientSession) -> None:
    """The message stays."""
    path = await begin(signed_in, 100)
    message_id = (await patch(signed_in, path, 0, NOISE[:100])).message_id
    assert message_id is not None
    assert (await delete(signed_in, path)).status == 204
    assert (await head(signed_in, path)).status == 410
    assert await stored(signed_in, message_id) == NOISE[:100]


async def test_termination_in_the_middle(service: Service, signed_in: ClientSession) -> None:
    """A request that is sending bytes is ended."""
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, SIZE)
    await line.send(NOISE[:1000])
    await until_offset(signed_in, path, 1000)
    assert (await delete(signed_in, path)).status == 204
    assert await line.status() == 410
    await line.close()
    assert held(service) == 0


async def test_termination_while_the_message_is_made(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, account: Account, until: Until
) -> None:
    """What can't be stopped any more comes to its end, before it is said that the upload is forgotten."""
    before = len(account.history)
    path = await begin(signed_in, 1000)
    held_back = sandbox.faults.hold(SEND)
    line = await Line.patch(signed_in, service, path, 0, 1000)
    await line.send(NOISE[:1000])
    await held_back.reached(1)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    deleting = asyncio.create_task(delete(signed_in, path))
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 1)
    assert (await head(signed_in, path)).status == 200
    held_back.release()
    assert (await deleting).status == 204
    assert len(account.history) == before + 1
    async with watching(signed_in, name_of(path)) as stream:
        assert (await stream.until("done"))["id"] == max(account.history.ids)
    assert (await head(signed_in, path)).status == 410


# How long they last


async def test_expiry(signed_in_to: SignedInTo, until: Until) -> None:
    """An upload of which nothing is heard is forgotten, with all that it holds."""
    service, browser = await signed_in_to(upload={"resume_seconds": 0.2})
    path = await begin(browser, SIZE)
    await patch(browser, path, 0, NOISE[:1000])
    await until(lambda: not len(service.app[keys.UPLOADS]))
    assert held(service) == 0
    answer = await patch(browser, path, 1000, b"x")
    assert (answer.status, answer.body) == (410, GONE)


async def test_expired_but_not_yet_forgotten(
    signed_in_to: SignedInTo, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    """What has expired is gone, also before somebody has tidied up; the next upload's beginning does."""
    service, browser = await signed_in_to(upload={"resume_seconds": 1000})
    uploads = service.app[keys.UPLOADS]
    path = await begin(browser, SIZE)
    monkeypatch.setattr(uploads, "_resume_seconds", 0.0)
    assert (await head(browser, path)).status == 410
    assert len(uploads) == 1
    await begin(browser, SIZE)
    assert len(uploads) == 1


async def test_restart(
    make_settings: MakeSettings, serve: Serve, signed_in: ClientSession, signed_in_to: SignedInTo
) -> None:
    """Another process with the same keys knows what was an upload, and that it has to begin anew."""
    path = await begin(signed_in, 100)
    _, browser = await signed_in_to()
    answer = await patch(browser, path, 0, NOISE[:100])
    assert (answer.status, answer.body) == (410, GONE)
    assert (await head(browser, f"{CREATE}/{'a' * 32}")).status == 404


async def test_client_closed_meanwhile(signed_in_to: SignedInTo, until: Until) -> None:
    """Between two requests nothing is connected, if they are far apart; the parts live at Telegram."""
    service, browser = await signed_in_to(pool={"idle_seconds": 0.01})
    path = await begin(browser, SIZE)
    for start in (0, MIB, 2 * MIB):
        await until(lambda: service.app[keys.POOL].stats.clients == 0)
        await patch(browser, path, start, NOISE[start : start + MIB])
    assert (await head(browser, path)).message_id is not None


async def test_shutdown(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """A service that stops in the middle of a request leaves nothing behind."""
    service, browser = await signed_in_to(server={"drain_seconds": 0})
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold("upload.saveFilePart", times=None)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[:MIB])
    await held_back.reached(1)
    await service.stop()
    held_back.release()
    await line.cut()
    assert (held(service), len(service.app[keys.UPLOADS]), len(service.app[keys.PROGRESS])) == (0, 0, 0)


# Who may write


async def test_lost_connection(service: Service, signed_in: ClientSession, until: Until) -> None:
    """What came before the connection broke is kept, to the byte; only what is short of a part is held."""
    path = await begin(signed_in, SIZE)
    for start, stop in ((0, 700_001), (700_001, MIB + 5)):
        line = await Line.patch(signed_in, service, path, start, SIZE - start)
        await line.send(NOISE[start:stop])
        await until_offset(signed_in, path, stop)
        await line.cut()
    await until(lambda: held(service) == 5 and service.app[keys.POOL].stats.lent == 0)
    await finish(signed_in, path, NOISE)


async def test_two_at_once(
    service: Service, signed_in: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While bytes come by one request, others are told to come later, or that they are wrong."""
    monkeypatch.setattr(resumable, "Turns", partial(Turns, wait_seconds=0.0))
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, SIZE)
    await line.send(NOISE[:1000])
    await until_offset(signed_in, path, 1000)
    answer = await patch(signed_in, path, 1000, NOISE[1000:])
    assert (answer.status, answer.body) == (423, LOCKED)
    answer = await patch(signed_in, path, 0, NOISE)
    assert (answer.status, answer.body) == (409, MISMATCH)
    await line.send(NOISE[1000:])
    assert await line.status() == 204
    await line.close()
    assert (await head(signed_in, path)).message_id is not None


async def test_the_same_bytes_twice(service: Service, signed_in: ClientSession, until: Until) -> None:
    """Who has waited for another one to end finds that the upload goes on elsewhere by now."""
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, 1000)
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 1)
    second = asyncio.create_task(patch(signed_in, path, 0, NOISE[:1000]))
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 2)
    assert (await head(signed_in, path)).offset == 0
    await line.send(NOISE[:1000])
    assert await line.status() == 204
    await line.close()
    answer = await second
    assert (answer.status, answer.body) == (409, MISMATCH)
    await finish(signed_in, path, NOISE)


async def test_one_after_the_other(
    service: Service, signed_in: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that has come back takes over from its own former self, of which nothing is heard."""
    monkeypatch.setattr(resumable, "Turns", partial(Turns, silence_seconds=0.0))
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, SIZE)
    await line.send(NOISE[:700_000])
    await until_offset(signed_in, path, 700_000)
    await finish(signed_in, path, NOISE)
    assert await line.status() == 423
    await line.close()


async def test_answer_lost(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, account: Account, until: Until
) -> None:
    """The last bytes have come, the client goes: the message is sent, once, and it learns so afterwards."""
    before = len(account.history)
    path = await begin(signed_in, 1000)
    held_back = sandbox.faults.hold(SEND)
    line = await Line.patch(signed_in, service, path, 0, 1000)
    await line.send(NOISE[:1000])
    await held_back.reached(1)
    assert state(await head(signed_in, path)) == {"Upload-Offset": "999", "Upload-Length": "1000"}
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    line = await Line.patch(signed_in, service, path, 999, 1)
    await line.send(NOISE[999:1000])
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 1)
    held_back.release()
    assert await line.status() == 204
    await line.close()
    answer = await head(signed_in, path)
    assert (answer.offset, answer.message_id) == (1000, max(account.history.ids))
    assert len(account.history) == before + 1


async def test_silent_client(signed_in_to: SignedInTo, until: Until) -> None:
    """A client of which nothing is heard for long is told so, and what it has sent is kept."""
    service, browser = await signed_in_to(upload={"idle_seconds": 0.2})
    path = await begin(browser, SIZE)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[:700_001])
    assert await line.status() == 408
    await line.close()
    assert (await head(browser, path)).offset == 700_001
    await until(lambda: held(service) == 700_001 - 512 * KIB)
    await finish(browser, path, NOISE)
