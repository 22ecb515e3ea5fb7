"""Which data centre, by which address, known by which key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from telethon.tl import types

from tgbridge.errors import FloodWait, SessionEnded, TelegramFailure, TelegramUnavailable
from tgbridge.settings import Settings
from tgbridge.telegram.datacentres.account import Address
from tgbridge.telegram.datacentres.directory import Directory, Place, choose
from tgbridge.telegram.mtproto.rsa_keys import fingerprint

if TYPE_CHECKING:
    from pathlib import Path


# As https://core.telegram.org/api/obtaining_api_id names them in hexadecimal, signed.
PRODUCTION_KEY = 0xD09D1D85DE64FD85 - (1 << 64)
TEST_KEY = 0xB25898DF208D2603 - (1 << 64)


def option(host: str, dc_id: int = 2, **flags: Any) -> types.DcOption:
    return types.DcOption(dc_id, host, 443, **flags)


OPTIONS = (
    option("10.0.0.1", static=True),
    option("10.0.0.2"),
    option("10.0.0.3", media_only=True),
    option("10.0.0.4", media_only=True, static=True),
    option("10.0.0.5", tcpo_only=True),
    option("10.0.0.6", secret=b"secret"),
    option("10.0.0.7", cdn=True),
    option("10.0.0.8", dc_id=4),
    option("2001:db8::1", ipv6=True),
    option("2001:db8::2", ipv6=True, media_only=True),
    option("10.0.0.2"),
)


@pytest.mark.parametrize(
    ("wanted", "hosts"),
    [
        ({}, ["10.0.0.2", "10.0.0.1", "2001:db8::1"]),
        ({"use_ipv6": True}, ["2001:db8::1", "10.0.0.2", "10.0.0.1"]),
        (
            {"media": True},
            ["10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.1", "2001:db8::2", "2001:db8::1"],
        ),
        (
            {"media": True, "use_ipv6": True},
            ["2001:db8::2", "2001:db8::1", "10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.1"],
        ),
        ({"media": True, "cdn": True}, ["10.0.0.7"]),
    ],
)
def test_the_order_of_addresses(wanted: dict[str, bool], hosts: list[str]) -> None:
    """media_only first for files and never otherwise, the wanted IP version first, proxies' last."""
    found = choose(OPTIONS, 2, **wanted)
    assert [one.host for one in found] == hosts


def test_another_data_centre() -> None:
    """Only the one that is asked for."""
    assert choose(OPTIONS, 4) == (Address("10.0.0.8", 443),)
    assert choose(OPTIONS, 5) == ()


@pytest.mark.parametrize(("use_ipv6", "host"), [(False, "149.154.167.51"), (True, "2001:67c:4e8:f002::a")])
async def test_telegrams_own(*, use_ipv6: bool, host: str) -> None:
    """Without a setting, where Telegram's own apps begin."""
    settings = Settings.model_validate({"telegram": {"use_ipv6": use_ipv6}})
    assert await Directory(settings.telegram).start() == Place(2, Address(host, 443))


@pytest.mark.parametrize("host", ["::1", "[::1]", "127.0.0.1", "localhost"])
async def test_a_configured_one(host: str) -> None:
    """An address, or a name that becomes one; sessions of that data centre connect there, no others."""
    settings = Settings.model_validate({"telegram": {"dc_host": host, "dc_port": 8443, "dc_id": 3}})
    centres = Directory(settings.telegram)
    place = await centres.start()
    assert place == Place(3, Address("::1" if ":" in host else "127.0.0.1", 8443))
    moved = Place(3, Address("192.0.2.1", 443))
    elsewhere = Place(1, Address("192.0.2.1", 443))
    assert await centres.home(moved) == place
    assert await centres.home(elsewhere) == elsewhere


async def test_a_name_that_is_none() -> None:
    """It is unavailability, and the name server's answer does not matter."""
    settings = Settings.model_validate({"telegram": {"dc_host": "no-such-host.invalid"}})
    with pytest.raises(TelegramUnavailable):
        await Directory(settings.telegram).start()


async def test_the_configuration_is_asked_for_once() -> None:
    """Until it expires, and by each process for itself."""
    asked = 0
    now = datetime.now(UTC)

    async def call(_: Any) -> Any:
        nonlocal asked
        asked += 1
        return _config(now, now + timedelta(hours=1))

    centres = Directory(Settings().telegram)
    for _ in range(3):
        assert [one.host for one in await centres.addresses(call, 4)] == ["10.0.0.8"]
    assert asked == 1
    assert await Directory(Settings().telegram).addresses(call, 5) == ()
    assert asked == 2
    centres._valid_until = asyncio.get_running_loop().time()
    await centres.addresses(call, 4)
    assert asked == 3


@pytest.mark.parametrize("error", [TelegramUnavailable("gone"), FloodWait(60)], ids=str)
async def test_what_is_known_is_used_where_it_cannot_be_asked_anew(error: TelegramFailure) -> None:
    """Addresses hardly ever change, and it is asked again later; an ended session is told of at once."""
    now = datetime.now(UTC)
    outcomes: list[Any] = [
        error,
        _config(now, now + timedelta(hours=1)),
        error,
        SessionEnded("SESSION_REVOKED"),
    ]
    asked = 0

    async def call(_: Any) -> Any:
        nonlocal asked
        asked += 1
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    centres = Directory(Settings().telegram)
    with pytest.raises(type(error)):
        await centres.addresses(call, 4)
    known = await centres.addresses(call, 4)
    centres._valid_until = 0.0
    for _ in range(3):
        assert await centres.addresses(call, 4) == known
    assert asked == 3
    centres._valid_until = 0.0
    with pytest.raises(SessionEnded):
        await centres.addresses(call, 4)


def test_several_keys_of_both_forms(tmp_path: Path) -> None:
    """PKCS#1 and SubjectPublicKeyInfo, with text between them; Telegram's own are then not accepted."""
    keys = [generate_private_key(public_exponent=65537, key_size=2048).public_key() for _ in range(2)]
    forms = (PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo)
    pems = [key.public_bytes(Encoding.PEM, form) for key, form in zip(keys, forms, strict=True)]
    path = tmp_path / "keys.pem"
    path.write_bytes(b"our keys\n" + b"\nand\n".join(pems))
    telegram = Settings.model_validate({"telegram": {"dc_host": "::1", "dc_public_key": path}}).telegram
    accepted = Directory(telegram).public_keys
    assert all(fingerprint(key.public_numbers().n, 65537) in accepted for key in keys)
    assert PRODUCTION_KEY not in accepted


@pytest.mark.parametrize(
    ("test_servers", "key", "number"), [(False, PRODUCTION_KEY, 2), (True, TEST_KEY, 10_002)]
)
def test_telegrams_own_keys(*, test_servers: bool, key: int, number: int) -> None:
    """The fingerprints that Telegram publishes; the test servers are called by other numbers, too."""
    settings = Settings.model_validate({"telegram": {"test_servers": test_servers}}).telegram
    centres = Directory(settings)
    assert [one for one in (PRODUCTION_KEY, TEST_KEY) if one in centres.public_keys] == [key]
    assert centres.number(2) == number


def _config(date: datetime, expires: datetime) -> Any:
    """Of help.getConfig, what is read of it."""
    names = types.Config.__init__.__annotations__
    return types.Config(
        **{name: None for name in names if name not in ("return", "date", "expires", "dc_options")},
        date=date,
        expires=expires,
        dc_options=list(OPTIONS),
    )
