"""Makers of media that holds several files, or files inside other things; as makers.py.

Source: https://core.telegram.org/type/MessageMedia
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.sandbox.media.mp4 import Bytes
from tgbridge.sandbox.world.makers import document, photo, video

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.makers import Maker

_CACHED_BYTES = 4096
_POSTED_BY = types.PeerUser(777000)


def with_fields(make: Maker, **fields: Any) -> Maker:
    """Make media with further fields of its constructor."""

    def made(account: Account, date: datetime) -> Any:
        media = make(account, date)
        for name, value in fields.items():
            setattr(media, name, value)
        return media

    return made


def live_photo(name: str, motion: str) -> Maker:
    """Make photos that move for a moment."""
    still, moving = photo(name), video(motion, "")

    def make(account: Account, date: datetime) -> Any:
        media = still(account, date)
        media.live_photo, media.video = True, moving(account, date).document
        return media

    return make


def covered_video(name: str, file_name: str, cover: str) -> Maker:
    """Make videos that show a photo before they are played."""
    film, shown = video(name, file_name, supports_streaming=True), photo(cover)

    def make(account: Account, date: datetime) -> Any:
        media = film(account, date)
        media.video_cover = shown(account, date).photo
        return media

    return make


def video_with_renditions(name: str, file_name: str, smaller: str) -> Maker:
    """Make videos that Telegram has encoded anew, with the HLS playlist that its apps play them by."""
    film = video(name, file_name, supports_streaming=True)
    asset = DOCUMENTS[smaller]

    def make(account: Account, date: datetime) -> Any:
        attribute = types.DocumentAttributeVideo(
            asset.duration, asset.width, asset.height, supports_streaming=True, video_codec="h264"
        )
        other = account.document(
            asset.blob, mime_type="video/mp4", attributes=[attribute], thumbs=asset.thumbs, date=date
        )
        playlist = account.document(
            Bytes(b"#EXTM3U\n#EXT-X-MAP:URI=mtproto:%d\n#EXT-X-ENDLIST\n" % other.id),
            mime_type="application/x-mpegurl",
            attributes=[types.DocumentAttributeFilename(f"mtproto{other.id}.m3u8")],
            date=date,
        )
        media = film(account, date)
        media.alt_documents = [other, playlist]
        return media

    return make


def moving_sticker(name: str, emoji: str, file_name: str) -> Maker:
    """Make stickers that move: films, or drawn ones, whose messages have the thumbnail's bytes."""
    asset = DOCUMENTS[name]
    of_set = types.DocumentAttributeSticker(emoji, types.InputStickerSetEmpty())
    if asset.duration:
        extent: Any = types.DocumentAttributeVideo(asset.duration, asset.width, asset.height, nosound=True)
    else:
        extent = types.DocumentAttributeImageSize(asset.width, asset.height)
    sticker = document(name, extent, of_set, file_name=file_name)
    if asset.duration:
        return sticker

    def with_its_thumbnail(account: Account, date: datetime) -> types.MessageMediaDocument:
        media: types.MessageMediaDocument = sticker(account, date)
        (thumb,) = asset.thumbs
        content = account.files.blob(thumb.source).read(0, _CACHED_BYTES)
        media.document.thumbs = [types.PhotoCachedSize(thumb.letter, thumb.width, thumb.height, content)]
        return media

    return with_its_thumbnail


def story(make: Maker, caption: str) -> Maker:
    """Make forwarded stories."""

    def made(account: Account, date: datetime) -> types.MessageMediaStory:
        item = types.StoryItem(
            id=17,
            date=date,
            expire_date=date + timedelta(days=1),
            media=make(account, date),
            pinned=True,
            caption=caption,
            entities=[types.MessageEntityItalic(0, len(caption))],
        )
        return types.MessageMediaStory(_POSTED_BY, 17, story=item)

    return made


def story_that_is_gone() -> Maker:
    """Make what is left of a forwarded story that was deleted."""
    return lambda _account, _date: types.MessageMediaStory(_POSTED_BY, 18, story=types.StoryItemDeleted(18))


def paid(stars: int, *makers: Maker) -> Maker:
    """Make paid media that was bought."""

    def make(account: Account, date: datetime) -> types.MessageMediaPaidMedia:
        bought = [types.MessageExtendedMedia(one(account, date)) for one in makers]
        return types.MessageMediaPaidMedia(stars, bought)

    return make


def invoice(title: str, make: Maker) -> Maker:
    """Make invoices that were paid, and have opened what they were for."""

    def made(account: Account, date: datetime) -> types.MessageMediaInvoice:
        opened = types.MessageExtendedMedia(make(account, date))
        return types.MessageMediaInvoice(title, "", "XTR", 5, "", receipt_msg_id=3, extended_media=opened)

    return made


def not_paid(stars: int, stripped: bytes, width: int, height: int) -> Maker:
    """Make paid media that was not bought."""
    preview = types.MessageExtendedMediaPreview(
        w=width, h=height, thumb=types.PhotoStrippedSize("i", stripped)
    )
    return lambda _account, _date: types.MessageMediaPaidMedia(stars, [preview])


def poll_with_pictures(question: str, picture: Maker, answers: Sequence[tuple[str, Maker | None]]) -> Maker:
    """Make polls that show a picture, and others with some answers."""

    def make(account: Account, date: datetime) -> types.MessageMediaPoll:
        asked = types.Poll(
            id=6_170_000_000_000_000_003,
            question=types.TextWithEntities(question, []),
            answers=[
                types.PollAnswer(
                    types.TextWithEntities(text, []),
                    str(number).encode(),
                    media=None if one is None else one(account, date),
                )
                for number, (text, one) in enumerate(answers)
            ],
            hash=0,
        )
        return types.MessageMediaPoll(asked, types.PollResults(), attached_media=picture(account, date))

    return make
