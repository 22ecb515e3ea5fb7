"""``doctor --live`` on the sandbox: as on a Telegram that is as believed, and on one that is not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.devices import device, link, scan
from tgbridge.doctor.live import files, lists, run, service
from tgbridge.doctor.live.beliefs import UNCHECKED, looks
from tgbridge.doctor.live.person import Person
from tgbridge.doctor.live.run import report
from tgbridge.doctor.live.session import number_for_tests

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MakeSettings
    from tgbridge.doctor.findings import Finding
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.settings import Settings

pytestmark = pytest.mark.swift_time

PHONE: Final = "+9996610123"
PASSWORD: Final = "tgbridge"


class Typist(Person):
    """Types what it is told to, and notes what it was asked and shown."""

    def __init__(self, password: str = "") -> None:
        self.asked: list[str] = []
        self.shown: asyncio.Queue[str] = asyncio.Queue()
        self._password = password

    async def code(self) -> str:
        self.asked.append("code")
        return PHONE[6] * 5

    async def password(self, hint: str | None) -> str:
        self.asked.append("password")
        return self._password

    def shows(self, url: str) -> None:
        self.shown.put_nowait(url)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgbridge.doctor.live.files._KEPT_SECONDS", 0.01)
    monkeypatch.setattr(lists, "_STEP_SECONDS", 0.01)
    monkeypatch.setattr(lists, "_FOUND_SECONDS", 0.1)


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at files alone: the other tests have the rest."""
    monkeypatch.setattr(run, "MODULES", (files,))
    monkeypatch.setattr(service, "_STEPS", {})


def ids(account: Account) -> list[int]:
    return [message.id for message in account.history]


async def live(
    settings: Settings,
    *,
    phone: str | None = PHONE,
    is_test: bool = True,
    person: Person | None = None,
    tell: Callable[[Finding], None] = lambda _: None,
) -> dict[str, Finding]:
    found: dict[str, Finding] = {}

    def take(finding: Finding) -> None:
        assert finding.check not in found
        found[finding.check.removeprefix("live.")] = finding
        tell(finding)

    await run.run(settings, person or Typist(), take, phone=phone, is_test=is_test)
    return found


async def test_as_believed(sandbox: Sandbox, settings: Settings) -> None:
    """Nothing differs, each belief is told of, nothing secret, and the account is as it was."""
    account = sandbox.state.account_of(PHONE)
    account.add_message("the diary of this account")
    before, sessions = ids(account), len(account.authorizations)
    found = await live(settings)
    assert {name: one.text for name, one in found.items() if one.verdict == "fault"} == {}
    assert found.keys() >= looks().keys() | run.IN_SESSION | UNCHECKED.keys()
    assert (ids(account), len(account.authorizations)) == (before, sessions)
    assert found["clean"].data["messages"] > 10
    seen = [name for name, one in found.items() if one.verdict == "ok"]
    assert len(seen) > 40
    # The report names neither number, user nor address, and no texts of the account's own.
    told = json.dumps(report(found.values(), settings))
    home = sandbox.data_centres[1].address
    for secret in (PHONE, PHONE[1:], str(account.id), home.host, str(home.port), "diary", "Sandbox"):
        assert secret not in told
    assert json.loads(told)["counts"]["fault"] == 0


async def test_another_telegram(
    sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not as believed is told as such; the rest is looked at all the same, and cleaned up."""
    monkeypatch.setattr(service, "_STEPS", {})
    account = sandbox.state.account_of(PHONE)
    before = ids(account)
    sandbox.faults.error("messages.search", 400, "SEARCH_QUERY_EMPTY", times=None)
    sandbox.faults.error("messages.editMessage", 400, "MESSAGE_EDIT_TIME_EXPIRED", times=None)
    found = await live(settings)
    different = {name for name, one in found.items() if one.verdict == "fault"}
    assert {"list-search", "change-edit"} <= different
    assert "SEARCH_QUERY_EMPTY" in found["list-search"].text
    assert all(found[name].remedy for name in different)
    assert found["clean"].verdict == found["end-signed-out"].verdict == "ok"
    assert ids(account) == before


@pytest.mark.usefixtures("briefly")
async def test_flood_waits_are_sat_out_and_told(sandbox: Sandbox, settings: Settings) -> None:
    """A wait in the middle is sat out, and is an occasion to see that the request was fine later."""
    sandbox.faults.flood_wait("messages.uploadMedia", seconds=1)
    found = await live(settings)
    assert found["flood-meaning"].verdict == "ok"
    assert found["flood-lengths"].data["seconds"] == {"messages.uploadMedia": 1}


@pytest.mark.usefixtures("briefly")
async def test_interrupted(sandbox: Sandbox, settings: Settings) -> None:
    """Ctrl-C in the middle: what was made is removed, and the session ended."""
    account = sandbox.state.account_of(PHONE)
    before, sessions = ids(account), len(account.authorizations)
    under_way = asyncio.Event()

    def tell(finding: Finding) -> None:
        if finding.check == "live.file-photo-sizes":
            under_way.set()

    task = asyncio.create_task(live(settings, tell=tell))
    await under_way.wait()
    assert len(ids(account)) > len(before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (ids(account), len(account.authorizations)) == (before, sessions)


@pytest.mark.usefixtures("briefly")
async def test_by_qr_code(sandbox: Sandbox, settings: Settings) -> None:
    """Without a number a QR code is shown; an account with two-step verification asks for its password."""
    phone = "+9996612001"
    sandbox.state.account_of(phone)
    person = Typist(PASSWORD)
    task = asyncio.create_task(live(settings, phone=None, is_test=False, person=person))
    async with device(sandbox, phone) as telephone:
        await scan(telephone, await person.shown.get())
    found = await task
    assert person.asked == ["password"]
    assert found["login-before-password"].verdict == "ok"
    assert found["login-code-used"].verdict == "unknown"
    assert found["end-signed-out"].verdict == "ok"


async def test_qr_code_that_nobody_scans(sandbox: Sandbox, settings: Settings) -> None:
    """Ctrl-C while the code is shown leaves nothing behind."""
    person = Typist()
    task = asyncio.create_task(live(settings, phone=None, is_test=False, person=person))
    assert (await person.shown.get()).startswith(link(b""))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nobody_is_signed_in(sandbox: Sandbox, settings: Settings) -> None:
    """A number that Telegram does not take is one fault, with what to do."""
    sandbox.faults.error("auth.sendCode", 400, "PHONE_NUMBER_BANNED")
    found = await live(settings)
    assert {name: one.verdict for name, one in found.items()} == {"sign-in": "fault"}


def test_numbers_for_tests(make_settings: MakeSettings) -> None:
    """They are of the data centre that is asked."""
    number = number_for_tests(make_settings(telegram={"dc_id": 3}))
    assert number.startswith("+999663")
    assert len(number) == len("+99966XYYYY")


async def test_interrupted_while_the_service_runs(
    sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the service has the session: it stops, what it made is removed, and the session ended."""
    monkeypatch.setattr(run, "MODULES", ())
    account = sandbox.state.account_of(PHONE)
    before, sessions = ids(account), len(account.authorizations)
    under_way = asyncio.Event()

    def tell(finding: Finding) -> None:
        if finding.check == "live.service-upload":
            under_way.set()

    task = asyncio.create_task(live(settings, tell=tell))
    await under_way.wait()
    assert len(ids(account)) > len(before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (ids(account), len(account.authorizations)) == (before, sessions)


async def test_a_service_that_does_not_do_as_promised(
    sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the service cannot do with this Telegram is told by status and code, and the rest is tried."""
    monkeypatch.setattr(run, "MODULES", ())
    sandbox.faults.error("messages.editMessage", 400, "MESSAGE_EDIT_TIME_EXPIRED", times=None)
    found = await live(settings)
    assert {name for name, one in found.items() if one.verdict == "fault"} == {"service-edit"}
    assert "MESSAGE_EDIT_TIME_EXPIRED" in found["service-edit"].text
    assert found["service-delete"].verdict == "ok"
