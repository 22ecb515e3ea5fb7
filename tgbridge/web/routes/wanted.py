"""Which of a message's files a request to stream is about, by its query."""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from tgbridge.errors import HTTPFailure
from tgbridge.telegram.saved.pictures import ThumbnailSize
from tgbridge.telegram.saved.saved_media import SavedMedia
from tgbridge.web.endpoint import INVALID_PARAMETER, Parameter, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from tgbridge.telegram.saved.pictures import Fit
    from tgbridge.telegram.transfer.remote_file import RemoteFile

    Pick: TypeAlias = Callable[[SavedMedia], RemoteFile]


class Wanted(NamedTuple):
    """Which file is to be sent, and how. ``version`` is the one that the caller knows, if any."""

    message_id: int
    pick: Pick
    is_thumbnail: bool = False
    download: bool = False
    version: str | None = None


INVALID_SIZE: Final = "Invalid size. Please use small, medium or large."
_SIZES: Final[Mapping[str, ThumbnailSize]] = MappingProxyType(
    {size: size for size in get_args(ThumbnailSize)}
)
_NUMBER: Final = re.compile(r"0*([1-9][0-9]*)", re.ASCII)
_MOST_DIGITS: Final = 9  # beyond them, one number is as good as another, and Python refuses thousands

_PART: Final = Parameter("part", "query", int, "Which file, of a message that holds several; 1 by default.")
_VERSION: Final = Parameter(
    "v", "query", str, "Its version, as in the item: as long as it is right, the copy may be kept for a year."
)
FILE_PARAMETERS: Final = (
    _PART,
    Parameter("rendition", "query", int, "Which of the video's renditions, from 1; none by default."),
    _VERSION,
)
THUMBNAIL_PARAMETERS: Final = (
    Parameter(
        "size",
        "query",
        ThumbnailSize,
        "The thumbnail nearest to 100, 320 or 800 pixels on its longer side; medium by default.",
    ),
    Parameter("w", "query", int, "Pixels: the smallest thumbnail at least as wide. It outweighs size."),
    _PART,
    _VERSION,
)


def invalid_number(name: str) -> str:
    """Say that a parameter is no number as it has to be."""
    return f"Invalid {name}. Please use a positive integer."


FILE_REFUSALS: Final = tuple(
    Refusal(400, invalid_number(name), INVALID_PARAMETER) for name in ("part", "rendition")
)
THUMBNAIL_REFUSALS: Final = (
    Refusal(400, INVALID_SIZE, "INVALID_SIZE"),
    *(Refusal(400, invalid_number(name), INVALID_PARAMETER) for name in ("part", "w")),
)


def wanted_file(query: Mapping[str, str]) -> Pick:
    """Return what finds the wanted file. It raises MediaNotFound, and this HTTPFailure."""
    part = _number(query, "part") or 1
    return partial(SavedMedia.file, part=part, rendition=_number(query, "rendition"))


def wanted_thumbnail(query: Mapping[str, str]) -> Pick:
    """Return what finds the wanted thumbnail. It raises MediaNotFound, and this HTTPFailure."""
    size = _SIZES.get(query.get("size", "medium"))
    if size is None:
        raise HTTPFailure(400, INVALID_SIZE, code="INVALID_SIZE")
    fit: Fit = _number(query, "w") or size
    return partial(SavedMedia.thumbnail, fit=fit, part=_number(query, "part") or 1)


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise HTTPFailure(400, invalid_number(name), code=INVALID_PARAMETER)
    return int(number[1][:_MOST_DIGITS])
