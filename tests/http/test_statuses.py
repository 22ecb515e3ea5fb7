"""HTTP's own errors have names of ours, which no version of Python or aiohttp changes."""

from __future__ import annotations

from aiohttp import web_exceptions

from tgbridge.http.statuses import PHRASES, code_of, failure_of_status, text_of

# Those that clients may have seen, by the letter.
CODES = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    415: "UNSUPPORTED_MEDIA_TYPE",
    416: "RANGE_NOT_SATISFIABLE",
    417: "EXPECTATION_FAILED",
    421: "MISDIRECTED_REQUEST",
    422: "UNPROCESSABLE_CONTENT",
    431: "REQUEST_HEADER_FIELDS_TOO_LARGE",
    500: "INTERNAL_SERVER_ERROR",
    505: "HTTP_VERSION_NOT_SUPPORTED",
}


def test_codes() -> None:
    """Codes are as they are written here."""
    assert {status: code_of(status) for status in CODES} == CODES


def test_failure() -> None:
    """A status becomes a failure with its sentence, its code and the headers that belong to it."""
    failure = failure_of_status(405, headers={"Allow": "GET"})
    assert (failure.status, failure.text, failure.code) == (405, "Method Not Allowed.", "METHOD_NOT_ALLOWED")
    assert (failure.headers, text_of(413)) == ({"Allow": "GET"}, "Payload Too Large.")


def test_complete() -> None:
    """Whatever error aiohttp raises has a name."""
    found = {
        error.status_code
        for error in vars(web_exceptions).values()
        if isinstance(error, type) and issubclass(error, web_exceptions.HTTPError) and error.status_code > 0
    }
    assert found <= PHRASES.keys()
