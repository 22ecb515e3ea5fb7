"""``tgbridge doctor --live`` as a process: asking first, Ctrl-C, and the report."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.test_main import outcome, tgbridge

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.test_main import Tgbridge
    from tgbridge.sandbox import Sandbox

__all__ = ["tgbridge"]  # a fixture

PHONE: Final = "+9996610777"


def environ(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    public_key = tmp_path / "server.pem"
    public_key.write_text(sandbox.public_key_pem)
    home = sandbox.data_centres[1].address
    return {
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "the-hash",
        "TELEGRAM_DC_HOST": home.host,
        "TELEGRAM_DC_PORT": str(home.port),
        "TELEGRAM_DC_ID": "1",
        "TELEGRAM_DC_PUBLIC_KEY": str(public_key),
    }


async def test_it_asks_first(sandbox: Sandbox, tgbridge: Tgbridge, tmp_path: Path) -> None:
    """Nothing is begun that nobody has agreed to: without a terminal it says what to do instead."""
    process = await tgbridge("doctor", "--live", "--test", **environ(sandbox, tmp_path))
    status, stdout, stderr = await outcome(process)
    assert (status, stdout.strip()) == (2, "Shall it begin? [y/N]")
    assert "It touches nothing that it did not make." in stderr
    assert "--yes begins without asking" in stderr
    assert sum(sandbox.connections.values()) == 0
    assert not (tmp_path / "doctor-report.json").exists()


@pytest.mark.parametrize(
    "signals", [(signal.SIGINT,), (signal.SIGHUP, signal.SIGTERM)], ids=["Ctrl-C", "the terminal is closed"]
)
async def test_interrupted(
    sandbox: Sandbox, tgbridge: Tgbridge, tmp_path: Path, signals: Iterable[signal.Signals]
) -> None:
    """In the middle it removes what it made, signs out and writes what it has seen; the status is 130."""
    account = sandbox.state.account_of(PHONE)
    before = [message.id for message in account.history]
    arguments = ("doctor", "--live", "--test", "--yes", "--phone", PHONE, "--report", "seen.json")
    process = await tgbridge(*arguments, **environ(sandbox, tmp_path))
    assert process.stdout is not None
    async for line in process.stdout:
        if b"live.part-total" in line:
            break
    for number in signals:
        process.send_signal(number)
    status, stdout, stderr = await outcome(process)
    assert (status, "Traceback" in stderr) == (130, False)
    assert "ok      live.clean" in stdout
    assert [message.id for message in account.history] == before
    assert account.authorizations == {}
    text = await asyncio.to_thread((tmp_path / "seen.json").read_text)
    told = json.loads(text)
    assert (told["server"], told["test_servers"]) == ("another", False)
    assert {"live.part-total", "live.clean"} <= {finding["check"] for finding in told["findings"]}
    assert PHONE[1:] not in text
    assert "the-hash" not in text
