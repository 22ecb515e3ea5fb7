"""What outlives the process, where the sandbox has a directory."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient, errors, functions
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tgbridge.sandbox import Sandbox, telephone
from tgbridge.sandbox.media import PHOTOS
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PHONE = "+9996620001"


@asynccontextmanager
async def life(
    directory: Path, monkeypatch: pytest.MonkeyPatch, session: str = ""
) -> AsyncIterator[tuple[Sandbox, TelegramClient]]:
    """Run a sandbox in a directory, with a client of data centre 2."""
    monkeypatch.setattr(TelegramClient, "_config", None)
    async with Sandbox(state_dir=directory) as sandbox:
        rsa.add_key(sandbox.public_key_pem, old=False)
        stored = StringSession(session)
        stored.set_dc(2, *sandbox.data_centres[2].address)
        client = TelegramClient(stored, 1, "hash", raise_last_call_error=True)
        await client.connect()
        try:
            yield sandbox, client
        finally:
            await client.disconnect()


async def test_messages_uploads_and_devices_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart a session is signed in, its messages are as they were, its files have their bytes."""
    async with life(tmp_path, monkeypatch) as (_, client):
        await client.send_code_request(PHONE)
        await client.sign_in(PHONE, "22222")
        before = await client.get_messages("me", ids=IDS["video"])
        sent = await client.send_file("me", b"some bytes", caption="first")
        await client.edit_message("me", sent.id, "second")
        await client.edit_message("me", IDS["photo"], "another caption")
        await client.delete_messages("me", IDS["pdf"])
        await client(functions.upload.SaveFilePartRequest(1, 0, b"never sent"))
        state = await client(functions.updates.GetStateRequest())
        session = client.session.save()
    async with life(tmp_path, monkeypatch, session) as (sandbox, client):
        assert (await client.get_me()).phone == "9996620001"
        again, photo, pdf, video = await client.get_messages(
            "me", ids=[sent.id, IDS["photo"], IDS["pdf"], IDS["video"]]
        )
        assert (again.message, photo.message, pdf) == ("second", "another caption", None)
        assert (video.document.id, video.document.access_hash) == (
            before.document.id,
            before.document.access_hash,
        )
        assert await client.download_media(again, bytes) == b"some bytes"
        assert len(list((sandbox.state.directory / "uploads").iterdir())) == 1
        assert (await client(functions.updates.GetStateRequest())).pts == state.pts
        newer = await client.send_file("me", b"other bytes")
        assert newer.id == sent.id + 1
        assert newer.document.id != again.document.id
        found = (await client(functions.account.GetAuthorizationsRequest())).authorizations
        assert [item.current for item in found] == [True]
        assert await client.download_media(before, bytes) == await client.download_media(video, bytes)


async def test_sizes_and_thumbnails_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made of pictures, and what the telephone has sent, has its bytes after a restart as well."""
    source: Any = PHOTOS["noon"].largest.source
    async with life(tmp_path, monkeypatch) as (sandbox, client):
        await client.send_code_request(PHONE)
        await client.sign_in(PHONE, "22222")
        file = io.BytesIO(source.read(0, source.size))
        file.name = "noon.jpg"
        sent = await client.send_file("me", file)
        telephone.send(sandbox, PHONE, "video")
        telephone.send(sandbox, PHONE, "paid_bought")
        session = client.session.save()
    async with life(tmp_path, monkeypatch, session) as (_, client):
        paid, video, photo = await client.get_messages("me", limit=3)
        bought = paid.media.extended_media[1].media.document
        assert len(await client.download_media(bought, bytes)) == bought.size
        assert [size.type for size in photo.photo.sizes] == [size.type for size in sent.photo.sizes]
        for message in (photo, video):
            held = message.photo or message.document
            for size in (held.sizes if message.photo else held.thumbs)[1:]:
                assert len(await client.download_media(message, bytes, thumb=size)) == size.size
        assert len(await client.download_media(video, bytes)) == video.document.size


async def test_who_was_signed_out_stays_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ended authorization does not come back with the next start."""
    async with life(tmp_path, monkeypatch) as (sandbox, client):
        await client.send_code_request(PHONE)
        await client.sign_in(PHONE, "22222")
        session = client.session.save()
        (authorization,) = sandbox.state.account_of(PHONE).authorizations.values()
        sandbox.state.end(authorization, "SESSION_REVOKED")
    async with life(tmp_path, monkeypatch, session) as (_, client):
        with pytest.raises(errors.SessionRevokedError):
            await client(functions.updates.GetStateRequest())


async def test_a_line_cut_short_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash in the middle of writing costs the last event at most."""
    async with life(tmp_path, monkeypatch) as (_, client):
        await client.send_code_request(PHONE)
        await client.sign_in(PHONE, "22222")
        sent = await client.send_message("me", "written")
        session = client.session.save()
    (journal,) = (tmp_path / "accounts").iterdir()
    with journal.open("a") as file:
        file.write('{"kind": "new", "ids": [')
    async with life(tmp_path, monkeypatch, session) as (_, client):
        assert (await client.get_messages("me", limit=1))[0].id == sent.id
        await client.send_message("me", "next")
    async with life(tmp_path, monkeypatch, session) as (_, client):
        assert (await client.get_messages("me", limit=1))[0].message == "next"


async def test_without_a_directory_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary one goes with the sandbox."""
    sandbox = Sandbox()
    await sandbox.start()
    directory = sandbox.state.directory
    assert directory.is_dir()
    await sandbox.close()
    await sandbox.close()
    assert not directory.exists()
