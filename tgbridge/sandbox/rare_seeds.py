"""Seeds that most people have none of: several files in one message, files inside other things, and so on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.media import PHOTOS
from tgbridge.sandbox.seed import Seed
from tgbridge.sandbox.world.makers import fixed, photo, video
from tgbridge.sandbox.world.rare_makers import (
    covered_video,
    invoice,
    live_photo,
    moving_sticker,
    not_paid,
    paid,
    poll_with_pictures,
    story,
    story_that_is_gone,
    video_with_renditions,
    with_fields,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ADA = types.PeerUser(777000)


def _formatted(*pieces: str | tuple[str, Callable[[int, int], Any]]) -> tuple[str, list[Any]]:
    """Put a text together, and the entities of its pieces, which count UTF-16 code units."""
    text, entities = "", []
    for piece in pieces:
        words, make = (piece, None) if isinstance(piece, str) else piece
        if make is not None:
            entities.append(make(len(text.encode("utf-16-le")) // 2, len(words.encode("utf-16-le")) // 2))
        text += words
    return text, entities


_TEXT, _ENTITIES = _formatted(
    "🌆 ",
    ("Bold", types.MessageEntityBold),
    ", ",
    ("the page", lambda at, length: types.MessageEntityTextUrl(at, length, "https://example.org/?a=1&b=2")),
    " <tag> ",
    ("hidden", types.MessageEntitySpoiler),
    " ",
    ("x = 1", lambda at, length: types.MessageEntityPre(at, length, "python")),
    "\n",
    ("quoted\nlines", lambda at, length: types.MessageEntityBlockquote(at, length, collapsed=True)),
)

RARE_SEEDS: tuple[Seed, ...] = (
    Seed("live_photo", "2025-10-20 07:00:00", "It moves", live_photo("noon", "noon-motion")),
    Seed("video_cover", "2025-10-20 07:05:00", "", covered_video("valley", "tour.mp4", "sea")),
    Seed(
        "video_renditions",
        "2025-10-20 07:10:00",
        "",
        video_with_renditions("valley", "ridge.mp4", "valley-small"),
    ),
    Seed("sticker_animated", "2025-10-20 08:00:00", "", moving_sticker("ball", "🏀", "AnimatedSticker.tgs")),
    Seed("sticker_video", "2025-10-20 08:00:09", "", moving_sticker("nod", "😺", "sticker.webm")),
    Seed(
        "formatted",
        "2025-10-21 09:30:00",
        _TEXT,
        with_fields(photo("dusk"), spoiler=True),
        fields={"entities": _ENTITIES, "edit_date": datetime(2025, 10, 21, 9, 31, 12, tzinfo=UTC)},
    ),
    Seed("nameless_video", "2025-10-21 10:00:00", "", video("lights", "")),
    Seed("story", "2025-10-22 18:00:00", "", story(photo("aurora"), "Seen tonight")),
    Seed("story_video", "2025-10-22 18:01:00", "", story(video("valley", ""), "On the way")),
    Seed("story_gone", "2025-10-22 18:02:00", "", story_that_is_gone()),
    Seed(
        "poll_picture",
        "2025-10-23 12:00:00",
        "",
        poll_with_pictures(
            "Which one for the wall?",
            photo("swell"),
            [("The morning", photo("dawn")), ("The evening", photo("dusk")), ("Neither", None)],
        ),
    ),
    Seed(
        "paid_bought",
        "2025-10-24 20:00:00",
        "Worth every star ⭐",
        paid(25, photo("city"), video("valley", ""), photo("aurora")),
    ),
    Seed("invoice", "2025-10-24 20:02:00", "", invoice("A postcard", photo("swell"))),
    Seed("paid_preview", "2025-10-24 20:05:00", "", not_paid(25, PHOTOS["city"].stripped, 1280, 853)),
    Seed(
        "topic_photo",
        "2025-10-25 08:00:00",
        "Keep this one",
        photo("noon"),
        fields={
            "saved_peer_id": _ADA,
            "fwd_from": types.MessageFwdHeader(
                datetime(2025, 10, 25, 7, 59, tzinfo=UTC),
                from_id=_ADA,
                saved_from_peer=_ADA,
                saved_from_msg_id=4,
            ),
        },
    ),
    Seed("dice", "2025-10-25 09:00:00", "", fixed(types.MessageMediaDice(5, "🎲"))),
    Seed(
        "todo",
        "2025-10-25 09:01:00",
        "",
        fixed(
            types.MessageMediaToDo(
                types.TodoList(
                    types.TextWithEntities("Packing", []),
                    [types.TodoItem(1, types.TextWithEntities("Torch", []))],
                )
            )
        ),
    ),
)
"""Between the others by date; after them by number, but for the newest two."""

WITHOUT_FILE = frozenset({"story_gone", "paid_preview", "dice", "todo"})
"""Which of them hold no file of the user's."""
