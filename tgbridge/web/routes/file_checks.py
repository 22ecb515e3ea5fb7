"""Whether a file may be sent at all: by what it claims and how it begins, before Telegram sees a byte."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import INVALID_FILE, HTTPFailure
from tgbridge.inspection import media_types as mediatypes
from tgbridge.inspection.signatures import recognise
from tgbridge.inspection.sniffing import HEAD_BYTES, really
from tgbridge.telegram.saved.sending import Sending
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aiohttp import web

    from tgbridge.settings import UploadSettings
    from tgbridge.telegram.client import BridgeClient

EMPTY: Final = "EMPTY_FILE"
NOT_ALLOWED: Final = "FILE_TYPE_NOT_ALLOWED"
MISMATCH: Final = "FILE_TYPE_MISMATCH"


def checked_sending(
    app: web.Application,
    client: BridgeClient,
    account: Hashable,
    *,
    name: str,
    declared: str,
    as_document: bool = False,
    **size: Any,
) -> Sending:
    """Return what takes a file's bytes, named `name` and declared to be of a type, as in a Content-Type.

    `as_document` takes the bytes for what they claim to be, whatever they are. What claims nothing, by its
    type or its name, is what its bytes say. `account` names the account,
    `size` and `observer` are as in `Sending`. Raises HTTPFailure 400 if the type is not allowed; writing
    raises it for content that is not what it claims, and ending for an empty file.
    """
    settings = app[keys.SETTINGS].upload
    mime_type = mediatypes.claimed(declared, name)
    _check_allowed(settings, mime_type)
    find: Callable[[str, bytes], str | None] = really
    if mediatypes.says_nothing(mime_type, name):
        find = _recognised
    elif as_document:
        find = _believed
    return Sending(
        client,
        app[keys.UPLOADER],
        account,
        settings,
        name=name,
        mime_type=mime_type,
        check=partial(_check_content, settings, mime_type, find),
        head_bytes=HEAD_BYTES,
        **size,
    )


def _check_allowed(settings: UploadSettings, mime_type: str) -> None:
    if not any(fnmatchcase(mime_type, allowed.lower()) for allowed in settings.allowed_types):
        raise HTTPFailure(400, INVALID_FILE, code=NOT_ALLOWED)


def _recognised(claim: str, head: bytes) -> str:
    return recognise(head) or claim


def _believed(claim: str, _head: bytes) -> str:
    return claim


def _check_content(
    settings: UploadSettings, claim: str, find: Callable[[str, bytes], str | None], head: bytes
) -> str:
    """Return the type that `find` makes of a claim and the first bytes. Raises HTTPFailure 400."""
    if not head:
        raise HTTPFailure(400, INVALID_FILE, code=EMPTY)
    found = find(claim, head)
    if found is None:
        raise HTTPFailure(400, INVALID_FILE, code=MISMATCH)
    if found != claim:
        _check_allowed(settings, found)
    return found
