"""What a browser may do with bytes that somebody uploaded: never run in the frontend's origin."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN_TYPE: Final = "application/octet-stream"
_PDF: Final = "application/pdf"
_MEDIA: Final = ("audio/", "video/")

# RFC 6838 section 4.2: narrower than RFC 9110's token, which would let "*/*" through.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}+"
_WORD: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"  # RFC 9110's token
# qdtext without obs-text, and without quoted-pairs, which no media type needs.
_QUOTED: Final = r'"[\t\x20\x21\x23-\x5b\x5d-\x7e]*+"'
_MEDIA_TYPE: Final = re.compile(rf"({_NAME}/{_NAME})((?:[ \t]*+;[ \t]*+{_WORD}=(?:{_WORD}|{_QUOTED}))*+)")
_MAX_TYPE_LENGTH: Final = 255

# Documents in disguise: XML runs scripts under any image type that a browser takes for SVG.
_XML_IMAGE: Final = re.compile(r"image/(?:svg.*|.*[+.-]xml|xml.*)")

# JavaScript by all its names (https://mimesniff.spec.whatwg.org/#javascript-mime-type), VBScript, CSS, XSLT.
_RUNS: Final = re.compile(
    r"(?:text|application)/(?:x-)?(?:(?:java|ecma|live|j|vb)script(?:1\.[0-9])?|css|xslt?(?:\+xml)?)"
)
_PLAIN_TEXT: Final = "text/plain"

FETCH_FIELDS: Final = ("sec-fetch-dest", "service-worker")
"""Those of a request that tell what a browser wants a file for."""

# Destinations of the Fetch standard (section 2.2.7) that are run, or tell a browser what to run.
_RUN_AS: Final = frozenset({"script", "style", "xslt", "manifest"})
_WORKERS: Final = ("worker", "worklet")

# A document runs nothing, in an origin of its own. The sources are what browsers need for the page that they
# make themselves around an image which is opened in a tab of its own.
_SANDBOX: Final = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
# The page around a video asks for the video again, and from an opaque origin without the SameSite cookie.
_MEDIA_SANDBOX: Final = (
    "sandbox allow-same-origin; default-src 'none'; media-src 'self'; style-src 'unsafe-inline'"
)


def media_type(raw: str | None) -> str:
    """Give a well-formed Content-Type (RFC 9110 section 8.3) for what the uploader claimed.

    Type and subtype are lower-cased, parameters are kept; whatever is malformed is application/octet-stream.
    """
    text = (raw or "").strip(" \t")
    match = _MEDIA_TYPE.fullmatch(text) if len(text) <= _MAX_TYPE_LENGTH else None
    return match[1].lower() + match[2] if match else UNKNOWN_TYPE


@lru_cache(maxsize=256)
def essence(content_type: str) -> str:
    """Give a Content-Type's type and subtype, in lower case; what is malformed is left as it is.

    What stands after them is not read: aiohttp's own `content_type` takes quadratic time for parameters.
    """
    return content_type.partition(";")[0].strip(" \t").lower()


def content_type(raw: str | None) -> str:
    """Give the type that a file is sent as: its own, but text/plain for what browsers would run.

    Together with nosniff no browser runs it then, not even one that sends no Fetch Metadata: old ones, and
    all of them over plain http.
    """
    own = media_type(raw)
    return _PLAIN_TEXT if _RUNS.fullmatch(essence(own)) else own


def is_for_execution(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser asks for a file to run it: as a script, style sheet, worker, manifest or XSLT.

    `headers` maps lower-case names to values. Browsers write these fields themselves, and no page can change
    them (Fetch Metadata, section 2.1; Service Workers, section "Update").
    """
    if headers.keys().isdisjoint(FETCH_FIELDS):
        return False
    destination = essence(headers.get("sec-fetch-dest", ""))
    if destination in _RUN_AS or destination.endswith(_WORKERS):
        return True
    return headers.get("service-worker", "").strip(" \t").lower() == "script"


def is_inline(content_type: str) -> bool:
    """Tell whether a browser may show this type in place: images but SVG, audio, video and PDF."""
    kind = essence(content_type)
    if kind.startswith("image/"):
        return not _XML_IMAGE.fullmatch(kind)
    return kind.startswith(_MEDIA) or kind == _PDF


def security_headers(content_type: str) -> dict[str, str]:
    """Give the headers that keep foreign bytes from acting: no sniffing, and a sandbox.

    PDF goes without the sandbox, in which browsers refuse to open their PDF viewer.
    """
    headers = {"X-Content-Type-Options": "nosniff"}
    kind = essence(content_type)
    if kind != _PDF:
        headers["Content-Security-Policy"] = _MEDIA_SANDBOX if kind.startswith(_MEDIA) else _SANDBOX
    return headers
