"""Captions as HTML: what entities make of a text, and that nothing they say makes it unsafe."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types

from tgbridge.telegram.saved.caption_html import FORMATTED, caption_html

ALLOWED: Final[dict[str, frozenset[str]]] = {
    "a": frozenset({"href", "rel"}),
    "b": frozenset(),
    "blockquote": frozenset({"class"}),
    "code": frozenset({"class"}),
    "i": frozenset(),
    "pre": frozenset(),
    "s": frozenset(),
    "span": frozenset({"class", "data-emoji-id"}),
    "time": frozenset({"datetime"}),
    "u": frozenset(),
}
LINK = 'rel="noopener noreferrer nofollow"'


class Strict(HTMLParser):
    """Reads HTML, and fails at what is not allowed, or not paired."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Only known tags and attributes, each once, and links to what links may lead to."""
        assert {name for name, _ in attrs} <= ALLOWED[tag]
        assert len(dict(attrs)) == len(attrs)
        if tag == "a":
            assert "a" not in self.open
            href = dict(attrs)["href"]
            assert href is not None
            assert urlsplit(href).scheme in {"http", "https", "tg", "mailto", "tel"}
        if tag in {"pre", "blockquote"}:
            assert not {"a", "b", "i", "u", "s", "span", "time"} & set(self.open)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The last one that was opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """What a reader sees."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """There is none."""
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        """There is none."""
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        """There is none."""
        raise AssertionError(data)


def read(html: str) -> str:
    """The text of HTML that is allowed and complete."""
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.text


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("ab", [types.MessageEntityBold(0, 1)], "<b>a</b>b"),
        ("abc", [types.MessageEntityBold(0, 2), types.MessageEntityItalic(1, 2)], "<b>a<i>b</i></b><i>c</i>"),
        (
            "abc",
            [types.MessageEntityItalic(0, 3), types.MessageEntityBold(1, 1)],
            "<i>a</i><b><i>b</i></b><i>c</i>",
        ),
        ("abc", [types.MessageEntityBold(0, 2), types.MessageEntityBold(1, 2)], "<b>abc</b>"),
        ("😀b", [types.MessageEntityUnderline(2, 1)], "😀<u>b</u>"),
        ("😀b", [types.MessageEntityStrike(1, 1)], "<s>😀</s>b"),
        ("😀b", [types.MessageEntityStrike(0, 1)], "<s>😀</s>b"),
        (
            "ab",
            [types.MessageEntityTextUrl(0, 1, "x.org"), types.MessageEntityTextUrl(1, 1, "x.org")],
            f'<a href="http://x.org" {LINK}>a</a><a href="http://x.org" {LINK}>b</a>',
        ),
        (
            "ab",
            [types.MessageEntityBlockquote(0, 1), types.MessageEntityBlockquote(1, 1)],
            "<blockquote>a</blockquote><blockquote>b</blockquote>",
        ),
        ("a<&>\"'", [types.MessageEntityCode(1, 3)], "a<code>&lt;&amp;&gt;</code>&quot;&#x27;"),
        ("secret", [types.MessageEntitySpoiler(0, 6)], '<span class="tg-spoiler">secret</span>'),
        (
            "x = 1",
            [types.MessageEntityPre(0, 5, "c++")],
            '<pre><code class="language-c++">x = 1</code></pre>',
        ),
        ("x = 1", [types.MessageEntityPre(0, 5, 'a" onclick="b')], "<pre><code>x = 1</code></pre>"),
        (
            "a\nb",
            [types.MessageEntityBlockquote(0, 2), types.MessageEntityBlockquote(2, 1, collapsed=True)],
            '<blockquote>a\n</blockquote><blockquote class="tg-collapsed">b</blockquote>',
        ),
        (
            "👍",
            [types.MessageEntityCustomEmoji(0, 2, 5)],
            '<span class="tg-emoji" data-emoji-id="5">👍</span>',
        ),
        (
            "here",
            [types.MessageEntityTextUrl(0, 4, "https://e.org/?a&b")],
            f'<a href="https://e.org/?a&amp;b" {LINK}>here</a>',
        ),
        ("e.org/a", [types.MessageEntityUrl(0, 7)], f'<a href="http://e.org/a" {LINK}>e.org/a</a>'),
        ("e.org:80", [types.MessageEntityUrl(0, 8)], f'<a href="http://e.org:80" {LINK}>e.org:80</a>'),
        ("a@e.org", [types.MessageEntityEmail(0, 7)], f'<a href="mailto:a@e.org" {LINK}>a@e.org</a>'),
        ("a@e.org?bcc=b@e.org", [types.MessageEntityEmail(0, 19)], "a@e.org?bcc=b@e.org"),
        ("+1 (555) 01", [types.MessageEntityPhone(0, 11)], f'<a href="tel:+155501" {LINK}>+1 (555) 01</a>'),
        ("@durov", [types.MessageEntityMention(0, 6)], f'<a href="https://t.me/durov" {LINK}>@durov</a>'),
        ("@a/../b", [types.MessageEntityMention(0, 7)], "@a/../b"),
        ("Ada", [types.MessageEntityMentionName(0, 3, 42)], f'<a href="tg://user?id=42" {LINK}>Ada</a>'),
        (
            "noon",
            [types.MessageEntityFormattedDate(0, 4, datetime(2026, 1, 2, 12, tzinfo=UTC))],
            '<time datetime="2026-01-02T12:00:00Z">noon</time>',
        ),
        (
            "#tag $T /go",
            [types.MessageEntityHashtag(0, 4), types.MessageEntityBotCommand(8, 3)],
            "#tag $T /go",
        ),
    ],
)
def test_what_entities_make(text: str, entities: list[Any], html: str) -> None:
    """Of each kind, overlapping, nested, touching and cut through a character."""
    assert caption_html(text, entities) == html
    assert read(html) == text


def test_characters_that_html_would_read_as_others() -> None:
    """NUL can't be written, and a bare CR would be an LF."""
    assert caption_html("a\0\rb", [types.MessageEntityBold(0, 4)]) == "<b>a\ufffd&#13;b</b>"


@pytest.mark.parametrize(
    "entity",
    [
        types.MessageEntityBold(5, 1),
        types.MessageEntityBold(-5, 5),
        types.MessageEntityBold(1, -1),
        types.MessageEntityBold(1, 0),
        types.MessageEntityBold(2**31 - 1, 2**31 - 1),
        types.MessageEntityUnknown(0, 3),
    ],
)
def test_entities_beside_the_text(entity: Any) -> None:
    """They make nothing."""
    assert caption_html("abc", [entity]) == "abc"


def test_an_entity_that_reaches_beyond() -> None:
    """It ends with the text."""
    assert caption_html("abc", [types.MessageEntityBold(-1, 2**31)]) == "<b>abc</b>"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "javascript://e.org/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://e.org/1",
        "//e.org",
        "/logout",
        "?x",
        "",
        "intent://e.org#Intent;end",
        "tg:resolve",
        "http:e.org",
        "\x00https://e.org\x00x",
    ],
)
def test_where_links_do_not_lead(address: str) -> None:
    """An address that runs something, or is none of the web's, is no link."""
    assert caption_html("x", [types.MessageEntityTextUrl(0, 1, address)]) == "x"
    assert "<a" not in caption_html(address or "x", [types.MessageEntityUrl(0, 99)])


@pytest.mark.parametrize(
    ("address", "href"),
    [
        ("HTTPS://e.org/ä b", "HTTPS://e.org/ä b"),
        ("\nhttps://e.org/\t1", "https://e.org/1"),
        ("tg://resolve?domain=a", "tg://resolve?domain=a"),
        ("mailto:a@e.org", "mailto:a@e.org"),
        ("javascript.e.org:1/x", "http://javascript.e.org:1/x"),
    ],
)
def test_where_links_lead(address: str, href: str) -> None:
    """To pages, mail, telephones, and into Telegram."""
    assert f'href="{href}"' in caption_html("x", [types.MessageEntityTextUrl(0, 1, address)])


KINDS = sorted(
    FORMATTED | {types.MessageEntityHashtag, types.MessageEntityUnknown}, key=lambda one: one.__name__
)
ADDRESSES = st.one_of(
    st.text(),
    st.sampled_from(["https://e.org", "javascript:alert(1)", "e.org", '"><script>', "tg://x", "data:,x"]),
    st.builds("{}{}".format, st.sampled_from(["http://", "tel:", "mailto:", "java"]), st.text()),
)
PLACES = st.one_of(st.integers(-3, 40), st.integers(-(2**31), 2**31 - 1))
TEXTS = st.text(st.one_of(st.sampled_from("<>&\"'\n\r@.😀👨‍👩"), st.characters(codec="utf-8")), max_size=40)


@st.composite
def entities(draw: st.DrawFn) -> Any:
    """Any entity, anywhere."""
    kind: Any = draw(st.sampled_from(KINDS))
    offset, length = draw(PLACES), draw(PLACES)
    match kind:
        case types.MessageEntityTextUrl:
            return kind(offset, length, draw(ADDRESSES))
        case types.MessageEntityPre:
            return kind(offset, length, draw(st.text()))
        case types.MessageEntityCustomEmoji | types.MessageEntityMentionName:
            return kind(offset, length, draw(st.integers(-(2**63), 2**63 - 1)))
        case types.MessageEntityFormattedDate:
            return kind(offset, length, draw(st.one_of(st.none(), st.datetimes(timezones=st.just(UTC)))))
    return kind(offset, length)


@given(text=TEXTS | ADDRESSES, held=st.lists(entities(), max_size=12))
def test_whatever_the_entities_say(text: str, held: list[Any]) -> None:
    """It can be read, holds nothing but what is allowed, and the caption's text."""
    assert read(caption_html(text, held)) == text.replace("\0", "\ufffd")


def test_many_entities() -> None:
    """A thousand that overlap make no more tags for a piece than there are kinds."""
    held = [types.MessageEntityBold(place, 2000) for place in range(500)]
    held += [types.MessageEntityTextUrl(place, 2000, "https://e.org") for place in range(500)]
    html = caption_html("x" * 2000, held)
    assert len(html) < 100_000
    assert read(html) == "x" * 2000
