"""Entity tags (RFC 9110 section 8.8.3): parsing and the two comparisons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

# etagc = %x21 / %x23-7E / obs-text; obs-text reaches us decoded, so as any character beyond ASCII.
_ETAGC: Final = r"[\x21\x23-\x7e\x80-\U0010ffff]"
_OPAQUE: Final = re.compile(f"{_ETAGC}*")
_TAG: Final = re.compile(f'(?P<weak>W/)?"(?P<opaque>{_ETAGC}*)"')
# One element of a list with the comma that ends it. Elements may be empty (section 5.6.1.2). Possessive
# quantifiers, since otherwise a long run of white space takes quadratic time.
_ELEMENT: Final = re.compile(rf"[ \t]*+(?P<tag>{_TAG.pattern})?+[ \t]*+(?:,|\Z)")


@dataclass(frozen=True, slots=True)
class EntityTag:
    """An entity tag; `opaque` is what stands between the quotes.

    Raises ValueError for an opaque tag that cannot be written between quotes.
    """

    opaque: str
    weak: bool = False

    def __post_init__(self) -> None:
        if not _OPAQUE.fullmatch(self.opaque):
            msg = "an entity tag may not contain white space, control characters or quotes"
            raise ValueError(msg)

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.opaque}"'

    def matches_strongly(self, other: EntityTag) -> bool:
        """Compare as section 8.8.3.2 demands where bytes are combined: a weak tag never matches."""
        return not self.weak and not other.weak and self.opaque == other.opaque

    def matches_weakly(self, other: EntityTag) -> bool:
        """Compare as section 8.8.3.2 allows where a cached copy is confirmed: weakness is ignored."""
        return self.opaque == other.opaque


def parse_entity_tag(value: str) -> EntityTag | None:
    """Read a single entity tag; None when it is malformed."""
    match = _TAG.fullmatch(value.strip(" \t"))
    return EntityTag(match["opaque"], weak=match["weak"] is not None) if match else None


def parse_entity_tags(value: str) -> Literal["*"] | tuple[EntityTag, ...]:
    """Read `"*" / #entity-tag`, the value of If-Match and If-None-Match.

    A malformed list is empty: a list that cannot be understood matches nothing, which sends the whole
    file for If-None-Match and refuses for If-Match, never the other way round.
    """
    if value.strip(" \t") == "*":
        return "*"
    tags = []
    position = 0
    while position < len(value):
        match = _ELEMENT.match(value, position)
        if match is None:
            return ()
        if match["tag"] is not None:
            tags.append(EntityTag(match["opaque"], weak=match["weak"] is not None))
        position = match.end()
    return tuple(tags)
