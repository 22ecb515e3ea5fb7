"""Which messages a search finds, and which can be edited.

Sources: https://core.telegram.org/type/MessagesFilter, and what TDLib's is_editable_message_content knows
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_WORD = re.compile(r"\w+")
_LINK = re.compile(r"https?://|\bt\.me/")


def _attribute(message: Any, kind: type) -> Any:
    document = _document(message)
    if document is None:
        return None
    return next((found for found in document.attributes if isinstance(found, kind)), None)


def _document(message: Any) -> Any:
    media = getattr(message, "media", None)
    return media.document if isinstance(media, types.MessageMediaDocument) else None


def _photo(message: Any) -> bool:
    media = getattr(message, "media", None)
    return isinstance(media, types.MessageMediaPhoto) and media.photo is not None


def _sticker(message: Any) -> bool:
    """Of a set, or an emoji: no filter finds them."""
    kinds = (types.DocumentAttributeSticker, types.DocumentAttributeCustomEmoji)
    return any(_attribute(message, kind) is not None for kind in kinds)


def _gif(message: Any) -> bool:
    return _attribute(message, types.DocumentAttributeAnimated) is not None and not _sticker(message)


def _video(message: Any) -> bool:
    video = _attribute(message, types.DocumentAttributeVideo)
    return video is not None and not video.round_message and not _gif(message) and not _sticker(message)


def _round_video(message: Any) -> bool:
    video = _attribute(message, types.DocumentAttributeVideo)
    return video is not None and bool(video.round_message) and not _sticker(message)


def _voice(message: Any) -> bool:
    audio = _attribute(message, types.DocumentAttributeAudio)
    return audio is not None and bool(audio.voice)


def _music(message: Any) -> bool:
    audio = _attribute(message, types.DocumentAttributeAudio)
    return audio is not None and not audio.voice


def _plain_document(message: Any) -> bool:
    special = (_gif, _sticker, _video, _round_video, _voice, _music)
    return _document(message) is not None and not any(test(message) for test in special)


def _link(message: Any) -> bool:
    if isinstance(getattr(message, "media", None), types.MessageMediaWebPage):
        return True
    links = (types.MessageEntityUrl, types.MessageEntityTextUrl)
    if any(isinstance(entity, links) for entity in getattr(message, "entities", None) or ()):
        return True
    return _LINK.search(getattr(message, "message", None) or "") is not None


def may_be_edited(media: Any) -> bool:
    """Tell whether a message that holds this has a text or caption that its sender may change."""
    match media:
        case None | types.MessageMediaPhoto() | types.MessageMediaWebPage() | types.MessageMediaPaidMedia():
            return True
        case types.MessageMediaDocument(document=types.Document(attributes=attributes)):
            return not any(_has_no_caption(attribute) for attribute in attributes)
    return False


def _has_no_caption(attribute: Any) -> bool:
    """Stickers and video notes have none."""
    if isinstance(attribute, types.DocumentAttributeVideo):
        return bool(attribute.round_message)
    return isinstance(attribute, types.DocumentAttributeSticker | types.DocumentAttributeCustomEmoji)


def _media_of(*kinds: type) -> Callable[[Any], bool]:
    return lambda message: isinstance(getattr(message, "media", None), kinds)


_TESTS: dict[type, Callable[[Any], bool]] = {
    types.InputMessagesFilterEmpty: lambda _message: True,
    types.InputMessagesFilterPhotos: _photo,
    types.InputMessagesFilterVideo: _video,
    types.InputMessagesFilterPhotoVideo: lambda message: _photo(message) or _video(message),
    types.InputMessagesFilterDocument: _plain_document,
    types.InputMessagesFilterUrl: _link,
    types.InputMessagesFilterGif: _gif,
    types.InputMessagesFilterVoice: _voice,
    types.InputMessagesFilterMusic: _music,
    types.InputMessagesFilterRoundVideo: _round_video,
    types.InputMessagesFilterRoundVoice: lambda message: _round_video(message) or _voice(message),
    types.InputMessagesFilterGeo: _media_of(
        types.MessageMediaGeo, types.MessageMediaGeoLive, types.MessageMediaVenue
    ),
    types.InputMessagesFilterContacts: _media_of(types.MessageMediaContact),
    types.InputMessagesFilterPoll: _media_of(types.MessageMediaPoll),
    types.InputMessagesFilterPinned: lambda message: bool(getattr(message, "pinned", None)),
}


_OF_TEXTS_TOO = (
    types.InputMessagesFilterEmpty,
    types.InputMessagesFilterUrl,
    types.InputMessagesFilterPinned,
)


def _words(message: Any) -> list[str]:
    texts = [getattr(message, "message", None) or ""]
    name = _attribute(message, types.DocumentAttributeFilename)
    audio = _attribute(message, types.DocumentAttributeAudio)
    if name is not None:
        texts.append(name.file_name)
    if audio is not None:
        texts += [audio.title or "", audio.performer or ""]
    return _WORD.findall(" ".join(texts).replace("_", " ").casefold())


def matcher(
    query: str, message_filter: Any, min_date: datetime | None, max_date: datetime | None
) -> Callable[[Any], bool]:
    """Make the test that a search puts to each message: of a kind, between two times, and with some words.

    Each word of the query has to be the beginning of a word of the text, the file's name, title or performer.
    """
    kind = type(message_filter)
    test = _TESTS.get(kind, lambda _message: False)
    of_media = kind not in _OF_TEXTS_TOO
    wanted = _WORD.findall(query.replace("_", " ").casefold())

    def matches(message: Any) -> bool:
        if of_media and getattr(message, "media", None) is None:  # most messages, when there are many
            return False
        if min_date is not None and message.date <= min_date:
            return False
        if max_date is not None and message.date >= max_date:
            return False
        if not test(message):
            return False
        if not wanted:  # signs alone, an emoji say
            return query.strip() in (getattr(message, "message", None) or "")
        words = _words(message)
        return all(any(word.startswith(start) for word in words) for start in wanted)

    return matches
