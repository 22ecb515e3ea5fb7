"""How an uploaded file appears: as Telegram's own apps would send it, or as a mere document.

The rules are those of Telegram Desktop (Telegram/SourceFiles/storage/localimageloader.cpp and
media/clip/media_clip_ffmpeg.cpp: what is a photo, an animation, a song) and, for voice, of Telegram for
Android (SendMessagesHelper: Ogg with Opus in a file called .ogg). Stickers are never made of files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from telethon.tl import types

from tgbridge.inspection import Facts
from tgbridge.inspection import media_types as mediatypes
from tgbridge.telegram.transfer.parts import MIB

if TYPE_CHECKING:
    from tgbridge.telegram.transfer.upload.ways import StoredFile

Kind = Literal["photo", "animation", "video", "audio", "voice", "document"]
Company = Literal["visual", "audio", "document"]

MAX_PHOTO_BYTES: Final = 10 * MIB
MAX_PHOTO_EXTENT: Final = 10_000  # width and height together (core.telegram.org/bots/api#sendphoto)
MAX_PHOTO_RATIO: Final = 20  # of the longer side to the shorter
MAX_ANIMATION_BYTES: Final = 10 * MIB  # Telegram Desktop's kMaxAnimationInMemory

_PHOTO_EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png"}
_VIDEO_TYPES: Final = frozenset({"video/mp4", "video/quicktime", "video/webm", "video/x-m4v"})
_H264: Final = frozenset({"avc1", "avc3"})


@dataclass(frozen=True, slots=True)
class Hints:
    """What the sender says of a file: `duration` in seconds, `width` and `height` in pixels.

    It counts more than what the file itself says.
    """

    duration: float | None = None
    width: int | None = None
    height: int | None = None


_NO_FACTS: Final = Facts()
_NO_HINTS: Final = Hints()


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file whose parts are at Telegram, and all that is known of it."""

    stored: StoredFile
    name: str
    mime_type: str
    facts: Facts = _NO_FACTS
    hints: Hints = _NO_HINTS
    thumbnail: StoredFile | None = field(default=None, repr=False)
    as_document: bool = False

    @property
    def kind(self) -> Kind:  # noqa: PLR0911 - one rule after the other
        """What it is sent as."""
        mime_type, facts = mediatypes.canonical(self.mime_type), self.facts
        if self.as_document:
            return "document"
        if mime_type in _PHOTO_EXTENSIONS and self._fits_photo:
            return "photo"
        if mime_type == "image/gif" or self._is_silent_clip:
            return "animation"
        if mime_type in _VIDEO_TYPES:
            if facts.has_video is False:
                return "audio" if facts.has_sound else "document"
            return "video"
        if mime_type.startswith("audio/"):
            is_voice = facts.is_opus and not (facts.title or facts.performer)
            return "voice" if is_voice and not self.name.lower().endswith(".opus") else "audio"
        return "document"

    @property
    def company(self) -> Company | None:
        """With what it can be in one album; None if it stands alone."""
        match self.kind:
            case "photo" | "video":
                return "visual"
            case "audio":
                return "audio"
            case "document":
                return "document"
        return None

    def media(self) -> types.InputMediaUploadedPhoto | types.InputMediaUploadedDocument:
        """What messages.uploadMedia is given (https://core.telegram.org/type/InputMedia)."""
        kind = self.kind
        if kind == "photo":
            # A photo keeps no name, and is refused without one that says what it is (PHOTO_EXT_INVALID).
            extension = _PHOTO_EXTENSIONS[mediatypes.canonical(self.mime_type)]
            return types.InputMediaUploadedPhoto(self.stored.named(f"photo{extension}"))
        return types.InputMediaUploadedDocument(
            file=self.stored.named(self.name),
            mime_type=self.mime_type,
            attributes=[types.DocumentAttributeFilename(self.name), *self._attributes(kind)],
            # Else Telegram makes an animation of a video that has no sound.
            nosound_video=kind == "video" or None,
            force_file=self.as_document or None,
            thumb=None if self.thumbnail is None else self.thumbnail.named("thumbnail.jpg"),
        )

    @property
    def _fits_photo(self) -> bool:
        width, height = self.facts.width, self.facts.height
        if self.stored.size > MAX_PHOTO_BYTES:
            return False
        if width is None or height is None:
            return True  # a picture that can't be read is Telegram's to refuse
        longer, shorter = max(width, height), min(width, height)
        return longer + shorter <= MAX_PHOTO_EXTENT and longer <= MAX_PHOTO_RATIO * shorter

    @property
    def _is_silent_clip(self) -> bool:
        facts = self.facts
        return (
            self.mime_type == "video/mp4"
            and self.stored.size <= MAX_ANIMATION_BYTES
            and facts.has_sound is False
            and facts.video_codec in _H264
        )

    def _attributes(self, kind: Kind) -> list[types.TypeDocumentAttribute]:
        """https://core.telegram.org/type/DocumentAttribute."""
        width = self.hints.width or self.facts.width or 0
        height = self.hints.height or self.facts.height or 0
        duration = self.hints.duration or self.facts.duration or 0.0
        # Sound is told in whole seconds, and what sounds at all is no sound of 0.
        whole = max(1, int(duration + 0.5)) if duration else 0
        video = types.DocumentAttributeVideo(duration=duration, w=width, h=height)
        image = [types.DocumentAttributeImageSize(width, height)] if width and height else []
        is_image = self.mime_type.startswith("image/")
        match kind:
            case "video":
                video.supports_streaming = self.facts.streamable or None
                return [video]
            case "animation":
                video.nosound = True
                return [*(image if is_image else [video]), types.DocumentAttributeAnimated()]
            case "audio":
                title, performer = self.facts.title or None, self.facts.performer or None
                return [types.DocumentAttributeAudio(whole, title=title, performer=performer)]
            case "voice":
                return [types.DocumentAttributeAudio(whole, voice=True)]
        return image if is_image else []
