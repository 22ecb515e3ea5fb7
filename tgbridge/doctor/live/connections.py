"""Connections and keys: what is asked here concerns the session of the doctor alone."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.doctor.live.account import MIB, Live, location
from tgbridge.doctor.live.beliefs import Seen, belief, differs, expect, holds, unseen
from tgbridge.errors import TelegramFailure, TelegramRefused
from tgbridge.telegram.account import login
from tgbridge.telegram.datacentres.directory import choose
from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
from tgbridge.telegram.mtproto.failures import UNKNOWN_KEY, ConnectionFailed, TransportRefused
from tgbridge.telegram.mtproto.key_exchange import create_key
from tgbridge.telegram.mtproto.wire import PARTING_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.telegram.datacentres.account import Address
    from tgbridge.telegram.mtproto.connection import Connection

_READERS: Final = 4
_WRONG_SECONDS: Final = 4000


async def _addresses(live: Live, dc_id: int, *, media: bool = True) -> Sequence[Address]:
    config = await live.ask(functions.help.GetConfigRequest())
    return choose(config.dc_options, dc_id, media=media, use_ipv6=live.settings.telegram.use_ipv6)


async def _open(live: Live, address: Address) -> Connection:
    async with asyncio.timeout(live.settings.telegram.connect_timeout_seconds):
        return await live.client.connector.open(address.host, address.port)


async def _home(live: Live) -> Connection:
    """Open a connection to the home data centre, which is asked nothing with the account's key."""
    session = live.client.session
    async with asyncio.timeout(live.settings.telegram.connect_timeout_seconds):
        return await live.client.connector.open(session.server_address, session.port)


def _nonce() -> int:
    return int.from_bytes(secrets.token_bytes(16), "little", signed=True)


@belief("connection-media-only")
async def media_only(live: Live) -> Seen:
    """See for which data centres addresses for files are named."""
    config = await live.ask(functions.help.GetConfigRequest())
    ids = sorted({option.id for option in config.dc_options if not option.cdn})
    named = sorted({option.id for option in config.dc_options if option.media_only and not option.cdn})
    text = f"Data centres {named} of {ids} have addresses for files alone." if named else "None has any."
    return holds(text, data_centres=ids, media_only=named)


@belief("connection-one-main")
async def parallel(live: Live) -> Seen:
    """Read one file on several connections at once, where that is allowed; the session has to live on."""
    home = live.client.home_dc_id
    if not any(address.media_only for address in await _addresses(live, home)):
        return unseen(
            f"Data centre {home} has no address for files alone; elsewhere it would end the session."
        )
    document: types.Document = live.notes["document"]
    reads = [
        live.ask_files(home, functions.upload.GetFileRequest(location(document), 0, MIB)) for _ in range(8)
    ]
    answers = await asyncio.gather(*reads)
    opened = live.client.files.stats.connections.get(home, 0)
    await login.get_me(live.client)  # raises SessionEnded where it has not
    same = all(bytes(answer.bytes) == bytes(answers[0].bytes) for answer in answers)
    return expect(
        same and opened > 1,
        f"{opened} connections for files beside the main one, and the session lives.",
        f"Of {opened} connections not all answered alike.",
        connections=opened,
    )


@belief("connection-closing")
async def closing(live: Live) -> Seen:
    """Say that this is the end, and see how soon the server closes as well."""
    connection = await _home(live)
    await connection.exchange(functions.ReqPqMultiRequest(_nonce()))
    began = time.perf_counter()
    connection.is_only = True
    await connection.aclose()
    seconds = time.perf_counter() - began
    told = f"The server closed its side after {seconds * 1000:.0f} ms."
    return expect(
        seconds < PARTING_SECONDS,
        told,
        f"The server did not close its side within {PARTING_SECONDS:.0f} s.",
        milliseconds=round(seconds * 1000),
    )


@belief("connection-404")
async def unknown_key(live: Live) -> Seen:
    """Use a key that no server knows."""
    connection = await _home(live)
    try:
        connection.use(AuthorizationKey(secrets.token_bytes(256)), live.client.preamble)
        await connection.call(functions.help.GetNearestDcRequest())
    except TransportRefused as error:
        return expect(
            error.code == UNKNOWN_KEY, "-404, for a key that nobody has.", f"{error.code}, for -404."
        )
    except ConnectionFailed as error:
        return differs(f"{type(error).__name__} instead of -404.")
    finally:
        await connection.aclose()
    return differs("It was answered.")


@belief("key-exchange")
async def key_exchange(live: Live) -> Seen:
    """Make keys: at home by the data centre's number, and at an address for files by its negative."""
    home, made = live.client.home_dc_id, []
    addresses = await _addresses(live, home)
    number = live.client.number(home)
    for address in {one.media_only: one for one in reversed(addresses)}.values():
        connection = await _open(live, address)
        dc = -number if address.media_only else number
        try:
            await create_key(connection.exchange, live.client.public_keys, dc)
        except ConnectionFailed as error:
            return differs(f"No key as {dc}: {type(error).__name__}.")
        finally:
            await connection.aclose()
        made.append(dc)
    return holds(f"Keys are made as {', '.join(map(str, sorted(made)))}.", numbers=sorted(made))


@belief("key-fingerprints")
async def fingerprints(live: Live) -> Seen:
    """See which RSA keys a server names, of which one has to be known."""
    connection = await _home(live)
    try:
        answer: Any = await connection.exchange(functions.ReqPqMultiRequest(_nonce()))
    finally:
        await connection.aclose()
    named = [f"{one & 0xFFFF_FFFF_FFFF_FFFF:016x}" for one in answer.server_public_key_fingerprints]
    known = [one for one in answer.server_public_key_fingerprints if one in live.client.public_keys]
    return expect(known, f"The server names {', '.join(named)}.", "None of its keys is known.", keys=named)


@belief("key-bad-salt")
async def wrong_salt(live: Live) -> Seen:
    """Say a wrong salt: the server names the right one, of this very message."""
    state = live.client.keys.home
    state.salt ^= secrets.randbits(62) | 1
    wrong = state.salt
    await live.ask(functions.help.GetNearestDcRequest())
    return expect(
        state.salt != wrong, "A wrong salt is put right by one more round trip.", "It was not put right."
    )


@belief("key-message-times")
async def wrong_clock(live: Live) -> Seen:
    """Say a wrong time: the server does not take it, and its own answer tells the right one."""
    state = live.client.keys.home
    before = state.time_offset
    state.time_offset = before + _WRONG_SECONDS
    try:
        await live.ask(functions.help.GetNearestDcRequest())
        off = abs(state.time_offset - before)
    finally:
        state.time_offset = before
    return expect(
        off <= 2,
        "A message of an hour ahead is refused, and the clock set by the refusal.",
        f"The clock was still {off} s off.",
    )


@belief("login-migrate")
async def migrate(live: Live) -> Seen:
    """Ask another data centre for a file that is at home."""
    home = live.client.home_dc_id
    document: types.Document = live.notes["document"]
    others = [dc for dc in await _others(live) if dc != document.dc_id]
    if not others:
        return unseen("There is one data centre only.")
    try:
        await live.ask_files(others[0], functions.upload.GetFileRequest(location(document), 0, 4096))
    except TelegramRefused as error:
        live.notes["exported"] = others[0]
        told = f"{error.name} {error.value or ''}".strip()
        right = error.name == "FILE_MIGRATE" and error.value == document.dc_id
        return expect(
            right, f"{told}, where the file is.", f"{told}, for FILE_MIGRATE {document.dc_id}.", home=home
        )
    return differs("Another data centre had the file.")


async def _others(live: Live) -> list[int]:
    config = await live.ask(functions.help.GetConfigRequest())
    ids = {option.id for option in config.dc_options if not option.cdn}
    return sorted(ids - {live.client.home_dc_id})


@belief("login-exported")
async def exported(live: Live) -> Seen:
    """Import an authorization twice."""
    dc_id = live.notes.get("exported")
    if dc_id is None:
        return unseen("No other data centre was reached.")
    authorization = await live.client.export_authorization(dc_id)
    again = functions.auth.ImportAuthorizationRequest(authorization.id, authorization.bytes)
    await live.ask_files(dc_id, again)
    try:
        await live.ask_files(dc_id, again)
    except TelegramFailure as error:
        return holds(f"Good once: {getattr(error, 'name', type(error).__name__)} for the second time.")
    return differs("It was good twice.")
