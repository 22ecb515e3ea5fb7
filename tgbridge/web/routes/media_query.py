"""What a list of media is asked for by: its parameters, read strictly, and written into the next page's.

A parameter that can't be understood is refused: who narrows a list would not want it whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args
from urllib.parse import urlencode

from pydantic import Field

from tgbridge.errors import HTTPFailure
from tgbridge.models import MediaType
from tgbridge.telegram.saved.lists import Query
from tgbridge.telegram.saved.search_filters import FILTERS as FILTERS_BY_TYPE
from tgbridge.telegram.saved.search_filters import FOUND
from tgbridge.web.body import is_text
from tgbridge.web.endpoint import INVALID_PARAMETER, Parameter, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from multidict import MultiMapping

_LARGEST_ID: Final = 2**31 - 1
_MOST_TEXT: Final = 256
_KINDS: Final = get_args(MediaType)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_ALBUM: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?([Zz]|[ +-][0-9]{2}:[0-9]{2})?)?",
    re.ASCII,
)
_BLUR: Final[Mapping[str, bool]] = MappingProxyType({"0": False, "1": True})
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.fromtimestamp(2**31 - 1, UTC)

MOST: Final = 200
USUAL: Final = 50
MOST_OF_WHOLE: Final = 1000

INVALID: Final = "The parameter 'limit' is not valid: it is a whole number from 1 to 200."


def limit_parameter(most: int, description: str) -> Parameter:
    """Return the declaration of `limit`."""
    return Parameter(
        "limit",
        "query",
        Annotated[int, Field(ge=1, le=most)],
        f"{description} Among much text a page may hold fewer, or none, and have a next one all the same.",
    )


def _several(kinds: Iterable[MediaType]) -> str:
    one = "|".join(kinds)
    return rf"^({one})(,({one}))*$"


TYPES: Final = Parameter(
    "type",
    "query",
    Annotated[str, Field(pattern=_several(_KINDS))],
    "One or several, comma-separated; all by default. Types, words and albums are found by Telegram's "
    "filters, which know no forwarded stories, paid media and polls with pictures: those are in lists of all "
    "types. Such lists, and stickers, are read out of all messages, some thousand for each page.",
)
TYPES_OF_TIMELINE: Final = Parameter(
    "type",
    "query",
    Annotated[str, Field(pattern=_several(FILTERS_BY_TYPE))],
    "One or several that Telegram counts, comma-separated; photo,video by default.",
)
_DATES: Final = "a date, in UTC, or a timestamp (RFC 3339)"
FILTERS: Final = (
    Parameter(
        "before",
        "query",
        Annotated[int, Field(ge=1, le=_LARGEST_ID)],
        "Only what is older than the message with this id, whether that is there or not.",
    ),
    TYPES,
    Parameter(
        "q", "query", str, "Words of the caption or the file's name, up to 256 characters; empty: any."
    ),
    Parameter("since", "query", str, f"The first day or moment: {_DATES}."),
    Parameter("until", "query", str, f"The last day or moment: {_DATES}."),
    Parameter("album", "query", Annotated[str, Field(pattern=_ALBUM.pattern)], "An item's album_id."),
    Parameter(
        "blur", "query", Literal["0", "1"], "With 0 items have no blur_data_url, which is most of their size."
    ),
)
REFUSAL: Final = Refusal(400, INVALID, INVALID_PARAMETER)


@dataclass(frozen=True, slots=True)
class Listing:
    """One request for a list: what is wanted, how many of it (None: all), and how that was said."""

    query: Query
    limit: int | None
    said: tuple[tuple[str, str], ...]
    is_empty: bool = False
    """Whether nothing can be meant: the time ends before it begins."""

    def following(self, before: int) -> str:
        """Return the query string, with its question mark, of the page that begins there."""
        said = [(name, value) for name, value in self.said if name != "before"]
        return f"?{urlencode([*said, ('before', str(before))], safe=',:')}"


def read_listing(parameters: MultiMapping[str], *, most: int, usual: int | None) -> Listing:
    """Read the parameters of a list. Raises HTTPFailure 400, which names what can't be understood."""
    values = once(parameters)
    said = tuple(values.items())
    limit = _number(values, "limit", most) or usual
    query = Query(
        kinds=kinds_of(values),
        text=_text(values),
        album=_album(values),
        before=_number(values, "before", _LARGEST_ID) or 0,
        blur=_blur(values),
    )
    since, until = _since(values), _until(values)
    is_empty = until is not None and until <= (since or _FIRST)
    # Telegram's dates are of 32 bits, and its 0 means none.
    since = since if since is not None and since > _FIRST else None
    until = until if until is not None and until < _LAST else None
    is_empty = is_empty or (since is not None and since >= _LAST)
    return Listing(replace(query, since=since, until=until), limit, said, is_empty)


def once(parameters: MultiMapping[str]) -> Mapping[str, str]:
    """Return the parameters. Raises HTTPFailure 400 for one that is there more than once."""
    for name in parameters:
        if len(parameters.getall(name)) > 1:
            raise _invalid(name, "it is given more than once")
    return dict(parameters)


def kinds_of(values: Mapping[str, str]) -> frozenset[MediaType]:
    """Read the types; none, if there is no such parameter. Raises HTTPFailure 400."""
    if "type" not in values:
        return frozenset()
    kinds = frozenset(kind for kind in _KINDS if kind in values["type"].split(","))
    if set(values["type"].split(",")) != kinds:
        raise _invalid("type", f"it is one of {', '.join(_KINDS)}, or several, comma-separated")
    return kinds


def searched_kinds_of(values: Mapping[str, str]) -> frozenset[MediaType]:
    """Read types that Telegram counts; photos and videos by default. Raises HTTPFailure 400."""
    kinds = kinds_of(values)
    if not kinds <= FOUND:
        raise _invalid("type", f"Telegram counts no {', '.join(sorted(kinds - FOUND))}")
    return kinds or frozenset({"photo", "video"})


def _number(values: Mapping[str, str], name: str, most: int) -> int | None:
    if name not in values:
        return None
    number = int(values[name]) if _NUMBER.fullmatch(values[name]) else 0
    if not 0 < number <= most:
        raise _invalid(name, f"it is a whole number from 1 to {most}")
    return number


def _text(values: Mapping[str, str]) -> str:
    text = values.get("q", "")
    if len(text) > _MOST_TEXT or "\0" in text or not is_text(text):
        raise _invalid("q", f"it is text of up to {_MOST_TEXT} characters")
    return text.strip()


def _album(values: Mapping[str, str]) -> str | None:
    album = values.get("album")
    if album is not None and not _ALBUM.fullmatch(album):
        raise _invalid("album", "it is the album_id of an item")
    return album


def _blur(values: Mapping[str, str]) -> bool:
    blur = _BLUR.get(values.get("blur", "1"))
    if blur is None:
        raise _invalid("blur", "it is 0 or 1")
    return blur


def _since(values: Mapping[str, str]) -> datetime | None:
    moment, _ = _moment(values, "since")
    if moment is not None and moment.microsecond:
        return moment.replace(microsecond=0) + timedelta(seconds=1)
    return moment


def _until(values: Mapping[str, str]) -> datetime | None:
    """Return the moment after the last one."""
    moment, is_day = _moment(values, "until")
    if moment is None or moment > _LAST:
        return moment
    return moment.replace(microsecond=0) + (timedelta(days=1) if is_day else timedelta(seconds=1))


def _moment(values: Mapping[str, str], name: str) -> tuple[datetime | None, bool]:
    """Return a moment, and whether it stands for its day."""
    if name not in values:
        return None, False
    match = _MOMENT.fullmatch(values[name])
    moment = _read(values[name]) if match is not None else None
    if match is None or moment is None:
        raise _invalid(name, f"it is {_DATES}")
    return moment, match["time"] is None


def _read(text: str) -> datetime | None:
    try:
        # The plus of an offset is a space to who reads a query string as a form.
        moment = datetime.fromisoformat((text[:11] + text[11:].replace(" ", "+")).upper())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _invalid(name: str, reason: str) -> HTTPFailure:
    return HTTPFailure(400, f"The parameter {name!r} is not valid: {reason}.", code=INVALID_PARAMETER)
