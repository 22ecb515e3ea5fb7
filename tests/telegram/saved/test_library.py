"""What is known of Saved Messages: asked for once, believed for a while, and right after each change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from tgbridge.errors import FloodWait, MediaNotFound
from tgbridge.sandbox.seeds import IDS, seed_many
from tgbridge.settings import FilesSettings
from tgbridge.telegram.saved.changes import Added, Deleted, Edited
from tgbridge.telegram.saved.library import LIFETIME_SECONDS, AccountLibrary, Library
from tgbridge.telegram.saved.meaning import Meaning
from tgbridge.telegram.saved.saved_media import SavedMedia

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.telegram.conftest import SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

pytestmark = pytest.mark.swift_time

PHONE = "+9996610001"
METHOD = "messages.getMessages"
NO_MEDIA = ("text", "service", "contact", "location", "link_preview", "expired_photo", "expired_video")


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return sandbox.state.account_of(PHONE)


@pytest.fixture
async def client(pool: ClientPool, sign_in: SignIn, account: Account) -> AsyncIterator[BridgeClient]:
    async with pool.borrow(await sign_in(pool), account=account.id) as client:
        yield client


@pytest.fixture
def library(client: BridgeClient) -> AccountLibrary:
    return Library(FilesSettings()).of(client)


def asked(sandbox: Sandbox) -> int:
    return sandbox.counters.of(METHOD)


def documents(account: Account, count: int = 1) -> list[Any]:
    """New messages, each with a file."""
    made = []
    for number in range(count):
        document = account.document(b"%d" % number, mime_type="application/pdf")
        made.append(account.add_message(media=types.MessageMediaDocument(document=document)))
    return made


# Asking


async def test_a_page_is_one_request(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """Whoever asks for its hundred messages in the same turn; and none when they are asked for again."""
    ids = seed_many(account, 100, photo_every=1)
    for _ in range(2):
        found = await asyncio.gather(*(library.get(client, message_id) for message_id in ids))
        assert [media.id for media in found] == ids
        assert asked(sandbox) == 1


async def test_many(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """A hundred to a request, and what is known to none; of those without media it is said."""
    ids = seed_many(account, 250)
    known = await library.get(client, ids[1])
    found = await library.get_many(client, [*ids, 0, 2**31, IDS["text"], 10**6])
    assert asked(sandbox) == 1 + 3
    assert found[ids[1]] is known
    assert [found[message_id] is not None for message_id in ids] == [False, True] * 125
    assert [found[message_id] for message_id in (0, 2**31, IDS["text"], 10**6)] == [None] * 4


async def test_what_is_no_message_with_media(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary
) -> None:
    """It is not found, and asked for each time, since it may be there by then; what is no id is not."""
    ids = [IDS[key] for key in NO_MEDIA] + [10**6, 2**31 - 1]
    for message_id in ids * 2:
        with pytest.raises(MediaNotFound):
            await library.get(client, message_id)
    assert asked(sandbox) == 2 * len(ids)
    for message_id in (0, -1, 2**31, 2**100):
        with pytest.raises(MediaNotFound):
            await library.fetch(client, message_id)
    assert asked(sandbox) == 2 * len(ids)


async def test_what_was_just_uploaded_is_found(
    client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """Although somebody has asked for its id before it was there."""
    (message,) = documents(account)
    with pytest.raises(MediaNotFound):
        await library.get(client, message.id + 1)
    (new,) = documents(account)
    assert (await library.get(client, new.id)).id == message.id + 1


async def test_a_wait_is_told_to_each(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """All who wait for the same request; the next one asks anew."""
    ids = [message.id for message in documents(account, 3)]
    sandbox.faults.flood_wait(METHOD, 33)
    ends = await asyncio.gather(*(library.get(client, one) for one in ids), return_exceptions=True)
    assert [type(end) for end in ends] == [FloodWait] * 3
    assert (await library.get(client, ids[0])).id == ids[0]


async def test_an_id_that_telegram_does_not_take(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """It is not found, and costs the others that were asked for with it no more than another request."""
    ids = [message.id for message in documents(account, 5)]
    sandbox.faults.error(METHOD, 400, "MSG_ID_INVALID", times=3)  # for all, for two of them, and for the one
    found = await library.get_many(client, ids)
    assert [message_id for message_id in ids if found[message_id] is None] == ids[:1]
    sandbox.faults.error(METHOD, 400, "MESSAGE_ID_INVALID")
    with pytest.raises(MediaNotFound):
        await library.get(client, ids[0])


async def test_sizes_are_those_of_the_bytes(client: BridgeClient, library: AccountLibrary) -> None:
    """What an item promises is what upload.getFile gives, for photos, documents and thumbnails."""
    for key in ("photo", "forwarded_photo", "video_note", "sticker", "pdf"):
        media = await library.get(client, IDS[key])
        files = [media.file()]
        assert files[0].size == media.item.size
        if media.item.has_thumbnail:
            files += [media.thumbnail("small"), media.thumbnail("medium"), media.thumbnail("large")]
        for file in files:
            answer = await client(functions.upload.GetFileRequest(file.location(), 0, 512 * 1024))
            assert len(answer.bytes) == file.size


# Whose messages


async def test_messages_of_other_chats(
    client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """They have numbers of the same sequence, and are neither found nor remembered."""
    own, other, group = documents(account, 3)
    other.peer_id, group.peer_id = types.PeerUser(account.id + 1), types.PeerChat(account.id)
    for message in (other, group):
        with pytest.raises(MediaNotFound):
            await library.get(client, message.id)
    channel = types.Message(10**6, peer_id=types.PeerChannel(account.id), media=own.media)
    assert [media.id for media in library.remember([own, other, group, channel])] == [own.id]


async def test_an_account_that_nobody_has_named(pool: ClientPool, sign_in: SignIn, account: Account) -> None:
    """Whose messages they are is learnt from the first answer; until then none are believed unasked."""
    (message,) = documents(account)
    async with pool.borrow(await sign_in(pool)) as client:
        library = Library(FilesSettings()).of(client)
        assert library.remember([message]) == []
        assert (await library.get(client, message.id)).id == message.id
        assert [media.id for media in library.remember([message])] == [message.id]


async def test_accounts_are_never_mixed(client: BridgeClient, account: Account) -> None:
    """The same number is another message of another account."""
    libraries, (message,) = Library(FilesSettings()), documents(account)
    libraries.of(client).remember([message])
    assert libraries.account(account.id) is libraries.of(client)
    assert libraries.account(account.id).known(message.id) is not None
    assert libraries.account(account.id + 1).known(message.id) is None


# For how long


async def test_without_updates_it_is_believed_for_a_minute(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """A deletion on another device shows after it, at the latest."""
    (message,) = documents(account)
    await library.get(client, message.id)
    account.history.delete([message.id])
    await asyncio.sleep(LIFETIME_SECONDS - 1)
    await library.get(client, message.id)
    await asyncio.sleep(1)
    with pytest.raises(MediaNotFound):
        await library.get(client, message.id)
    assert asked(sandbox) == 2


async def test_with_updates_it_is_believed_until_it_changes(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account
) -> None:
    """What was known before they came is not, since it may have changed until then."""
    before, after = documents(account, 2)
    await library.get(client, before.id)
    await asyncio.sleep(1)
    library.trust()
    await library.get(client, after.id)
    await asyncio.sleep(3600)
    assert library.known(before.id) is None
    assert library.known(after.id) is not None
    library.distrust()
    assert library.known(after.id) is None
    library.trust(unbroken=True)  # all that was missed has been told
    assert library.known(after.id) is not None
    library.distrust()
    library.trust()
    assert library.known(after.id) is None
    assert asked(sandbox) == 2


async def test_changes(client: BridgeClient, library: AccountLibrary, account: Account) -> None:
    """What is deleted is gone at once, and what is new is known at once, without asking."""
    old, new = documents(account, 2)
    await library.get(client, old.id)
    added = SavedMedia.of(new)
    assert added is not None
    library.changed(Added(added, 1))
    assert library.known(new.id) is added
    library.changed(Deleted((old.id,), 2))
    with pytest.raises(MediaNotFound):
        library.known(old.id)


@pytest.mark.parametrize("told", ["deleted", "edited"])
async def test_an_answer_that_comes_too_late(
    sandbox: Sandbox, client: BridgeClient, library: AccountLibrary, account: Account, told: str
) -> None:
    """What was asked for before a change does not bring back what was there before it."""
    (message,) = documents(account)
    library.trust()
    held = sandbox.faults.hold(METHOD)
    asking = asyncio.create_task(library.get(client, message.id))
    await held.reached(1)
    await asyncio.sleep(1)
    edited = SavedMedia.of(message)
    assert edited is not None
    library.changed(Deleted((message.id,), 1) if told == "deleted" else Added(edited, 1))
    held.release()
    if told == "deleted":
        with pytest.raises(MediaNotFound):
            await asking
    else:
        assert await asking is edited is library.known(message.id)


# How much


async def test_what_was_missed_is_told_as_telegram_tells_it(
    library: AccountLibrary, account: Account
) -> None:
    """A difference that was asked for before an earlier update came late holds what followed that, too."""
    late, latest = documents(account, 2)
    latest.id, late.message, latest.message = late.id, "first", "second"
    meaning = Meaning(library, library.live.shown)
    answer = types.updates.Difference([], [], [types.UpdateEditMessage(latest, 12, 1)], [], [], None)
    asked_at = asyncio.get_running_loop().time()
    meaning.of_update(types.UpdateEditMessage(late, 11, 1), 11, asked_at + 1)
    (step,) = meaning.of_difference(answer, 10, 12, asked_at)
    assert isinstance(step.change, Edited)
    assert (step.change.media.item.caption, step.through) == ("second", 12)


def test_bounds(account: Account) -> None:
    """An account keeps no more than it may, and all together no more than they may."""

    async def fill() -> tuple[int, ...]:
        libraries = Library(FilesSettings(messages_per_account=5, messages_per_process=8))
        messages = documents(account, 9)
        for owner in (account.id, account.id + 1):
            for message in messages:
                message.peer_id = types.PeerUser(owner)
            libraries.account(owner).remember(messages)
        return len(libraries), len(libraries._accounts)

    assert asyncio.run(fill()) == (8, 2)
