"""What HTTP's own errors are called here, whichever Python runs: clients compare the codes.

Those of ``http.HTTPStatus`` change: Python 3.13 renamed 413, 414, 416 and 422 after RFC 9110.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tgbridge.errors import HTTPFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

PHRASES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "Bad Request",
        401: "Unauthorized",
        402: "Payment Required",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        406: "Not Acceptable",
        407: "Proxy Authentication Required",
        408: "Request Timeout",
        409: "Conflict",
        410: "Gone",
        411: "Length Required",
        412: "Precondition Failed",
        413: "Payload Too Large",
        414: "URI Too Long",
        415: "Unsupported Media Type",
        416: "Range Not Satisfiable",
        417: "Expectation Failed",
        421: "Misdirected Request",
        422: "Unprocessable Content",
        424: "Failed Dependency",
        426: "Upgrade Required",
        428: "Precondition Required",
        429: "Too Many Requests",
        431: "Request Header Fields Too Large",
        451: "Unavailable For Legal Reasons",
        500: "Internal Server Error",
        501: "Not Implemented",
        502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Gateway Timeout",
        505: "HTTP Version Not Supported",
        506: "Variant Also Negotiates",
        507: "Insufficient Storage",
        510: "Not Extended",
        511: "Network Authentication Required",
    }
)
"""All that aiohttp answers by itself, or can."""


def code_of(status: int) -> str:
    """Return the stable code of a status. Raises KeyError for one that is no error."""
    return PHRASES[status].upper().replace(" ", "_")


def text_of(status: int) -> str:
    """Return the sentence of a status. Raises KeyError for one that is no error."""
    return f"{PHRASES[status]}."


def failure_of_status(
    status: int,
    *,
    details: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    log: Mapping[str, object] = MappingProxyType({}),
) -> HTTPFailure:
    """Return what HTTP itself has to say. Raises KeyError for a status that is no error."""
    return HTTPFailure(
        status, text_of(status), code=code_of(status), details=details, headers=headers, log=log
    )
