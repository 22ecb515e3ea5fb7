"""Entity tags: RFC 9110 section 8.8.3's grammar and its table of comparisons."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http.etags import EntityTag, parse_entity_tag, parse_entity_tags

OPAQUE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x10FFFF, exclude_characters='"\x7f'), max_size=12
)
TAGS = st.builds(EntityTag, OPAQUE, st.booleans())


@pytest.mark.parametrize(
    ("one", "other", "strong", "weak"),
    [
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
        ('"1"', '"2"', False, False),
        ('""', '""', True, True),
        ('"a"', '"A"', False, False),
    ],
)
def test_comparison(one: str, other: str, strong: bool, weak: bool) -> None:
    """The comparisons of section 8.8.3.2, both ways round."""
    first, second = parse_entity_tag(one), parse_entity_tag(other)
    assert first
    assert second
    assert first.matches_strongly(second) is second.matches_strongly(first) is strong
    assert first.matches_weakly(second) is second.matches_weakly(first) is weak


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        '"',
        '"a',
        'a"',
        'w/"a"',
        'W/ "a"',
        "W/a",
        '"a" "b"',
        '"a","b"',
        '"a b"',
        '"a\x00"',
        '"a\x7f"',
        "*",
    ],
)
def test_no_tag(value: str) -> None:
    """What breaks the grammar is no tag."""
    assert parse_entity_tag(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("*", "*"),
        ("\t* ", "*"),
        ("", ()),
        (",", ()),
        (" , ,", ()),
        ('"a"', (EntityTag("a"),)),
        ('"a",W/"b"', (EntityTag("a"), EntityTag("b", weak=True))),
        ('"a" \t,\t "b" ', (EntityTag("a"), EntityTag("b"))),
        (',"a",,"b",', (EntityTag("a"), EntityTag("b"))),
        ('"a,b"', (EntityTag("a,b"),)),
        ('"*"', (EntityTag("*"),)),
        ('""', (EntityTag(""),)),
        ('"\\"', (EntityTag("\\"),)),
        ('"é"', (EntityTag("é"),)),
        # malformed lists hold nothing
        ("a", ()),
        ('"a", b', ()),
        ('"a" "b"', ()),
        ('"a"b', ()),
        ('"a', ()),
        ('*, "a"', ()),
        ('"a", *', ()),
        ("*, *", ()),
        ('w/"a"', ()),
        ('"a"\n', ()),
    ],
)
def test_lists(value: str, expected: object) -> None:
    """Lists of tags, `*`, and what is neither."""
    assert parse_entity_tags(value) == expected


@given(st.lists(TAGS), st.data())
def test_any_list_is_read_back(tags: list[EntityTag], data: st.DataObject) -> None:
    """A list written with any white space and any empty elements is read as the tags that it was made of."""
    space = st.text(" \t", max_size=3)
    written = ""
    for tag in tags:
        written += data.draw(space) + str(tag) + data.draw(space) + "," * data.draw(st.integers(1, 3))
    assert parse_entity_tags(written) == tuple(tags)


# (state, class of character) → next state; what is missing breaks the grammar.
SCANNER = {
    ("start", "space"): "start",
    ("start", ","): "start",
    ("start", "W"): "weak",
    ("start", '"'): "opaque",
    ("weak", "/"): "prefixed",
    ("prefixed", '"'): "opaque",
    ("opaque", '"'): "end",
    ("opaque", ","): "opaque",
    ("opaque", "W"): "opaque",
    ("opaque", "/"): "opaque",
    ("opaque", "other"): "opaque",
    ("end", "space"): "end",
    ("end", ","): "start",
}


def tags_by_scanning(value: str) -> list[str]:
    """Split a list by a table of states, character by character; what breaks the grammar is empty."""
    found: list[str] = []
    state, current = "start", ""
    for character in value + ",":
        kind = {" ": "space", "\t": "space", "\n": "control"}.get(character)
        kind = kind or (character if character in ',W/"' else "other")
        previous, state = state, SCANNER.get((state, kind), "broken")
        if state == "broken":
            return []
        current = "" if state == "start" else current + character
        if (previous, state) == ("opaque", "end"):
            found.append(current)
    return found if state == "start" else []


@given(
    st.lists(st.sampled_from(['"a"', 'W/"b"', '"', "W", "/", ",", " ", "\t", "x", "é", "\n"])).map("".join)
)
def test_agrees_with_a_scanner(value: str) -> None:
    """Any text is split as a scanner of single characters splits it."""
    read = parse_entity_tags(value)
    assert read != "*"
    assert [str(tag) for tag in read] == tags_by_scanning(value)


@pytest.mark.parametrize("opaque", ['a"b', "a b", "a\r\nSet-Cookie: x", "\x00", "\x7f"])
def test_no_tag_can_break_a_header(opaque: str) -> None:
    """A tag that could not be written between quotes is not made."""
    with pytest.raises(ValueError, match="entity tag"):
        EntityTag(opaque)


def test_long_white_space_takes_linear_time() -> None:
    """A header as long as servers let through does not keep the processor busy."""
    started = time.process_time()
    assert parse_entity_tags(" " * 100_000 + "x") == ()
    assert time.process_time() - started < 1
