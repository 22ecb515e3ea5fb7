"""Captions: what becomes of line breaks, and how long they may be, by Telegram's own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import TelegramRefused
from tgbridge.sandbox.methods import help as sandbox_help
from tgbridge.telegram.saved.captions import caption_length, check_caption, normalised

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn
    from tgbridge.sandbox import Sandbox

PLAIN, PREMIUM = "+9996610001", "+9996619009"
CONFIG = "help.getAppConfig"
TOO_LONG = "MEDIA_CAPTION_TOO_LONG"


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\n\rb\r\r\nc", "a\n\nb\n\nc"),
        ("\r\n", "\n"),
        ("a\u2028b\tc", "a\u2028b\tc"),
        ("", ""),
    ],
)
def test_line_breaks(text: str, caption: str) -> None:
    """Whatever makes a line break is one LF, and nothing else is touched."""
    assert normalised(text) == caption


@pytest.mark.parametrize(
    ("caption", "length"), [("", 0), ("яя", 2), ("👩", 2), (" a b\n", 3), ("e\u0301", 2)]
)
def test_length(caption: str, length: int) -> None:
    """UTF-16 code units count, and white space at the ends does not."""
    assert caption_length(caption) == length


@pytest.mark.parametrize(("phone", "limit"), [(PLAIN, 1024), (PREMIUM, 4096)])
async def test_limits(sign_in: SignIn, make_pool: MakePool, phone: str, limit: int) -> None:
    """The account's own limit is kept to the unit."""
    pool = make_pool()
    async with pool.borrow(await sign_in(pool, phone)) as client:
        await check_caption(client, "👩" * (limit // 2))
        with pytest.raises(TelegramRefused, match=TOO_LONG):
            await check_caption(client, "👩" * (limit // 2) + "x")


async def test_what_everybody_may_write_costs_no_request(
    sandbox: Sandbox, sign_in: SignIn, make_pool: MakePool
) -> None:
    """Telegram is asked only where its answer matters."""
    pool = make_pool()
    async with pool.borrow(await sign_in(pool)) as client:
        before = sandbox.counters.of("users.getUsers")
        await check_caption(client, "x" * 1024)
    assert (sandbox.counters.of(CONFIG), sandbox.counters.of("users.getUsers")) == (0, before)


async def test_telegram_raises_its_limit(
    sign_in: SignIn, make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its configuration says counts, and not what was documented once."""
    monkeypatch.setitem(sandbox_help._APP_CONFIG, "caption_length_limit_default", 2000)
    pool = make_pool()
    async with pool.borrow(await sign_in(pool)) as client:
        await check_caption(client, "x" * 2000)
        with pytest.raises(TelegramRefused, match=TOO_LONG):
            await check_caption(client, "x" * 2001)


@pytest.mark.parametrize("how", ["refused", "silent about it"])
async def test_no_configuration(
    sandbox: Sandbox, sign_in: SignIn, make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A server that does not tell its limits has those that are documented."""
    if how == "refused":
        sandbox.faults.error(CONFIG, 400, "INPUT_METHOD_INVALID", times=None)
    else:
        monkeypatch.setattr(sandbox_help, "_APP_CONFIG", {})
    pool = make_pool()
    async with pool.borrow(await sign_in(pool, PREMIUM)) as client:
        await check_caption(client, "x" * 4096)
        with pytest.raises(TelegramRefused, match=TOO_LONG):
            await check_caption(client, "x" * 4097)
