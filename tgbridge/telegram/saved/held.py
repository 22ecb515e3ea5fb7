"""Which files a message holds, and in which order: those of layer.py that are served. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from telethon.tl import types

from tgbridge.telegram.saved.pictures import previews, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator


class Held(NamedTuple):
    """One file of a message: a photo or a document, with what belongs to it."""

    media: Any
    """types.Photo, of which the largest size is the file, or types.Document."""
    spoiler: bool = False
    cover: Any = None
    """types.Photo that a video shows instead of its own thumbnail."""
    renditions: tuple[Any, ...] = ()
    """Documents: the same video in other encodings."""

    @property
    def shown(self) -> Any:
        """The photo or document whose previews stand for it."""
        return self.cover if self.cover is not None and sizes(previews(self.cover)) else self.media


def kind_of(media: Any) -> Literal["photo", "document"]:
    """Name what a file is at Telegram."""
    return "photo" if isinstance(media, types.Photo) else "document"


def held(message: Any) -> list[Held]:
    """Return a message's files; none for text, expired media, previews of pages, polls without one and so on.

    Their numbers in the contract (`?part=`) are their places here, from 1.
    """
    return list(_of(message.media)) if isinstance(message, types.Message) else []


def caption(message: Any) -> tuple[str, list[Any]]:
    """Return what is written below the files, and its entities; of a forwarded story the story's own."""
    if not message.message and isinstance(message.media, types.MessageMediaStory):
        story = message.media.story
        return getattr(story, "caption", None) or "", getattr(story, "entities", None) or []
    return message.message or "", message.entities or []


def _of(media: Any) -> Iterator[Held]:
    match media:
        case types.MessageMediaPhoto(photo=types.Photo() as photo) if sizes(photo.sizes):
            yield Held(photo, bool(media.spoiler))
            if isinstance(media.video, types.Document):
                yield Held(media.video, bool(media.spoiler))
        case types.MessageMediaDocument(document=types.Document() as document):
            cover = media.video_cover if isinstance(media.video_cover, types.Photo) else None
            yield Held(document, bool(media.spoiler), cover, tuple(_films(media.alt_documents)))
        case types.MessageMediaPaidMedia():
            for one in media.extended_media:
                yield from _of(_bought(one))
        case types.MessageMediaInvoice():
            yield from _of(_bought(media.extended_media))
        case types.MessageMediaStory(story=types.StoryItem() as story):
            yield from _of(story.media)
        case types.MessageMediaPoll():
            yield from _of(media.attached_media)
            for answer in media.poll.answers:
                yield from _of(getattr(answer, "media", None))
            yield from _of(media.results.solution_media)


def _bought(media: Any) -> Any:
    """Return the media itself; None for a mere preview of what was not paid for."""
    return media.media if isinstance(media, types.MessageExtendedMedia) else None


def _films(documents: Any) -> Iterator[Any]:
    """Leave out the HLS playlists among them, whose addresses no player outside Telegram's apps knows."""
    for one in documents or ():
        if isinstance(one, types.Document) and any(
            isinstance(attribute, types.DocumentAttributeVideo) for attribute in one.attributes
        ):
            yield one
