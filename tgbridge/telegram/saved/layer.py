"""What Telegram's layer has that may hold or describe a file, and what becomes of each.

The one table of it: constructors by their names, and of those that a message may lead to, the fields that
hold files. A test compares it with the layer that Telethon speaks, and fails where that has something new.

Source: https://core.telegram.org/schema
"""

from __future__ import annotations

from typing import Final, NamedTuple

LAYER: Final = 229


class Row(NamedTuple):
    """A constructor, or a field as `Constructor.field`: whether we serve it, and how, or why not."""

    name: str
    served: bool
    note: str


_OF_A_PAGE: Final = "belongs to the page that a text names, and not to the user"
_NO_FILE: Final = "holds no file"
_TEXT: Final = "shows by its text alone"
_PREVIEW: Final = "no file; what it shows is tiny"

TABLE: Final = (
    # https://core.telegram.org/type/Message
    Row("Message", True, "if its media is"),
    Row("Message.media", True, "see MessageMedia"),
    Row("Message.rich_message", False, "an article: its pictures are part of a text, which is never touched"),
    Row("MessageEmpty", False, _NO_FILE),
    Row("MessageService", False, "tells what happened; its pictures are those of chats and profiles"),
    Row("MessageReplyHeader.reply_media", False, "another message's"),
    # https://core.telegram.org/type/MessageMedia
    Row("MessageMediaPhoto", True, "photo; without `photo` it has expired"),
    Row("MessageMediaPhoto.photo", True, "the file, in its largest size"),
    Row("MessageMediaPhoto.video", True, "the motion of a live photo, a part of its own"),
    Row("MessageMediaDocument", True, "all other files; without `document` it has expired"),
    Row("MessageMediaDocument.document", True, "the file"),
    Row("MessageMediaDocument.alt_documents", True, "renditions; but not HLS playlists, which name mtproto:"),
    Row("MessageMediaDocument.video_cover", True, "the thumbnail"),
    Row("MessageMediaPaidMedia", True, "what was bought; else it holds previews alone"),
    Row("MessageMediaPaidMedia.extended_media", True, "a part each"),
    Row("MessageMediaInvoice", True, "what was bought with it"),
    Row("MessageMediaInvoice.extended_media", True, "the file, if it was bought"),
    Row("MessageMediaInvoice.photo", False, "the seller's, of a web server"),
    Row(
        "MessageMediaStory", True, "a forwarded story; without `story`, or of a deleted one, nothing is there"
    ),
    Row("MessageMediaStory.story", True, "with its caption"),
    Row("MessageMediaPoll", True, "if it has pictures"),
    Row("MessageMediaPoll.attached_media", True, "the first part"),
    Row("MessageMediaWebPage", False, _OF_A_PAGE),
    Row("MessageMediaGame", False, "the game's own pictures"),
    Row("MessageMediaEmpty", False, _NO_FILE),
    Row("MessageMediaUnsupported", False, "newer than the layer that we speak"),
    Row("MessageMediaContact", False, "a vCard is a field of its own, and no file"),
    Row("MessageMediaDice", False, "its picture is a sticker of Telegram's"),
    Row("MessageMediaGeo", False, _NO_FILE),
    Row("MessageMediaGeoLive", False, _NO_FILE),
    Row("MessageMediaVenue", False, _NO_FILE),
    Row("MessageMediaGiveaway", False, _NO_FILE),
    Row("MessageMediaGiveawayResults", False, _NO_FILE),
    Row("MessageMediaToDo", False, "a list of texts"),
    Row("MessageMediaVideoStream", False, "a call that goes on, and no file"),
    # https://core.telegram.org/type/MessageExtendedMedia
    Row("MessageExtendedMedia", True, "was bought"),
    Row("MessageExtendedMedia.media", True, "a photo or a video"),
    Row("MessageExtendedMediaPreview", False, "was not bought"),
    Row("MessageExtendedMediaPreview.thumb", False, _PREVIEW),
    # https://core.telegram.org/type/StoryItem
    Row("StoryItem", True, "its photo or video"),
    Row("StoryItem.media", True, "the file"),
    Row("StoryItem.music", False, "plays along, and is not what was forwarded"),
    Row("StoryItemDeleted", False, _NO_FILE),
    Row("StoryItemSkipped", False, _NO_FILE),
    # https://core.telegram.org/type/Poll
    Row("PollAnswer.media", True, "a part each, after the poll's own"),
    Row("PollResults.solution_media", True, "the last part"),
    # https://core.telegram.org/type/Photo, https://core.telegram.org/type/Document
    Row("Photo", True, "a JPEG"),
    Row("Photo.sizes", True, "file and thumbnails"),
    Row("Photo.video_sizes", False, "of profile pictures"),
    Row("PhotoEmpty", False, _NO_FILE),
    Row("Document", True, "of any type"),
    Row("Document.thumbs", True, "thumbnails"),
    Row("Document.video_thumbs", False, "a moving preview of what moves by itself"),
    Row("DocumentEmpty", False, _NO_FILE),
    # https://core.telegram.org/type/PhotoSize, https://core.telegram.org/type/VideoSize
    Row("PhotoSize", True, "a size"),
    Row("PhotoSizeProgressive", True, "a size; the last of its steps is the whole file"),
    Row("PhotoCachedSize", True, "a size whose bytes the message has"),
    Row("PhotoStrippedSize", True, "blur_data_url"),
    Row("PhotoPathSize", False, "an outline, and no picture"),
    Row("PhotoSizeEmpty", False, _NO_FILE),
    Row("VideoSize", False, "see Photo.video_sizes and Document.video_thumbs"),
    Row("VideoSizeEmojiMarkup", False, "how to draw a profile picture"),
    Row("VideoSizeStickerMarkup", False, "how to draw a profile picture"),
    # https://core.telegram.org/type/DocumentAttribute
    Row("DocumentAttributeFilename", True, "name"),
    Row("DocumentAttributeVideo", True, "video or video_note, width, height, duration, codec"),
    Row("DocumentAttributeAudio", True, "audio or voice, duration, title, performer, waveform"),
    Row("DocumentAttributeAnimated", True, "animation"),
    Row("DocumentAttributeImageSize", True, "width, height"),
    Row("DocumentAttributeSticker", True, "sticker"),
    Row("DocumentAttributeCustomEmoji", True, "sticker"),
    Row("DocumentAttributeHasStickers", False, "that stickers were put onto it, which the picture shows"),
    # https://core.telegram.org/type/MessageEntity
    Row("MessageEntityBold", True, "b"),
    Row("MessageEntityItalic", True, "i"),
    Row("MessageEntityUnderline", True, "u"),
    Row("MessageEntityStrike", True, "s"),
    Row("MessageEntitySpoiler", True, "span.tg-spoiler"),
    Row("MessageEntityCode", True, "code"),
    Row("MessageEntityPre", True, "pre, with a code inside that names the language"),
    Row("MessageEntityBlockquote", True, "blockquote, .tg-collapsed if it is to be short at first"),
    Row("MessageEntityTextUrl", True, "a, where links may lead"),
    Row("MessageEntityUrl", True, "a, where links may lead"),
    Row("MessageEntityEmail", True, "a to mailto:"),
    Row("MessageEntityPhone", True, "a to tel:"),
    Row("MessageEntityMention", True, "a to https://t.me/"),
    Row("MessageEntityMentionName", True, "a to tg://user"),
    Row("MessageEntityCustomEmoji", True, "span.tg-emoji around the usual emoji"),
    Row("MessageEntityFormattedDate", True, "time"),
    Row("MessageEntityHashtag", False, _TEXT),
    Row("MessageEntityCashtag", False, _TEXT),
    Row("MessageEntityBotCommand", False, _TEXT),
    Row("MessageEntityBankCard", False, _TEXT),
    Row("MessageEntityUnknown", False, _TEXT),
    Row("MessageEntityDiffInsert", False, "between two versions of a text, and in no message"),
    Row("MessageEntityDiffDelete", False, "between two versions of a text, and in no message"),
    Row("MessageEntityDiffReplace", False, "between two versions of a text, and in no message"),
    Row("InputMessageEntityMentionName", False, "is sent, and never received"),
    # Pages, games and what else a message may lead to
    Row("WebPage.photo", False, _OF_A_PAGE),
    Row("WebPage.document", False, _OF_A_PAGE),
    Row("Page.photos", False, _OF_A_PAGE),
    Row("Page.documents", False, _OF_A_PAGE),
    Row("WebPageAttributeStarGiftCollection.icons", False, _OF_A_PAGE),
    Row("WebPageAttributeStickerSet.stickers", False, _OF_A_PAGE),
    Row("WebPageAttributeStory.story", False, _OF_A_PAGE),
    Row("WebPageAttributeTheme.documents", False, _OF_A_PAGE),
    Row("RichMessage.photos", False, "see Message.rich_message"),
    Row("RichMessage.documents", False, "see Message.rich_message"),
    Row("Game.photo", False, "the game's own"),
    Row("Game.document", False, "the game's own"),
    Row("StarGift.sticker", False, "Telegram's"),
    Row("StarGiftAttributeModel.document", False, "Telegram's"),
    Row("StarGiftAttributePattern.document", False, "Telegram's"),
    Row("WallPaper.document", False, "a background of a chat"),
    Row("MessageActionChatEditPhoto.photo", False, "see MessageService"),
    Row("MessageActionSuggestProfilePhoto.photo", False, "see MessageService"),
    Row("BotApp.photo", False, "a bot's"),
    Row("BotApp.document", False, "a bot's"),
    Row("RequestedPeerUser.photo", False, "a profile's"),
    Row("RequestedPeerChat.photo", False, "a chat's"),
    Row("RequestedPeerChannel.photo", False, "a channel's"),
)
