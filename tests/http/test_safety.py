"""What browsers are told about foreign bytes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http import safety
from tgbridge.http.safety import is_for_execution, is_inline, media_type, security_headers

UNKNOWN = "application/octet-stream"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("image/jpeg", "image/jpeg"),
        ("Image/JPEG", "image/jpeg"),
        (" video/mp4\t", "video/mp4"),
        ("audio/ogg; codecs=opus", "audio/ogg; codecs=opus"),
        ('audio/ogg;codecs="opus, vorbis"', 'audio/ogg;codecs="opus, vorbis"'),
        ("application/vnd.api+json", "application/vnd.api+json"),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("image", UNKNOWN),
        ("image/", UNKNOWN),
        ("/jpeg", UNKNOWN),
        ("*/*", UNKNOWN),
        ("image/*", UNKNOWN),
        ("image /jpeg", UNKNOWN),
        ("image/jpeg;", UNKNOWN),
        ("image/jpeg; q", UNKNOWN),
        ("image/jpeg, text/html", UNKNOWN),
        ("image/jpeg\r\nSet-Cookie: x=1", UNKNOWN),
        ("image/jpeg\n", UNKNOWN),
        ('text/plain; charset="\r\nX: y"', UNKNOWN),
        ("imäge/jpeg", UNKNOWN),
        ("image/" + "x" * 300, UNKNOWN),
        ("text/plain" + "; a=b" * 100, UNKNOWN),
    ],
)
def test_media_type(raw: str | None, expected: str) -> None:
    """A well-formed type is kept; anything else is bytes of no known type."""
    assert media_type(raw) == expected


@given(st.text(max_size=60))
def test_media_type_is_always_one_header_value(raw: str) -> None:
    """Whatever Telegram says, visible ASCII with a slash comes out."""
    assert re.fullmatch(r"[a-z0-9][^/;,\s]*/[a-z0-9][^/;,\s]*(;[\x20-\x7e\t]*)?", media_type(raw))


@pytest.mark.parametrize(
    "runs",
    [
        "application/ecmascript", "application/javascript", "application/x-ecmascript",
        "application/x-javascript", "text/ecmascript", "text/javascript", "text/javascript1.0",
        "text/javascript1.5", "text/jscript", "text/livescript", "text/x-ecmascript", "text/x-javascript",
        "text/vbscript", "text/css", "text/xsl", "application/xslt+xml",
        "Text/JavaScript", " text/css; charset=utf-8",
    ],
)  # fmt: skip
def test_what_browsers_would_run_is_plain_text(runs: str) -> None:
    """Scripts by all their names, and style sheets; without leave to sniff, a browser runs neither."""
    assert safety.content_type(runs) == "text/plain"


@pytest.mark.parametrize(
    "raw", ["video/mp4", "text/html", "application/postscript", "application/json", "text/csv", "text/x-sass"]
)
def test_what_browsers_would_not_run_keeps_its_type(raw: str) -> None:
    """Everything else is sent as what it is."""
    assert safety.content_type(raw) == raw
    assert safety.content_type("*/*") == UNKNOWN


@pytest.mark.parametrize(
    "destination",
    [
        "script", "style", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet",
        "sharedstorageworklet", "xslt", "manifest", "Script", " style ", "script;a=b",
    ],
)  # fmt: skip
def test_for_execution(destination: str) -> None:
    """Scripts, style sheets, XSLT, manifests, workers and worklets of any kind."""
    assert is_for_execution({"sec-fetch-dest": destination})


def test_a_service_workers_script() -> None:
    """Its own field tells it where a browser knows no Fetch Metadata."""
    assert is_for_execution({"service-worker": "script"})


@pytest.mark.parametrize(
    "destination",
    ["", "empty", "audio", "video", "image", "track", "font", "document", "iframe", "embed", "object", "x"],
)
def test_not_for_execution(destination: str) -> None:
    """Players, pictures, fetch() and the address bar."""
    assert not is_for_execution({"sec-fetch-dest": destination, "service-worker": ""})
    assert not is_for_execution({})


@pytest.mark.parametrize(
    "content_type",
    [
        "image/jpeg", "image/webp", "image/avif", "image/x-icon", "audio/mpeg", "audio/ogg; codecs=opus",
        "video/mp4", "video/quicktime", "application/pdf", "APPLICATION/PDF", "application/pdf; version=1.7",
    ],
)  # fmt: skip
def test_inline(content_type: str) -> None:
    """Images, audio, video and PDF may be shown in place."""
    assert is_inline(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "image/svg+xml", "image/SVG+XML", "image/svg+xml; charset=utf-8", "image/svg", "image/svg-xml",
        "image/x+xml", "image/vnd.example.xml", "text/html", "text/plain", "text/xml",
        "application/xhtml+xml", "application/javascript", "application/json", "application/zip",
        "application/octet-stream", "application/pdfx", "application/x-pdf", "multipart/x-mixed-replace",
        "message/rfc822", "imagery/png",
    ],
)  # fmt: skip
def test_attached(content_type: str) -> None:
    """All else is saved, not shown: SVG and every XML run scripts."""
    assert not is_inline(content_type)


@pytest.mark.parametrize(
    ("content_type", "sandbox"),
    [
        ("image/jpeg", "sandbox"),
        ("text/html", "sandbox"),
        ("image/svg+xml", "sandbox"),
        ("application/octet-stream", "sandbox"),
        ("video/mp4", "sandbox allow-same-origin"),
        ("AUDIO/ogg; codecs=opus", "sandbox allow-same-origin"),
    ],
)
def test_sandboxed(content_type: str, sandbox: str) -> None:
    """Nothing is sniffed, and what is opened as a document runs nothing; a video may ask for itself."""
    headers = security_headers(content_type)
    assert headers["X-Content-Type-Options"] == "nosniff"
    directives = [directive.strip() for directive in headers["Content-Security-Policy"].split(";")]
    assert sandbox in directives
    assert "default-src 'none'" in directives
    assert not any("script" in directive for directive in directives)


@pytest.mark.parametrize("content_type", ["application/pdf", "Application/PDF; version=1.7"])
def test_pdf_opens(content_type: str) -> None:
    """A PDF has no sandbox, in which viewers do not start, but is not sniffed either."""
    assert security_headers(content_type) == {"X-Content-Type-Options": "nosniff"}
