"""What is kept of a session's keys from one client of it to the next, and what comes of it."""

from __future__ import annotations

import asyncio
import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl import functions, types

from tests.telegram.messages import get_message
from tests.telegram.transfer.conftest import PHONE
from tgbridge.errors import SessionEnded
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.telegram.account.login import log_out
from tgbridge.telegram.datacentres import session_keys
from tgbridge.telegram.datacentres.session_keys import KeptSession, KeyMemory, SessionKeys, key_of
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.saved.items import remote_file

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.pool import ClientPool

HOME, FOREIGN = 1, 3
AT_ONCE = {"pool": {"idle_seconds": 0.001}}


@pytest.fixture
def hasty(make_pool: MakePool) -> ClientPool:
    """A pool that closes clients as soon as they are given back."""
    return make_pool(**AT_ONCE)


async def read(pool: ClientPool, session: str, sandbox: Sandbox, until: Until, dc_id: int = FOREIGN) -> None:
    """Read a file of the account with a client of its own, and see that client closed."""
    account = sandbox.state.account_of(PHONE)
    blob = Synthetic(5000)
    document = account.document(blob, mime_type="application/octet-stream", dc_id=dc_id, attributes=[])
    message = account.add_message(media=types.MessageMediaDocument(document=document))
    async with pool.borrow(session) as client:
        file = remote_file(await get_message(client, message.id))
        request = functions.upload.GetFileRequest(file.location(), 0, 8192)
        patience = Patience.of_first_bytes(pool._settings.telegram)
        answer = await client.files.call(dc_id, request, patience)
        assert bytes(answer.bytes) == blob.read(0, 5000)
    await until(lambda: not pool.stats.clients)


async def test_a_session_that_comes_back_begins_where_it_was(
    hasty: ClientPool, sign_in: SignIn, sandbox: Sandbox, until: Until
) -> None:
    """No refused salt, no other key, no other login elsewhere: a client for each request, and one of each."""
    session = await sign_in(hasty, PHONE)
    await read(hasty, session, sandbox, until)
    sandbox.counters.reset()
    for dc_id in (FOREIGN, HOME, FOREIGN):
        await read(hasty, session, sandbox, until, dc_id)
    counters = sandbox.counters
    assert (counters.bad_salts, counters.auth_keys) == (0, 0)
    assert counters.of("auth.exportAuthorization") == counters.of("auth.importAuthorization") == 0
    assert counters.connections == {HOME: 4, FOREIGN: 2}


async def test_a_salt_serves_all_connections_of_a_key(
    make_pool: MakePool, stored: str, sandbox: Sandbox, until: Until
) -> None:
    """The main connection is told it once; those for files, opened beside it, need not ask."""
    await read(make_pool(**AT_ONCE), stored, sandbox, until, HOME)
    assert sandbox.counters.bad_salts == 1


async def test_what_was_kept_may_be_out_of_date(
    hasty: ClientPool, sign_in: SignIn, sandbox: Sandbox, until: Until
) -> None:
    """Salts that have expired, a login that has ended and a key that is forgotten are had anew."""
    session = await sign_in(hasty, PHONE)
    await read(hasty, session, sandbox, until)
    sandbox.faults.expire_salts()
    await read(hasty, session, sandbox, until)

    sandbox.counters.reset()
    sandbox.faults.error("upload.getFile", 401, "AUTH_KEY_UNREGISTERED", dc=FOREIGN)
    await read(hasty, session, sandbox, until)
    assert sandbox.counters.of("auth.importAuthorization") == 1
    assert sandbox.counters.auth_keys == 0

    for key in list(sandbox.auth_keys):
        if key.dc_id == FOREIGN:
            sandbox.faults.revoke(auth_key=key.name, error=None)
    await read(hasty, session, sandbox, until)
    await read(hasty, session, sandbox, until)
    assert sandbox.counters.of("auth.importAuthorization") == 2
    assert sandbox.counters.auth_keys == 1


@pytest.mark.parametrize("seconds", [-3600, -100, 100, 3600])
async def test_a_clock_may_have_been_set_meanwhile(
    hasty: ClientPool, sign_in: SignIn, sandbox: Sandbox, until: Until, seconds: int
) -> None:
    """Ours or the server's, far or near: with a salt that is good, no refusal tells which time it is."""
    session = await sign_in(hasty, PHONE)
    await until(lambda: not hasty.stats.clients)
    for offset in (seconds, 0):
        sandbox.clock_offset = offset
        for dc_id in (HOME, FOREIGN):
            await read(hasty, session, sandbox, until, dc_id)


async def test_a_login_that_was_refused_is_not_kept(
    hasty: ClientPool, sign_in: SignIn, sandbox: Sandbox, until: Until
) -> None:
    """The next client makes another key, and logs it in."""
    session = await sign_in(hasty, PHONE)
    sandbox.faults.error("auth.importAuthorization", 400, "AUTH_BYTES_INVALID")
    await read(hasty, session, sandbox, until)
    assert sandbox.counters.of("auth.importAuthorization") == 2
    await read(hasty, session, sandbox, until)
    assert sandbox.counters.of("auth.importAuthorization") == 2


@pytest.mark.parametrize("while_lent", [True, False])
async def test_nothing_is_kept_of_a_session_that_has_ended(
    hasty: ClientPool, sign_in: SignIn, sandbox: Sandbox, until: Until, *, while_lent: bool
) -> None:
    """Its keys are as secret as it was."""
    session = await sign_in(hasty, PHONE)
    await read(hasty, session, sandbox, until)
    memory = kept(hasty)
    assert len(memory) == 1
    if while_lent:
        async with hasty.borrow(session) as client:
            await log_out(client)
            ending = asyncio.create_task(hasty.drop(session))
            await asyncio.sleep(0)
        await ending
    else:
        await hasty.drop(session)
    await until(lambda: not hasty.stats.clients)
    assert len(memory) == 0


async def test_nothing_is_kept_of_a_login_under_way(hasty: ClientPool, until: Until) -> None:
    """Anybody can begin one: those of users would have to make room."""
    async with hasty.anonymous():
        pass
    await until(lambda: not hasty.stats.clients)
    assert len(kept(hasty)) == 0


def test_the_memory_is_bounded() -> None:
    """The session that was away for longest is forgotten first; one that is taken is the client's."""
    memory, keys = KeyMemory(most=2), [SessionKeys() for _ in range(3)]
    memory.keep("a", keys[0])
    memory.keep("b", keys[1])
    memory.keep("a", keys[0])
    memory.keep("c", keys[2])
    assert memory.take("a") is keys[0]
    assert memory.take("a") is not keys[0]
    assert memory.take("b") is not keys[1]
    assert memory.take("c") is keys[2]


def test_keys_do_not_show_themselves() -> None:
    """Not even that there are some."""
    assert "KeyState" not in repr(SessionKeys())


def session_string(address: str = "127.0.0.1", key: bytes = bytes(range(256))) -> str:
    session = StringSession()
    session.set_dc(2, address, 443)
    session.auth_key = AuthKey(key)
    return str(session.save())


GOOD = session_string()
ODD = (
    GOOD,
    session_string("2001:db8::1"),
    session_string(key=bytes(256)),
    "",
    "1",
    "2" + GOOD[1:],
    GOOD[:-1],
    GOOD[:-4],
    GOOD + "A",
    GOOD + "AAAA",
    GOOD[:5] + "\n" + GOOD[5:],
    GOOD[:5] + "*" + GOOD[6:],
    GOOD[:5] + "é" + GOOD[6:],
    session_string("2001:db8::1")[:-4],
    "1" + "!" * 352,
)


@pytest.mark.parametrize("session", ODD)
def test_the_key_is_the_one_that_telethon_reads(session: str) -> None:
    """A session's key is found without all that Telethon makes of its string, and where it finds one."""
    try:
        key = StringSession(session).auth_key
    except (ValueError, struct.error):
        key = None
    if key is None:
        with pytest.raises(SessionEnded, match="AUTH_KEY_INVALID"):
            key_of(session)
    else:
        assert key_of(session) == sha256(key.key).hexdigest()


def test_a_key_is_kept_with_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for once, of what is no session each time; what keeps it is text as before."""
    session, broken = KeptSession(GOOD), KeptSession("1!")
    assert (session, session.key, hash(session)) == (GOOD, None, hash(GOOD))
    key = key_of(session)
    for _ in range(2):
        with pytest.raises(SessionEnded):
            key_of(broken)
    monkeypatch.setattr(session_keys, "sha256", None)
    assert key_of(session) == key


def kept(pool: ClientPool) -> Any:
    return pool._keys
