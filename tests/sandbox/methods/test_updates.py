"""What the other devices of an account are told, at once or when they come back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, events, functions, types

from tgbridge.sandbox import telephone
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn
    from tgbridge.sandbox import Sandbox


class Seen:
    """The updates that reach a client."""

    def __init__(self, client: TelegramClient) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        kinds = [types.UpdateNewMessage, types.UpdateEditMessage, types.UpdateDeleteMessages]
        client.add_event_handler(self._queue.put, events.Raw(kinds))

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self._queue.get()

    def empty(self) -> bool:
        return self._queue.empty()


async def difference(client: TelegramClient, pts: int, **limits: int) -> Any:
    return await client(functions.updates.GetDifferenceRequest(pts, None, 0, **limits))


async def test_other_devices_are_told_at_once(sign_in: SignIn) -> None:
    """New, edited and deleted messages, each with the state after it; other accounts hear nothing."""
    client, device, stranger = await sign_in(), await sign_in(), await sign_in("+9996620002")
    seen, strangers = Seen(device), Seen(stranger)
    before = await device(functions.updates.GetStateRequest())
    sent = await client.send_file("me", b"hello", caption="new")
    update = await seen.next()
    assert (update.message.id, update.message.message, update.pts) == (sent.id, "new", before.pts + 1)
    assert await device.download_media(update.message, bytes) == b"hello"
    await client.edit_message("me", sent.id, "newer")
    update = await seen.next()
    assert (update.message.message, update.pts) == ("newer", before.pts + 2)
    await client.delete_messages("me", [sent.id, IDS["photo"]])
    update = await seen.next()
    assert (update.messages, update.pts, update.pts_count) == ([sent.id, IDS["photo"]], before.pts + 4, 2)
    await stranger.get_me()
    assert strangers.empty()


async def test_what_was_missed_is_told_later(sign_in: SignIn) -> None:
    """updates.getDifference gives what happened since, without what is gone by now."""
    client = await sign_in()
    before = (await client(functions.updates.GetStateRequest())).pts
    assert isinstance(await difference(client, before), types.updates.DifferenceEmpty)
    kept, gone = await client.send_message("me", "kept"), await client.send_message("me", "gone")
    await client.edit_message("me", IDS["photo"], "edited")
    await client.edit_message("me", gone.id, "edited in vain")
    await client.delete_messages("me", gone.id)
    found = await difference(client, before)
    assert [message.id for message in found.new_messages] == [kept.id]
    assert [type(update).__name__ for update in found.other_updates] == [
        "UpdateEditMessage",
        "UpdateDeleteMessages",
    ]
    assert found.other_updates[0].message.photo.file_reference
    assert found.state.pts == before + 5
    assert isinstance(await difference(client, found.state.pts), types.updates.DifferenceEmpty)


async def test_much_is_told_in_slices(sign_in: SignIn) -> None:
    """pts_limit cuts it up, pts_total_limit gives it up."""
    client = await sign_in()
    before = (await client(functions.updates.GetStateRequest())).pts
    sent = [await client.send_message("me", str(number)) for number in range(5)]
    first = await difference(client, before, pts_limit=3)
    assert isinstance(first, types.updates.DifferenceSlice)
    rest = await difference(client, first.intermediate_state.pts)
    assert [m.id for m in first.new_messages + rest.new_messages] == [m.id for m in sent]
    too_long = await difference(client, before, pts_total_limit=4)
    assert (type(too_long), too_long.pts) == (types.updates.DifferenceTooLong, before + 5)


async def test_states_that_never_were(sign_in: SignIn) -> None:
    """A state from nowhere or from the future is refused."""
    client = await sign_in()
    with pytest.raises(errors.PersistentTimestampEmptyError):
        await difference(client, 0)
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await difference(client, 10_000)


async def test_who_asks_for_no_updates_gets_none(sign_in: SignIn) -> None:
    """A session that calls by invokeWithoutUpdates only is left alone, and can ask."""
    client, silent = await sign_in(), await sign_in(receive_updates=False)
    quiet = await sign_in(receive_updates=False)
    before = (await silent(functions.updates.GetStateRequest())).pts
    seen = Seen(quiet)
    await client.send_message("me", "news")
    assert (await difference(silent, before)).new_messages[0].message == "news"
    await quiet.get_me()
    assert seen.empty()


async def test_other_chats_share_ids_and_states(sign_in: SignIn, sandbox: Sandbox) -> None:
    """Messages are told with their peer, deletions without; Saved Messages do not list them."""
    client, device = await sign_in(), await sign_in()
    seen = Seen(device)
    before = (await device(functions.updates.GetStateRequest())).pts
    received = telephone.receive(sandbox, "+9996620001", "hello", sender=77)
    update = await seen.next()
    assert (update.message.id, update.message.peer_id, update.pts) == (
        received,
        types.PeerUser(77),
        before + 1,
    )
    sent = await client.send_message("me", "saved")
    assert sent.id == received + 1
    await seen.next()
    assert [message.id for message in await client.get_messages("me", limit=1)] == [sent.id]
    (found,) = (await client(functions.messages.GetMessagesRequest([received]))).messages
    assert found.message == "hello"
    await client(functions.messages.DeleteMessagesRequest([received]))
    update = await seen.next()
    assert (update.messages, update.pts) == ([received], before + 3)
    told = await difference(client, before)
    assert [message.id for message in told.new_messages] == [sent.id]


async def test_updates_may_be_lost(sign_in: SignIn, sandbox: Sandbox) -> None:
    """So many, each for one session; later ones reach it."""
    client = await sign_in()
    await client.get_me()
    account = sandbox.state.account_of("+9996620001")
    sandbox.faults.lose_updates()
    assert [sandbox.push(account, types.UpdatesTooLong()) for _ in range(2)] == [0, 1]
