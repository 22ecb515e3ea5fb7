"""How many resumable uploads there may be, and how much those at rest may hold."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from tests.web.routes.tus_client import Line, begin, create, finish, head, held, patch, path_of
from tgbridge.uploads import registry
from tgbridge.web import keys

if TYPE_CHECKING:
    import pytest
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.sandbox import Sandbox

KIB, MIB = 1024, 1024 * 1024
NOISE = random.Random(12).randbytes(3 * MIB)
OTHER = "+9996610002"
SIZE = 3 * MIB


async def test_too_many(signed_in: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account has so many uploads under way and no more; those that are finished do not count."""
    monkeypatch.setattr(registry, "MOST_PER_OWNER", 2)
    first = await begin(signed_in, 100)
    await begin(signed_in, 100)
    answer = await create(signed_in, 100)
    assert (answer.status, answer.body["code"], answer.body["retry_after"]) == (429, "TOO_MANY_UPLOADS", 60)
    await patch(signed_in, first, 0, NOISE[:100])
    await begin(signed_in, 100)


async def test_too_many_at_once(
    sandbox: Sandbox, signed_in_to: SignedInTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are about to begin count, too."""
    monkeypatch.setattr(registry, "MOST_PER_OWNER", 2)
    service, browser = await signed_in_to()
    answers = await asyncio.gather(*(create(browser, 100) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 201, 429, 429, 429]
    assert len(service.app[keys.UPLOADS]) == 2


async def test_too_many_finished(signed_in: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that are finished, the latest are remembered."""
    monkeypatch.setattr(registry, "MOST_PER_OWNER", 2)
    paths = [path_of(await create(signed_in, 100, NOISE[:100])) for _ in range(4)]
    assert [(await head(signed_in, path)).status for path in paths] == [410, 410, 200, 200]


async def test_the_idle_give_way(signed_in: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload that was heard of least recently is forgotten for a new one."""
    monkeypatch.setattr(registry, "MOST_PER_OWNER", 2)
    monkeypatch.setattr(registry, "IDLE_SECONDS", 0.0)
    paths = [await begin(signed_in, 100) for _ in range(2)]
    await patch(signed_in, paths[0], 0, b"x")
    paths.append(await begin(signed_in, 100))
    assert [(await head(signed_in, path)).status for path in paths] == [200, 410, 200]


async def test_too_many_of_all_accounts(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service has a bound of its own, and asks to come back."""
    monkeypatch.setattr(registry, "MOST", 1)
    await begin(signed_in, 100)
    stranger = new_browser()
    await sign_in(stranger, OTHER)
    answer = await create(stranger, 100)
    assert (answer.status, answer.body["code"]) == (503, "POOL_EXHAUSTED")
    monkeypatch.setattr(registry, "IDLE_SECONDS", 0.0)
    assert (await create(stranger, 100)).status == 201


async def test_memory_of_the_idle(signed_in_to: SignedInTo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads at rest hold no more than half of an account's memory: the longest at rest is forgotten."""
    monkeypatch.setattr(registry, "IDLE_SECONDS", 0.0)
    windows: dict[str, Any] = {f"window_bytes_per_{of}": MIB for of in ("upload", "account")}
    service, browser = await signed_in_to(upload=windows)
    paths = [await begin(browser, SIZE) for _ in range(3)]
    for path in paths:
        assert (await patch(browser, path, 0, NOISE[: 200 * KIB])).status == 204
    assert [(await head(browser, path)).status for path in paths] == [410, 200, 200]
    assert held(service) == 400 * KIB


async def test_memory_of_the_idle_of_all_accounts(
    signed_in_to: SignedInTo, new_browser: NewBrowser, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The uploads at rest of all accounts together hold no more than half of the service's memory."""
    monkeypatch.setattr(registry, "IDLE_SECONDS", 0.0)
    windows: dict[str, Any] = {f"window_bytes_per_{of}": MIB for of in ("upload", "account", "process")}
    service, browser = await signed_in_to(upload=windows)
    stranger = new_browser(service)
    await sign_in(stranger, OTHER)
    uploads = [(owner, await begin(owner, SIZE)) for owner in (browser, browser, stranger)]
    for owner, path in uploads:
        assert (await patch(owner, path, 0, NOISE[: 200 * KIB])).status == 204
    assert [(await head(owner, path)).status for owner, path in uploads] == [410, 200, 200]
    assert held(service) == 400 * KIB


async def test_what_is_on_its_way_is_not_at_rest(
    sandbox: Sandbox, signed_in_to: SignedInTo, until: Until
) -> None:
    """An upload that loses its connection in the middle is not forgotten for what is still in flight."""
    windows: dict[str, Any] = {f"window_bytes_per_{of}": 2 * MIB for of in ("upload", "account")}
    service, browser = await signed_in_to(upload=windows)
    hold = sandbox.faults.hold("upload.*")
    path = await begin(browser, SIZE)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[: 1500 * KIB])
    await until(lambda: held(service) > MIB)
    await line.cut()
    await until(lambda: not service.app[keys.IN_FLIGHT])
    assert held(service) > MIB
    hold.release()
    await finish(browser, path, NOISE)
