"""Content-Disposition (RFC 6266) with names in any script (RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from tgbridge.filenames import clean

Kind: TypeAlias = Literal["inline", "attachment"]

_FALLBACK_NAME: Final = "file"
# RFC 6266 appendix D: no quoted-pairs and no "%" in `filename`, since browsers read them differently. And no
# ";", at which simple parsers split whatever the quotes say.
_NOT_PLAIN: Final = re.compile(r'[^\x20-\x7e]|["\\%/;]')
# RFC 8187 section 3.2.1: attr-char beside letters and digits.
_ATTR_CHARS: Final = "!#$&+-.^_`|~"


def content_disposition(kind: Kind, name: str) -> str:
    """Write a Content-Disposition with the file's `name`, which may hold anything.

    The name is cleaned first (`filenames.clean`), "file" where nothing is left. `filename` carries it in
    plain ASCII for every reader; `filename*` carries it exactly, where that differs.
    """
    exact = clean(name) or _FALLBACK_NAME
    plain = _plain(exact)
    value = f'{kind}; filename="{plain}"'
    return value if plain == exact else f"{value}; filename*=UTF-8''{quote(exact, safe=_ATTR_CHARS)}"


def _plain(name: str) -> str:
    """Spell a name in printable ASCII: letters lose their accents, what has no such spelling becomes "_"."""
    if not _NOT_PLAIN.search(name):
        return name
    decomposed = unicodedata.normalize("NFKD", name)
    spelled = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _NOT_PLAIN.sub("_", spelled).strip() or "_"
