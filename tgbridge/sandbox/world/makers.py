"""Makers of the media in seeded messages: each, given an account, makes it a photo or document of its own.

Sources: https://core.telegram.org/type/DocumentAttribute, https://core.telegram.org/type/MessageMedia
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.media import DOCUMENTS, PHOTOS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tgbridge.sandbox.world.accounts import Account

    Maker = Callable[[Account, datetime], Any]


def abroad(home_dc: int) -> int:
    """Name the data centre that holds those files which an account does not have at home."""
    return 1 if home_dc == 3 else 3


def fixed(media: Any) -> Maker:
    """Make media that is the same for all accounts."""
    return lambda _account, _date: media


def photo(name: str, *, foreign: bool = False) -> Maker:
    """Make photos, ``foreign`` ones at another data centre than the account's own."""
    picture = PHOTOS[name]

    def make(account: Account, date: datetime) -> types.MessageMediaPhoto:
        dc_id = abroad(account.home_dc) if foreign else None
        made = account.photo(picture.sizes, dc_id=dc_id, date=date, stripped=picture.stripped)
        return types.MessageMediaPhoto(photo=made)

    return make


def document(
    name: str,
    *attributes: Any,
    file_name: str | None = None,
    foreign: bool = False,
    flag: str | None = None,
) -> Maker:
    """Make documents of an asset; ``flag`` is the field of messageMediaDocument that says what it is."""
    asset = DOCUMENTS[name]
    named = [types.DocumentAttributeFilename(file_name)] if file_name else []
    flags = {flag: True} if flag else {}

    def make(account: Account, date: datetime) -> types.MessageMediaDocument:
        made = account.document(
            asset.blob,
            mime_type=asset.mime_type,
            dc_id=abroad(account.home_dc) if foreign else None,
            attributes=[*attributes, *named],
            thumbs=asset.thumbs,
            stripped=asset.stripped,
            outline=asset.outline,
            date=date,
        )
        return types.MessageMediaDocument(document=made, **flags)

    return make


def video(name: str, file_name: str, *, supports_streaming: bool = False, foreign: bool = False) -> Maker:
    """Make videos; those with the index in front say that they can be played while they are loaded."""
    asset = DOCUMENTS[name]
    attribute = types.DocumentAttributeVideo(
        asset.duration, asset.width, asset.height, supports_streaming=supports_streaming or None
    )
    return document(name, attribute, file_name=file_name, foreign=foreign, flag="video")


def video_note(name: str) -> Maker:
    """Make round video messages, which have no file name."""
    asset = DOCUMENTS[name]
    attribute = types.DocumentAttributeVideo(asset.duration, asset.width, asset.height, round_message=True)
    return document(name, attribute, flag="round")


def animation(name: str, file_name: str) -> Maker:
    """Make what Telegram makes of a GIF: a silent MP4."""
    asset = DOCUMENTS[name]
    attribute = types.DocumentAttributeVideo(asset.duration, asset.width, asset.height, nosound=True)
    return document(name, attribute, types.DocumentAttributeAnimated(), file_name=file_name)


def audio(name: str, file_name: str) -> Maker:
    """Make music with its tags."""
    asset = DOCUMENTS[name]
    attribute = types.DocumentAttributeAudio(
        int(asset.duration), title=asset.title, performer=asset.performer
    )
    return document(name, attribute, file_name=file_name)


def voice(name: str) -> Maker:
    """Make voice messages, which have no file name."""
    asset = DOCUMENTS[name]
    attribute = types.DocumentAttributeAudio(int(asset.duration), voice=True, waveform=asset.waveform)
    return document(name, attribute, flag="voice")


def sticker(name: str, emoji: str) -> Maker:
    """Make stickers of no set."""
    attribute = types.DocumentAttributeSticker(emoji, types.InputStickerSetEmpty())
    return document(name, _image_size(name), attribute, file_name="sticker.webp")


def image_file(name: str, file_name: str) -> Maker:
    """Make images that were sent as files."""
    return document(name, _image_size(name), file_name=file_name)


def link_preview(name: str, url: str, *, title: str, description: str) -> Maker:
    """Make previews of a page with a photo in it."""
    picture = photo(name)

    def make(account: Account, date: datetime) -> types.MessageMediaWebPage:
        page = types.WebPage(
            id=6_170_000_000_000_000_001,
            url=url,
            display_url=url.removeprefix("https://"),
            hash=0,
            type="photo",
            site_name="Example",
            title=title,
            description=description,
            photo=picture(account, date).photo,
        )
        return types.MessageMediaWebPage(page)

    return make


def poll(question: str, answers: dict[str, int]) -> Maker:
    """Make polls by their answers and how many chose each."""
    options = [(text, str(number).encode(), votes) for number, (text, votes) in enumerate(answers.items())]
    asked = types.Poll(
        id=6_170_000_000_000_000_002,
        question=types.TextWithEntities(question, []),
        answers=[types.PollAnswer(types.TextWithEntities(text, []), option) for text, option, _ in options],
        hash=0,
    )
    votes = [types.PollAnswerVoters(option, voters=count, recent_voters=[]) for _, option, count in options]
    return fixed(
        types.MessageMediaPoll(asked, types.PollResults(results=votes, total_voters=sum(answers.values())))
    )


def _image_size(name: str) -> types.DocumentAttributeImageSize:
    asset = DOCUMENTS[name]
    return types.DocumentAttributeImageSize(asset.width, asset.height)
