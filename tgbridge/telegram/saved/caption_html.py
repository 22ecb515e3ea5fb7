"""A caption with its formatting, as HTML that any page may hold, whatever its entities say.

Telegram lets entities overlap, nest and touch; who wrote a message may have sent ones that reach beyond the
text or cut a character in two. So the text is cut at all their borders, and each piece is put into what holds
for it, in one order from block to inline: the tags are always paired, and there are never more for a piece
than there are kinds. Text and attributes are escaped; links lead where links may lead, or are none.

Source: https://core.telegram.org/api/entities
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from html import escape
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from telethon.tl import types

from tgbridge.telegram.saved.links import email_link, mention_link, phone_link, safe_link, user_link
from tgbridge.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class _Style(NamedTuple):
    """What a piece of text may stand in. Of each rank a piece has one at most, lower ranks outside."""

    rank: int
    opening: str
    closing: str
    owner: int = -1
    """Whose it is, where two that touch are not to become one; else -1."""


_BLOCKQUOTE, _PRE, _LINK, _SPOILER, _BOLD, _ITALIC, _UNDERLINE, _STRIKE, _CODE, _EMOJI, _TIME = range(11)
_SIMPLE: Final = {
    types.MessageEntityBold: _Style(_BOLD, "<b>", "</b>"),
    types.MessageEntityItalic: _Style(_ITALIC, "<i>", "</i>"),
    types.MessageEntityUnderline: _Style(_UNDERLINE, "<u>", "</u>"),
    types.MessageEntityStrike: _Style(_STRIKE, "<s>", "</s>"),
    types.MessageEntityCode: _Style(_CODE, "<code>", "</code>"),
    types.MessageEntitySpoiler: _Style(_SPOILER, '<span class="tg-spoiler">', "</span>"),
}
_LINKS: Final[dict[type, Callable[[Any, Callable[[], str]], str | None]]] = {
    types.MessageEntityTextUrl: lambda entity, _text: safe_link(entity.url),
    types.MessageEntityUrl: lambda _entity, text: safe_link(text()),
    types.MessageEntityEmail: lambda _entity, text: email_link(text()),
    types.MessageEntityPhone: lambda _entity, text: phone_link(text()),
    types.MessageEntityMention: lambda _entity, text: mention_link(text()),
    types.MessageEntityMentionName: lambda entity, _text: user_link(entity.user_id),
}
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9_+#.-]{1,32}")
_PAIR_END: Final = range(0xDC00, 0xE000)  # the second half of a surrogate pair
_PAIR_BEGIN: Final = range(0xD800, 0xDC00)


def _quote(entity: Any) -> _Style:
    opening = '<blockquote class="tg-collapsed">' if entity.collapsed else "<blockquote>"
    return _Style(_BLOCKQUOTE, opening, "</blockquote>")


def _program(entity: Any) -> _Style:
    language = _LANGUAGE.fullmatch(entity.language or "")
    opening = f'<pre><code class="language-{language[0]}">' if language else "<pre><code>"
    return _Style(_PRE, opening, "</code></pre>")


def _emoji(entity: Any) -> _Style:
    return _Style(_EMOJI, f'<span class="tg-emoji" data-emoji-id="{int(entity.document_id)}">', "</span>")


def _date(entity: Any) -> _Style | None:
    if not isinstance(entity.date, datetime):
        return None
    return _Style(_TIME, f'<time datetime="{timestamp(entity.date)}">', "</time>")


_OWN: Final[dict[type, Callable[[Any], _Style | None]]] = {
    types.MessageEntityBlockquote: _quote,
    types.MessageEntityPre: _program,
    types.MessageEntityCustomEmoji: _emoji,
    types.MessageEntityFormattedDate: _date,
}
FORMATTED: Final = frozenset((*_SIMPLE, *_LINKS, *_OWN))
"""The entities that make tags."""


def caption_html(text: str, entities: Iterable[Any]) -> str:
    """Return `text` as HTML; tags and attributes removed, it is the text.

    Tags are a (href, rel), b, blockquote (class), code (class), i, pre, s, span (class, data-emoji-id), time
    (datetime) and u. A line break stays one character, to be shown with `white-space: pre-wrap`.
    """
    units = _Units(text)
    styled: list[tuple[int, int, int, _Style]] = []
    for number, entity in enumerate(entities):
        start, stop = units.span(entity)
        if start < stop and (style := _style(number, entity, partial(units.text, start, stop))) is not None:
            styled.append((start, stop, number, style))
    html: list[str] = []
    is_open: list[_Style] = []
    for start, stop, wanted in _pieces(styled, units.length):
        kept = 0
        while kept < min(len(is_open), len(wanted)) and is_open[kept] == wanted[kept]:
            kept += 1
        html.extend(style.closing for style in reversed(is_open[kept:]))
        html.extend(style.opening for style in wanted[kept:])
        html.append(_escaped(units.text(start, stop)))
        is_open = wanted
    html.extend(style.closing for style in reversed(is_open))
    return "".join(html)


class _Units:
    """A text by UTF-16 code units, which entities count in."""

    def __init__(self, text: str) -> None:
        self._units = text.encode("utf-16-le", "surrogatepass")
        self.length = len(self._units) // 2

    def span(self, entity: Any) -> tuple[int, int]:
        """Return where an entity begins and ends: inside the text, and around whole characters."""
        start = min(max(entity.offset, 0), self.length)
        stop = min(max(entity.offset + entity.length, start), self.length)
        return start - self._cuts(start), stop + self._cuts(stop)

    def text(self, start: int, stop: int) -> str:
        """Return what stands between two places; half a character alone becomes U+FFFD."""
        return self._units[2 * start : 2 * stop].decode("utf-16-le", "replace")

    def _cuts(self, place: int) -> bool:
        return (
            0 < place < self.length
            and self._unit(place) in _PAIR_END
            and self._unit(place - 1) in _PAIR_BEGIN
        )

    def _unit(self, place: int) -> int:
        return int.from_bytes(self._units[2 * place : 2 * place + 2], "little")


def _pieces(
    styled: Sequence[tuple[int, int, int, _Style]], length: int
) -> Iterator[tuple[int, int, list[_Style]]]:
    """Cut the text at all borders, and say what each piece stands in: of a rank, what began last."""
    begins = sorted(styled, key=itemgetter(0, 2))
    borders = sorted({0, length, *(one[0] for one in styled), *(one[1] for one in styled)})
    current: dict[int, list[tuple[int, int, int, _Style]]] = {}
    place = 0
    for start, stop in pairwise(borders):
        while place < len(begins) and begins[place][0] <= start:
            current.setdefault(begins[place][3].rank, []).append(begins[place])
            place += 1
        wanted = []
        for rank in sorted(current):
            while current[rank] and current[rank][-1][1] <= start:
                current[rank].pop()
            if current[rank]:
                wanted.append(current[rank][-1][3])
        yield start, stop, wanted


def _style(number: int, entity: Any, text: Callable[[], str]) -> _Style | None:
    """Return what an entity makes of its text; None for what shows by its text alone, and the unknown."""
    kind = type(entity)
    if kind in _LINKS:
        address = _LINKS[kind](entity, text)
        if address is None:
            return None
        opening = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">'
        return _Style(_LINK, opening, "</a>", number)
    if kind in _OWN:
        style = _OWN[kind](entity)
        return None if style is None else style._replace(owner=number)
    return _SIMPLE.get(kind)


def _escaped(text: str) -> str:
    # HTML has no way to write NUL; a bare CR would be read as LF.
    return escape(text).replace("\0", "\ufffd").replace("\r", "&#13;")
