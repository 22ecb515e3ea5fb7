"""A request for a file, answered on paper: status, headers, and which bytes to send (RFC 9110)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy

from tgbridge.http.dates import format_http_date
from tgbridge.http.disposition import Kind, content_disposition
from tgbridge.http.etags import EntityTag
from tgbridge.http.preconditions import Outcome, Validators, evaluate, range_applies
from tgbridge.http.ranges import (
    ByteRange,
    RangeSelection,
    Selection,
    select_range,
    unsatisfied_content_range,
)
from tgbridge.http.safety import content_type, is_inline, security_headers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# A browser may keep its copy but asks each time whether it still holds: message ids are small numbers, which
# mean other files for the next person who signs in on the same browser. With an entity tag it costs no bytes.
# That tag is strong: a proxy that compressed the bytes would send others under it (RFC 9110 section 8.8.3.3).
_CACHE_CONTROL: Final = "private, no-cache, no-transform"
_NOT_KEPT: Final = {"Cache-Control": _CACHE_CONTROL}
# An address that names the bytes means them for ever, to whoever may have it (RFC 8246).
_IMMUTABLE: Final = "private, max-age=31536000, immutable, no-transform"

FIELDS: Final = frozenset(
    ("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range")
)
"""Those of a request that a plan depends on."""


class Representation(NamedTuple):
    """What is known of a file before any byte of it is fetched.

    `size` in bytes, exact. `etag` is the opaque tag without quotes; it stands for the bytes, so it is strong.
    `last_modified` is aware. `media_type` and `name` may be anything an uploader wrote. `ranges` tells
    whether parts of it are served.
    """

    size: int
    etag: str
    last_modified: datetime | None
    media_type: str
    name: str
    ranges: bool = True


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """What to send: the status, the headers, and the bytes of the file that make the body.

    `span` is None where no byte of the file is sent: HEAD, an empty file, and the statuses 304, 412, 416. The
    last two want an error body, whose Content-Type and Content-Length are not among `headers`.
    """

    status: int
    headers: Mapping[str, str]
    span: ByteRange | None


def plan(
    method: str,
    headers: Mapping[str, str],
    file: Representation,
    *,
    now: datetime,
    download: bool = False,
    immutable: bool = False,
) -> AnswerPlan:
    """Answer a GET or HEAD for `file` in the order of RFC 9110 section 13.2.2.

    `headers` maps lower-case names to values, several field lines joined by ", ". `now` is the time of the
    answer. `download` asks for an attachment whatever the type. `immutable`: the address names these bytes,
    and will never lead to others.
    """
    modified = _last_modified(file, now)
    if headers.keys().isdisjoint(FIELDS):
        return _whole(method, file, modified, download=download, immutable=immutable)

    current = Validators(EntityTag(file.etag), modified)
    tag = {"ETag": str(current.etag)}
    outcome = evaluate(method, headers, current, now=now)
    if outcome is Outcome.PRECONDITION_FAILED:
        return _planned(outcome.value, tag | _NOT_KEPT)
    kept = tag | _keeping(file, immutable=immutable)
    if outcome is Outcome.NOT_MODIFIED:
        # A 304 repeats what updates a stored answer (section 15.4.5). The policy has to be among it: a field
        # that a 304 brings replaces the stored one (RFC 9111 section 3.2), and others add to policies.
        return _planned(outcome.value, kept | security_headers(content_type(file.media_type)))

    selected: RangeSelection = Selection.WHOLE
    if file.ranges and range_applies(method, headers, current, now=now):
        selected = select_range(headers["range"], file.size)
    if selected is Selection.WHOLE:
        return _whole(method, file, modified, download=download, immutable=immutable)
    accepts = {"Accept-Ranges": "bytes"}
    if selected is Selection.UNSATISFIABLE:
        missing = {"Content-Range": unsatisfied_content_range(file.size)}
        return _planned(416, tag | _NOT_KEPT | accepts | missing)
    part = {"Content-Range": selected.content_range(file.size), "Content-Length": str(selected.length)}
    return _planned(206, kept | accepts | _described(file, modified, download=download) | part, selected)


def _last_modified(file: Representation, now: datetime) -> datetime | None:
    """Return the file's date in whole seconds: of one that has no others, the very object, which is cheap."""
    if file.last_modified is None:
        return None
    # An origin server must not name a date that lies ahead of its own (section 8.8.2.1).
    date = min(file.last_modified, now)
    return date.replace(microsecond=0) if date.microsecond else date


# A page shows the same pictures again and again, and a player asks for many ranges of one film.


@lru_cache(maxsize=1024)
def _whole(
    method: str, file: Representation, modified: datetime | None, *, download: bool, immutable: bool
) -> AnswerPlan:
    headers = {"ETag": str(EntityTag(file.etag))} | _keeping(file, immutable=immutable)
    headers["Accept-Ranges"] = "bytes" if file.ranges else "none"
    length = {"Content-Length": str(file.size)}
    span = ByteRange(0, file.size) if method == "GET" and file.size else None
    return _planned(200, headers | _described(file, modified, download=download) | length, span)


@lru_cache(maxsize=1024)
def _described(
    file: Representation, modified: datetime | None, *, download: bool
) -> MappingProxyType[str, str]:
    served_as = content_type(file.media_type)
    kind: Kind = "inline" if is_inline(served_as) and not download else "attachment"
    headers = {"Content-Type": served_as, "Content-Disposition": content_disposition(kind, file.name)}
    if modified is not None:
        headers["Last-Modified"] = format_http_date(modified)
    return MappingProxyType(headers | security_headers(served_as))


def _keeping(file: Representation, *, immutable: bool) -> dict[str, str]:
    if not immutable:
        return _NOT_KEPT
    headers = {"Cache-Control": _IMMUTABLE}
    if not is_inline(content_type(file.media_type)):
        # Of a copy the server is not asked, who refuses to serve it as a manifest or worker.
        headers["Vary"] = "Sec-Fetch-Dest"
    return headers


def _planned(status: int, headers: dict[str, str], span: ByteRange | None = None) -> AnswerPlan:
    return AnswerPlan(status, CIMultiDictProxy(CIMultiDict(headers)), span)
