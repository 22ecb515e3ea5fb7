"""One message of Saved Messages through the sandbox, by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions, types

from tgbridge.errors import MediaNotFound
from tgbridge.sandbox.seeds import IDS
from tgbridge.sandbox.world.phone import PhoneNumber
from tgbridge.telegram.saved import messages as media

if TYPE_CHECKING:
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.telegram.client import BridgeClient

NO_FILE = {
    "text",
    "contact",
    "location",
    "poll",
    "service",
    "link_preview",
    "expired_photo",
    "expired_video",
    "text_newest",
}


@pytest.fixture
def account(client: BridgeClient, sandbox: Sandbox) -> Account:
    """That account, at the sandbox."""
    phone = PhoneNumber.parse("+9996610001")
    assert phone is not None
    return sandbox.state.account_of(phone)


async def test_sizes_are_those_of_the_bytes(client: BridgeClient) -> None:
    """What the item promises is what upload.getFile gives, for photos, documents and thumbnails."""
    for key in ("photo", "forwarded_photo", "video_note", "sticker", "pdf"):
        found = await media.get_message(client, IDS[key])
        listed = media.media_item(found)
        assert listed is not None
        files = [media.remote_file(found)]
        assert files[0].size == listed.size
        if listed.has_thumbnail:
            files += [media.remote_thumbnail(found, size) for size in ("small", "medium", "large")]
        for file in files:
            answer = await client(functions.upload.GetFileRequest(file.location(), 0, 512 * 1024))
            assert len(answer.bytes) == file.size


@pytest.mark.parametrize("message_id", [-1, 0, 99_999, 2**31 - 1, 2**31, 2**63, 2**100])
async def test_an_unknown_id_is_not_found(client: BridgeClient, message_id: int) -> None:
    """Whatever number it is, also one that Telegram could not read."""
    with pytest.raises(MediaNotFound):
        await media.get_message(client, message_id)


async def test_a_message_of_another_chat_is_not_found(client: BridgeClient, account: Account) -> None:
    """Private chats count with the same ids; only Saved Messages are served."""
    found = next(iter(account.history))
    assert (await media.get_message(client, found.id)).id == found.id
    found.peer_id = types.PeerUser(account.id + 1)
    with pytest.raises(MediaNotFound):
        await media.get_message(client, found.id)
    found.peer_id = types.PeerChat(account.id)
    with pytest.raises(MediaNotFound):
        await media.get_message(client, found.id)


@pytest.mark.parametrize("key", sorted(NO_FILE))
async def test_messages_without_a_file(client: BridgeClient, key: str) -> None:
    """They are found or not; either way there is no media in them."""
    with pytest.raises(MediaNotFound):
        media.remote_file(await media.get_message(client, IDS[key]))
