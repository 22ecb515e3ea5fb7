"""Files: parts that go up, and bytes that come down."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.doctor.live.account import KIB, ME, MIB, PART_BYTES, Live, input_document, location
from tgbridge.doctor.live.beliefs import Seen, belief, differs, expect, holds, unseen
from tgbridge.doctor.live.picture import grey_jpeg
from tgbridge.errors import TelegramRefused
from tgbridge.telegram.transfer.download.source import STALE_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

_ODD_TYPE: Final = "video/*; of=doctor"
_BIG_BYTES: Final = 10 * MIB + 300 * KIB
_WIDTH, _HEIGHT = 1920, 1440
_SIDES: Final = {"s": 100, "m": 320, "x": 800, "y": 1280, "w": 2560}
_KEPT_SECONDS: Final = 3.0


@belief("file-mime-type")
async def mime_type(live: Live) -> Seen:
    """Send a document of an odd type. It is what the checks after this one read."""
    content = secrets.token_bytes(MIB + 300 * KIB)
    document = await live.make_document(await live.store(content, "odd.bin"), _ODD_TYPE, "odd.bin")
    live.notes |= {"content": content, "document": document}
    live.notes["message"] = await live.send(input_document(document), "a document")
    told = document.mime_type
    return expect(told == _ODD_TYPE, "A type is kept as it was written.", f"{_ODD_TYPE!r} became {told!r}.")


@belief("file-precise")
async def precise(live: Live) -> Seen:
    """Read at offsets and limits of whole KiB, over the end, and over a border between mebibytes."""
    content: bytes = live.notes["content"]
    spans = ((3 * KIB, 5 * KIB), (0, MIB), (MIB, MIB), (len(content) // KIB * KIB, KIB))
    for offset, limit in spans:
        got = await _read(live, offset, limit)
        if got != content[offset : offset + limit]:
            return differs(f"{limit} bytes from {offset} on came as {len(got)}, or as others.")
    try:
        await _read(live, MIB - KIB, 2 * KIB)
    except TelegramRefused as error:
        return holds(f"As asked for, less only at the end; {error.name} over the border of a mebibyte.")
    return holds("As asked for, less only at the end; also over the border of a mebibyte.")


async def _read(live: Live, offset: int, limit: int) -> bytes:
    document: types.Document = live.notes["document"]
    request = functions.upload.GetFileRequest(location(document), offset, limit, precise=True)
    return bytes((await live.ask_files(document.dc_id, request)).bytes)


@belief("part-order")
async def order(live: Live) -> Seen:
    """Read the end while the beginning is on its way."""
    content: bytes = live.notes["content"]
    end = (len(content) - 1) // MIB * MIB
    first, last = await asyncio.gather(_read(live, 0, MIB), _read(live, end, MIB))
    return expect(
        first == content[:MIB] and last == content[end:],
        "Beginning and end come side by side.",
        "Beginning or end came as other bytes.",
    )


@belief("reference-refused")
async def reference(live: Live) -> Seen:
    """Ask with a reference that is none, and then with the message's own."""
    document: types.Document = live.notes["document"]
    wrong = bytes(byte ^ 0x55 for byte in document.file_reference)
    request = functions.upload.GetFileRequest(location(document, reference=wrong), 0, 4 * KIB)
    try:
        await live.ask_files(document.dc_id, request)
    except TelegramRefused as error:
        name = error.name
    else:
        return differs("A reference that is none was good.")
    fresh = (await live.message(live.notes["message"])).media.document
    request = functions.upload.GetFileRequest(location(fresh), 0, 4 * KIB)
    same = bytes((await live.ask_files(fresh.dc_id, request)).bytes) == live.notes["content"][: 4 * KIB]
    return expect(
        name in STALE_REFERENCE and same,
        f"{name}; the message has a fresh one.",
        f"{name} is not known as such.",
    )


@belief("part-total")
async def unknown_total(live: Live) -> Seen:
    """Upload more than 10 MB without saying how many parts there are, but in the last; one comes late."""
    file_id, count = secrets.randbits(63), -(-_BIG_BYTES // PART_BYTES)
    home, last = live.client.home_dc_id, bytes(_BIG_BYTES - (count - 1) * PART_BYTES)

    async def save(number: int, part: bytes, total: int) -> None:
        request = functions.upload.SaveBigFilePartRequest(file_id, number, total, part)
        await live.ask_files(home, request)

    part = bytes(PART_BYTES)
    await asyncio.gather(*(save(number, part, -1) for number in range(count - 2)))
    await save(count - 1, last, count)
    try:
        await save(count - 2, part, -1)
        late = "taken"
    except TelegramRefused as error:
        late = error.name
        await save(count - 2, part, count)
    file = types.InputFileBig(file_id, count, "big.bin")
    document = await live.make_document(file, "application/octet-stream", "big.bin")
    return expect(
        document.size == _BIG_BYTES,
        f"{count} parts, of which the last one says so; one that comes after it and does not: {late}.",
        f"{_BIG_BYTES} bytes became {document.size}.",
        parts=count,
        late=late,
    )


@belief("part-kept")
async def kept_parts(live: Live) -> Seen:
    """Wait a little between parts and file, and make two files of the same parts."""
    file = await live.store(secrets.token_bytes(PART_BYTES + KIB), "kept.bin")
    await asyncio.sleep(_KEPT_SECONDS)
    first = await live.make_document(file, "application/octet-stream", "kept.bin")
    try:
        again = await live.make_document(file, "application/octet-stream", "kept.bin")
    except TelegramRefused as error:
        return differs(f"Parts are good once: {error.name} for the second file.")
    return holds("Parts are good for more than one file.", same_id=first.id == again.id)


@belief("file-photo-sizes")
async def photo_sizes(live: Live) -> Seen:
    """Send a picture, and see in which sizes it comes back."""
    file = await live.store(grey_jpeg(_WIDTH, _HEIGHT), "grey.jpg")
    made = await live.ask(functions.messages.UploadMediaRequest(ME, types.InputMediaUploadedPhoto(file)))
    photo: types.Photo = made.photo
    known = types.InputPhoto(photo.id, photo.access_hash, photo.file_reference)
    live.notes["photo"] = photo
    live.notes["photo_message"] = await live.send(types.InputMediaPhoto(known), "a photo")
    sizes = {one.type: (one.w, one.h) for one in photo.sizes if hasattr(one, "w")}
    wrong = [
        letter
        for letter, (width, height) in sizes.items()
        if letter in _SIDES and max(width, height) > _SIDES[letter]
    ]
    has_preview = any(isinstance(one, types.PhotoStrippedSize) for one in photo.sizes)
    told = ", ".join(f"{letter} {width}x{height}" for letter, (width, height) in sorted(sizes.items()))
    right = sizes and not wrong and not sizes.keys() - _SIDES.keys()
    return expect(
        right, f"{told}; a stripped preview: {has_preview}.", f"Sizes are others: {told}.", sizes=sizes
    )


@belief("file-size-unknown")
async def photo_bytes(live: Live) -> Seen:
    """Read each size of the photo, and compare its bytes with what was said of them."""
    photo: types.Photo = live.notes["photo"]
    told, counted = {}, {}
    for one in photo.sizes:
        size = getattr(one, "size", None) or max(getattr(one, "sizes", ()), default=None)
        if size is None:
            continue
        place = types.InputPhotoFileLocation(photo.id, photo.access_hash, photo.file_reference, one.type)
        request = functions.upload.GetFileRequest(place, 0, MIB)
        answer = await live.ask_files(photo.dc_id, request)
        told[one.type], counted[one.type] = size, len(answer.bytes)
    off = sorted(letter for letter in told if told[letter] != counted[letter])
    if off:
        return holds(f"Sizes {', '.join(off)} are not what was said of them.", told=told, counted=counted)
    return unseen("All were right this time.", told=told)


@belief("file-thumbnails-made")
async def thumbnails(live: Live) -> Seen:
    """Send a picture as a file, and see whether it has a thumbnail."""
    file = await live.store(grey_jpeg(640, 480), "grey.jpg")
    document = await live.make_document(file, "image/jpeg", "grey.jpg")
    letters = [one.type for one in document.thumbs or ()]
    return expect(
        letters, f"A picture as a file has thumbnails: {_list(letters)}.", "It has none.", sizes=letters
    )


def _list(words: Iterable[Any]) -> str:
    return ", ".join(map(str, words))


@belief("flood-meaning")
async def floods(live: Live) -> Seen:
    """See whether there were waits, all of which were sat out by now: each request was fine later."""
    told = live.pool.statistics.flood_seconds
    if not told:
        return unseen("Telegram told to wait for nothing.")
    return holds(f"What was told to wait was fine later: {_list(told)}.", seconds=dict(told))


@belief("flood-lengths")
async def flood_lengths(live: Live) -> Seen:
    """Say how long the waits were."""
    told = live.pool.statistics.flood_seconds
    if not told:
        return unseen("Telegram told to wait for nothing.")
    return holds(_list(f"{name}: {seconds} s in all" for name, seconds in told.items()), seconds=dict(told))
