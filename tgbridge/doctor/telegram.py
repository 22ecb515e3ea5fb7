"""Telegram: the clock, and how far its data centres are. No account is needed, and none is touched."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions

from tgbridge.doctor.findings import Finding, fault, ok, unknown, warning
from tgbridge.errors import BridgeError
from tgbridge.telegram.datacentres.directory import choose
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.pool import ClientPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tgbridge.settings import Settings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.datacentres.account import Address

_TIMELY: Final = 2  # seconds; the key exchange tells whole ones
_TOLERABLE: Final = 30  # https://core.telegram.org/mtproto/security_guidelines: messages may be so far ahead
_FAR_MILLISECONDS: Final = 250
_ROUNDS: Final = 3
_REACH_SECONDS: Final = 10.0


async def check_telegram(settings: Settings) -> AsyncIterator[Finding]:
    """Make a key with the data centre where clients begin, which tells its time, and reach all others."""
    pool = ClientPool(settings)
    try:
        async with pool.anonymous() as client:
            yield ok("telegram.key", "A data centre agreed on a key.", dc=client.home_dc_id)
            yield _clock(client.keys.home.time_offset)
            async for finding in _centres(settings, client):
                yield finding
    except BridgeError as error:
        yield fault(
            "telegram.key",
            f"No data centre can be reached: {error}.",
            "Let the service out to Telegram's addresses at port 443 (TCP, no proxy); for another server see "
            "TELEGRAM_DC_HOST and TELEGRAM_DC_PUBLIC_KEY.",
        )
    finally:
        await pool.close()


def _clock(offset: int) -> Finding:
    how = "as the key exchange tells it (server_time in server_DH_inner_data)"
    if abs(offset) <= _TIMELY:
        return ok("telegram.clock", f"This clock is Telegram's, {how}.", offset_seconds=offset)
    way = "slow" if offset > 0 else "fast"
    text = f"This clock is {abs(offset)} s {way}, {how}."
    remedy = "Let NTP set it (timedatectl set-ntp true): cookies, tickets and certificates go by it."
    make = warning if abs(offset) <= _TOLERABLE else fault
    return make("telegram.clock", text, remedy, offset_seconds=offset)


async def _centres(settings: Settings, client: BridgeClient) -> AsyncIterator[Finding]:
    config = await client.patiently(functions.help.GetConfigRequest())
    ids = sorted({option.id for option in config.dc_options if not option.cdn})
    named = {
        dc_id: choose(config.dc_options, dc_id, media=True, use_ipv6=settings.telegram.use_ipv6)
        for dc_id in ids
    }
    delays = await asyncio.gather(*(_delay(client, addresses) for addresses in named.values()))
    for (dc_id, addresses), delay in zip(named.items(), delays, strict=True):
        yield _reach(dc_id, addresses, delay, home=dc_id == client.home_dc_id)


def _reach(dc_id: int, addresses: Sequence[Address], delay: float | None, *, home: bool) -> Finding:
    check, data = f"telegram.dc{dc_id}", _data(addresses, delay)
    if not addresses:
        return unknown(check, f"Telegram names no address of data centre {dc_id} that this service can use.")
    if delay is None:
        make = fault if home else warning
        whom = "Nobody can sign in." if home else "Files there cannot be read, nor can its accounts sign in."
        return make(
            check,
            f"Data centre {dc_id} does not answer at any of {len(addresses)} address(es). {whom}",
            "Let the service out to all of Telegram's networks (https://core.telegram.org/resources/cidr.txt).",
            **data,
        )
    media = "with addresses for files" if any(one.media_only for one in addresses) else "none for files alone"
    text = f"Data centre {dc_id} answers within {delay:.0f} ms; {media}."
    if delay > _FAR_MILLISECONDS:
        remedy = "Files of it are read at a distance: a machine nearer to Telegram's data centres is faster."
        return warning(check, text, remedy, **data)
    return ok(check, text, **data)


def _data(addresses: Sequence[Address], delay: float | None) -> dict[str, Any]:
    return {
        "milliseconds": None if delay is None else round(delay, 1),
        "addresses": len(addresses),
        "media_only": sum(address.media_only for address in addresses),
    }


async def _delay(client: BridgeClient, addresses: Sequence[Address]) -> float | None:
    """Return the shortest round trip, in milliseconds, to the first address that answers, if one does."""
    for address in addresses:
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                return await _round_trip(client, address)
        except (ConnectionFailed, OSError):  # TimeoutError is one of the last
            continue
    return None


async def _round_trip(client: BridgeClient, address: Address) -> float:
    trips = []
    for _ in range(_ROUNDS):  # each connection is asked once: a second question would be another key exchange
        connection = await client.connector.open(address.host, address.port)
        try:
            began = time.perf_counter()
            nonce = int.from_bytes(secrets.token_bytes(16), "little", signed=True)
            await connection.exchange(functions.ReqPqMultiRequest(nonce))
            trips.append(time.perf_counter() - began)
        finally:
            await connection.aclose()
    return min(trips) * 1000
