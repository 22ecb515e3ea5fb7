"""What a new account finds in its Saved Messages: one of each, and of what holds no file too.

The messages are the same for every account, ids and dates included; the ids and access hashes of photos and
documents are each account's own, their bytes are shared by all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from telethon.tl import types

from tgbridge.sandbox.media import PHOTOS
from tgbridge.sandbox.rare_seeds import RARE_SEEDS
from tgbridge.sandbox.seed import Seed
from tgbridge.sandbox.world.makers import (
    animation,
    audio,
    document,
    fixed,
    image_file,
    link_preview,
    photo,
    poll,
    sticker,
    video,
    video_note,
    voice,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tgbridge.sandbox.world.accounts import Account


_LINK = "https://example.org/swell"
_ALBUM = {"grouped_id": 13_800_000_000_000_001}

SEEDS: tuple[Seed, ...] = (
    Seed("text", "2025-03-02 09:12:07", "Saved Messages of the sandbox. Forward things here to keep them 📌"),
    Seed("text_file", "2025-03-02 09:15:40", "", document("notes", file_name="packing list.txt")),
    Seed("nameless", "2025-03-09 22:41:13", "", document("nameless")),
    Seed("html", "2025-03-17 14:03:55", "old home page", document("page", file_name="index.html")),
    Seed("svg", "2025-03-17 14:05:01", "", document("drawing", file_name="drawing.svg")),
    Seed(
        "japanese_name",
        "2025-04-06 05:30:00",
        "旅の記録",
        document("archive", file_name="写真と費用 2025年.zip"),
    ),
    Seed(
        "quoted_name",
        "2025-04-06 05:31:18",
        "Всё, что потратили за три дня",
        document("expenses", file_name='Расходы на "отпуск" 🏖️.csv'),
    ),
    Seed(
        "contact",
        "2025-04-21 18:20:31",
        "",
        fixed(types.MessageMediaContact("+9996620042", "Ada", "Harbour", "", 0)),
    ),
    Seed(
        "location",
        "2025-04-22 07:45:09",
        "",
        fixed(types.MessageMediaGeo(types.GeoPoint(long=7.9833, lat=46.5475, access_hash=0))),
    ),
    Seed(
        "poll",
        "2025-05-01 16:00:00",
        "",
        poll("Where to on Sunday?", {"Up the ridge": 3, "Round the lake": 5, "Stay in and read": 1}),
    ),
    Seed("service", "2025-05-01 16:00:12", action=types.MessageActionPinMessage()),
    Seed(
        "link_preview",
        "2025-05-11 20:09:44",
        f"{_LINK} look at that swell",
        link_preview(
            "swell",
            _LINK,
            title="Long swell after the storm",
            description="A photo that belongs to a page, not to the message.",
        ),
        fields={"entities": [types.MessageEntityUrl(0, len(_LINK))]},
    ),
    Seed("expired_photo", "2025-05-19 11:11:11", "", fixed(types.MessageMediaPhoto(ttl_seconds=30))),
    Seed(
        "expired_video",
        "2025-05-19 11:12:26",
        "",
        fixed(types.MessageMediaDocument(video=True, ttl_seconds=30)),
    ),
    Seed(
        "large",
        "2025-06-14 23:58:02",
        "300 MB, at another data centre",
        document("large", file_name="backup-2025-06-14.bin", foreign=True),
    ),
    Seed("pdf", "2025-06-28 08:30:45", "Field notes", document("field-notes", file_name="Field notes.pdf")),
    Seed("audio", "2025-07-03 19:27:30", "🎸", audio("tune", "Morning over the valley.mp3")),
    Seed("voice", "2025-07-03 19:31:02", "", voice("voice")),
    Seed("animation", "2025-07-20 12:00:00", "", animation("dots", "dots.gif.mp4")),
    Seed("video_note", "2025-07-22 21:14:50", "", video_note("planet")),
    Seed("sticker", "2025-08-02 10:10:10", "", sticker("cat", "😺")),
    Seed(
        "image_file",
        "2025-08-15 17:52:33",
        "The original,\nuncompressed",
        image_file("dawn-original", "IMG_2031.JPG"),
    ),
    Seed(
        "video_abroad",
        "2025-08-30 01:20:00",
        "الشفق القطبي فوق البحيرة",
        video("lights", "northern lights.mp4", supports_streaming=True, foreign=True),
    ),
    Seed(
        "video_moov_last",
        "2025-09-06 19:48:21",
        "波の音をどうぞ 🌊",
        video("sea-stretched", "sunset at sea.mp4", foreign=True),
    ),
    Seed(
        "video",
        "2025-09-14 06:55:17",
        "Over the valley",
        video("valley", "valley.mp4", supports_streaming=True),
    ),
    Seed("photo_abroad", "2025-09-27 22:05:59", "אורות העיר 🌃", photo("city", foreign=True)),
    Seed("album_1", "2025-10-11 12:00:04", "Noon, dusk, night", photo("noon"), fields=_ALBUM),
    Seed("album_2", "2025-10-11 12:00:04", "", photo("dusk"), fields=_ALBUM),
    Seed("album_3", "2025-10-11 12:00:04", "", photo("aurora"), fields=_ALBUM),
    Seed(
        "forwarded_photo",
        "2025-10-19 05:58:36",
        "Guten Morgen! ☀️",
        photo("dawn"),
        fields={
            "fwd_from": types.MessageFwdHeader(
                datetime(2025, 10, 19, 5, 40, tzinfo=UTC), from_name="Ada Harbour"
            )
        },
    ),
    *RARE_SEEDS,
    Seed("text_newest", "2025-10-26 08:02:15", "Print the one of the sea for the kitchen"),
    Seed("photo", "2025-10-27 10:00:00", "A beautiful image", photo("sea")),
)
# The id of each message in an account that held none before.
IDS: Mapping[str, int] = {item.key: number for number, item in enumerate(SEEDS, 1)}


def seed(account: Account) -> None:
    """Fill an account's Saved Messages with one of each, oldest first. Takes about a millisecond."""
    for item in SEEDS:
        if item.action is not None:
            account.add_service_message(item.action, date=item.sent)
            continue
        media = item.make(account, item.sent) if item.make else None
        fields = dict(item.fields)
        topic = fields.pop("saved_peer_id", None)
        message = account.add_message(item.text, media=media, date=item.sent, **fields)
        message.saved_peer_id = topic or message.saved_peer_id


def seed_many(account: Account, count: int, *, photo_every: int = 2) -> Sequence[int]:
    """Append ``count`` messages, a minute apart from the newest on, and give their ids.

    Each ``photo_every``-th holds a photo (with 0 none does), the others are text. Ten thousand take a fifth
    of a second.
    """
    newest = next(iter(account.history), None)
    date = newest.date if newest is not None else SEEDS[-1].sent
    small = PHOTOS["noon"]
    ids = []
    for number in range(1, count + 1):
        date += timedelta(minutes=1)
        media = None
        if photo_every and number % photo_every == 0:
            made = account.photo(small.sizes[:2], date=date, stripped=small.stripped)
            media = types.MessageMediaPhoto(photo=made)
        ids.append(account.add_message(f"Message {number} of {count}", media=media, date=date).id)
    return ids
