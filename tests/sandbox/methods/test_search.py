"""Finding and counting in Saved Messages, as stock Telethon asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from telethon import errors, functions, types
from telethon.tl.alltlobjects import LAYER

from tgbridge.sandbox.methods.search import MAX_DAYS
from tgbridge.sandbox.seeds import IDS, SEEDS, seed_many

if TYPE_CHECKING:
    from tests.sandbox.conftest import SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

PHONE: Final = "+9996620001"
FOUND: Final = {
    types.InputMessagesFilterPhotos: {
        *("photo", "forwarded_photo", "photo_abroad", "album_1", "album_2", "album_3"),
        *("live_photo", "formatted", "topic_photo"),
    },
    types.InputMessagesFilterVideo: {
        *("video", "video_abroad", "video_moov_last", "video_cover", "video_renditions", "nameless_video")
    },
    types.InputMessagesFilterGif: {"animation"},
    types.InputMessagesFilterMusic: {"audio"},
    types.InputMessagesFilterVoice: {"voice"},
    types.InputMessagesFilterRoundVideo: {"video_note"},
    types.InputMessagesFilterRoundVoice: {"voice", "video_note"},
    types.InputMessagesFilterPoll: {"poll", "poll_picture"},
    types.InputMessagesFilterContacts: {"contact"},
    types.InputMessagesFilterGeo: {"location"},
}


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return sandbox.state.account_of(PHONE)


def calendar(offset_id: int = 0, date: datetime | None = None, of: Any = None) -> Any:
    message_filter = of or types.InputMessagesFilterPhotos()
    return functions.messages.GetSearchResultsCalendarRequest("me", message_filter, offset_id, date)


@pytest.mark.parametrize("message_filter", FOUND)
async def test_what_a_filter_finds(sign_in: SignIn, message_filter: Any) -> None:
    """messages.search and messages.getSearchCounters agree; no filter of files finds a sticker."""
    client = await sign_in()
    found = [message.id async for message in client.iter_messages("me", filter=message_filter)]
    assert found == sorted((IDS[key] for key in FOUND[message_filter]), reverse=True)
    (counter,) = await client(functions.messages.GetSearchCountersRequest("me", [message_filter()]))
    assert (type(counter.filter), counter.count) == (message_filter, len(found))


async def test_a_calendar(sign_in: SignIn, account: Account) -> None:
    """Days, newest first, each with the oldest of its messages; the totals do not depend on the offset."""
    client = await sign_in()
    rare = [one for one in account.history.ids if IDS["forwarded_photo"] < one < IDS["photo"]]
    account.history.delete(rare)
    found = await client(calendar())
    assert [(f"{one.date:%m-%d}", one.count) for one in found.periods] == [
        ("10-27", 1), ("10-19", 1), ("10-11", 3), ("09-27", 1)
    ]  # fmt: skip
    album = found.periods[2]
    assert (album.min_msg_id, album.max_msg_id) == (IDS["album_1"], IDS["album_3"])
    assert [message.id for message in found.messages] == [one.min_msg_id for one in found.periods]
    assert (found.count, found.min_msg_id) == (6, IDS["photo_abroad"])
    older = await client(calendar(IDS["album_3"]))
    assert (older.periods[0].max_msg_id, older.periods[0].count) == (IDS["album_2"], 2)
    assert older.count == 6
    sent = {seed.key: seed.sent for seed in SEEDS}
    by_date = await client(calendar(date=sent["album_3"]))
    assert [one.max_msg_id for one in by_date.periods] == [IDS["photo_abroad"]]
    assert (await client(calendar(IDS["photo_abroad"]))).periods == []


async def test_a_calendar_of_many_days(sign_in: SignIn, account: Account) -> None:
    """An answer has so many days, and so many messages, that the last of them may not be all of its day's."""
    client = await sign_in()
    ids = seed_many(account, 2500, photo_every=1)
    first = await client(calendar())
    assert sum(one.count for one in first.periods) == 1000
    second = await client(calendar(first.periods[-1].min_msg_id))
    assert second.periods[0].max_msg_id == first.periods[-1].min_msg_id - 1
    assert second.periods[0].date == first.periods[-1].date
    newest: Any = account.history.get(ids[-1])
    date, photo = newest.date, newest.media
    for number in range(1, 2 * MAX_DAYS):
        account.add_message(media=photo, date=date + timedelta(days=number))
    assert len((await client(calendar())).periods) == MAX_DAYS


async def test_days_are_the_clients(sign_in: SignIn, account: Account) -> None:
    """They begin when its own do: initConnection says by how much that is before UTC's."""
    client = await sign_in()
    account.history.delete(list(account.history.ids))
    photo: Any = account.history.get(seed_many(account, 1, photo_every=1)[0])
    photo.date = datetime(2026, 1, 1, 22, 30, tzinfo=UTC)
    (day,) = (await client(calendar())).periods
    assert day.date == datetime(2026, 1, 1, tzinfo=UTC)
    offset = types.JsonObject([types.JsonObjectValue("tz_offset", types.JsonNumber(7200.0))])
    introduced = functions.InitConnectionRequest(1, "x", "1", "1", "en", "", "en", calendar(), params=offset)
    introduced.query.peer = types.InputPeerSelf()
    (day,) = (await client(functions.InvokeWithLayerRequest(LAYER, introduced))).periods
    assert day.date == datetime(2026, 1, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize("of", [types.InputMessagesFilterEmpty(), types.InputMessagesFilterMyMentions()])
async def test_no_calendar(sign_in: SignIn, of: Any) -> None:
    """Of everything there is none."""
    client = await sign_in()
    with pytest.raises(errors.FilterNotSupportedError):
        await client(calendar(of=of))


async def test_other_chats(sign_in: SignIn, account: Account) -> None:
    """Their messages are found by their ids alone, and say whose they are."""
    client = await sign_in()
    photo: Any = account.history.get(IDS["photo"])
    other = account.history.add_elsewhere(4242, "hello", media=photo.media)
    found = await client(functions.messages.GetMessagesRequest([types.InputMessageID(other.id)]))
    assert found.messages[0].peer_id == types.PeerUser(4242)
    assert [(user.id, user.is_self) for user in found.users] == [(4242, False), (account.id, True)]
    ids = [message.id async for message in client.iter_messages("me", filter=types.InputMessagesFilterPhotos)]
    assert other.id not in ids
    with pytest.raises(errors.MessageIdInvalidError):
        await client(functions.messages.EditMessageRequest("me", other.id, message="x"))
    affected = await client(functions.messages.DeleteMessagesRequest([other.id]))
    assert affected.pts_count == 1  # which is why whoever deletes has to look first


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("forwarded_photo", errors.MessageAuthorRequiredError),
        ("sticker", errors.MessageIdInvalidError),
        ("video_note", errors.MessageIdInvalidError),
        ("contact", errors.MessageIdInvalidError),
    ],
)
async def test_what_cannot_be_edited(sign_in: SignIn, key: str, error: type[Exception]) -> None:
    """Somebody else's message, and what has no text of its own."""
    client = await sign_in()
    with pytest.raises(error):
        await client(functions.messages.EditMessageRequest("me", IDS[key], message="x"))
