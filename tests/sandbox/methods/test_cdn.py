"""Files by way of a CDN data centre."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from telethon import errors, functions, types
from telethon.crypto import rsa

from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.sandbox.world.blobs import Synthetic

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn, Telegram
    from tgbridge.sandbox import Sandbox

MIB = 1 << 20


async def redirected(
    sandbox: Sandbox, client: TelegramClient
) -> tuple[types.Document, types.upload.FileCdnRedirect]:
    """Add a file that is for the CDN, and ask for it as one who can."""
    account = sandbox.state.account_of("+9996620001")
    thumbs = DOCUMENTS["valley"].thumbs
    made = account.document(Synthetic(MIB + 12_345), mime_type="video/mp4", thumbs=thumbs, cdn=True)
    added = account.add_message(media=types.MessageMediaDocument(document=made))
    document = (await client.get_messages("me", ids=added.id)).document
    answer = await client(get_file(document, cdn_supported=True))
    return document, answer


async def at_cdn(sandbox: Sandbox, telegram: Telegram) -> TelegramClient:
    """Connect to the CDN data centre, which has a key of its own."""
    rsa.add_key(sandbox.cdn.server_key.public_pem, old=False)
    client = await telegram(new_key=True, connect=False)
    client.session.set_dc(203, *sandbox.cdn.address)
    await client.connect()
    return client


def get_file(document: types.Document, **flags: Any) -> functions.upload.GetFileRequest:
    place = types.InputDocumentFileLocation(
        document.id, document.access_hash, document.file_reference, thumb_size=""
    )
    return functions.upload.GetFileRequest(place, 0, MIB, **flags)


def decrypt(redirect: types.upload.FileCdnRedirect, offset: int, data: bytes) -> bytes:
    iv = redirect.encryption_iv[:12] + (offset // 16).to_bytes(4, "big")
    cipher = Cipher(AES(redirect.encryption_key), CTR(iv)).decryptor()
    return cipher.update(data) + cipher.finalize()


async def test_a_file_comes_encrypted_after_it_was_handed_over(
    telegram: Telegram, sign_in: SignIn, sandbox: Sandbox
) -> None:
    """Redirect, reupload, parts: decrypted by AES-256-CTR they are the file, and match the hashes."""
    client = await sign_in()
    document, redirect = await redirected(sandbox, client)
    assert (redirect.dc_id, len(redirect.encryption_key), len(redirect.encryption_iv)) == (203, 32, 16)
    cdn = await at_cdn(sandbox, telegram)
    ask = functions.upload.GetCdnFileRequest(redirect.file_token, 0, MIB)
    needed = await cdn(ask)
    assert isinstance(needed, types.upload.CdnFileReuploadNeeded)
    hashes = await client(functions.upload.ReuploadCdnFileRequest(redirect.file_token, needed.request_token))
    data = b""
    for offset in (0, MIB):
        part = await cdn(functions.upload.GetCdnFileRequest(redirect.file_token, offset, MIB))
        data += decrypt(redirect, offset, part.bytes)
    plain = await client.download_media(document, bytes)
    assert data == plain
    hashes += await client(functions.upload.GetCdnFileHashesRequest(redirect.file_token, MIB))
    assert sum(item.limit for item in hashes) == document.size
    for item in hashes:
        assert item.hash == hashlib.sha256(plain[item.offset : item.offset + item.limit]).digest()
    sandbox.state.cdn.evict()
    assert isinstance(await cdn(ask), types.upload.CdnFileReuploadNeeded)


async def test_only_who_can_is_redirected(sign_in: SignIn, sandbox: Sandbox) -> None:
    """Without cdn_supported, and for thumbnails, the file comes as always."""
    client = await sign_in()
    document, _ = await redirected(sandbox, client)
    assert isinstance(await client(get_file(document)), types.upload.File)
    thumb = get_file(document, cdn_supported=True)
    thumb.location.thumb_size = "m"
    assert isinstance(await client(thumb), types.upload.File)


async def test_tokens_are_checked(telegram: Telegram, sign_in: SignIn, sandbox: Sandbox) -> None:
    """Unknown and expired tokens, another account's, and the wrong data centre."""
    client, stranger = await sign_in(), await sign_in("+9996620002")
    cdn = await at_cdn(sandbox, telegram)
    _, redirect = await redirected(sandbox, client)
    ask = functions.upload.GetCdnFileRequest(redirect.file_token, 0, MIB)
    with pytest.raises(errors.CdnMethodInvalidError):
        await client(ask)
    needed = await cdn(ask)
    token = redirect.file_token
    for who, request, error in (
        (client, functions.upload.ReuploadCdnFileRequest(token, b"wrong"), "REQUEST_TOKEN_INVALID"),
        (
            stranger,
            functions.upload.ReuploadCdnFileRequest(token, needed.request_token),
            "FILE_TOKEN_INVALID",
        ),
        (stranger, functions.upload.GetCdnFileHashesRequest(token, 0), "FILE_TOKEN_INVALID"),
        (cdn, functions.upload.GetCdnFileRequest(b"wrong", 0, MIB), "FILE_TOKEN_INVALID"),
    ):
        with pytest.raises(errors.BadRequestError, match=error):
            await who(request)
    sandbox.state.cdn.expire_tokens()
    with pytest.raises(errors.BadRequestError, match="FILE_TOKEN_INVALID"):
        await cdn(ask)
