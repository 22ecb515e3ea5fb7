"""Whatever a stranger sends is read in time that grows with its length, and no faster.

Work is counted in processor time. What is read within `EASY_SECONDS` is read well enough: of 16 KB there are
so many pairs of characters that a parser which looks at each takes a hundred times longer. Whatever is not is
compared with half of it, the best of several runs each: twice the work is linear, and four times the work is
what attackers look for.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.fernet import Fernet
from multidict import CIMultiDict
from multipart import parse_options_header

import tgbridge
from tgbridge import filenames
from tgbridge.errors import BridgeError
from tgbridge.http import disposition, etags, preconditions, ranges, safety, tus
from tgbridge.http.dates import parse_http_date
from tgbridge.http.forwarded import Caller, find_caller, is_host
from tgbridge.inspection import inspector_for, sniffing
from tgbridge.inspection import media_types as mediatypes
from tgbridge.settings import SessionSettings
from tgbridge.uploads.ids import UploadIds
from tgbridge.web.credentials import parse_code, parse_password, parse_phone
from tgbridge.web.limits import places_of
from tgbridge.web.logs import without_tickets
from tgbridge.web.routes.upload_form import FIELDS, UploadForm
from tgbridge.web.session_cookie import SessionStorage
from tgbridge.web.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KB: Final = 1024
EASY_SECONDS: Final = 0.004
RUNS: Final = 5
# Between twice and four times.
MOST_FOR_TWICE: Final = 3.0

# What one character, or a few, over and over do to regular expressions and to loops that cut and count.
RUNS_OF: Final = (
    *(
        " ",
        "\t",
        ";",
        ",",
        "=",
        '"',
        "'",
        "\\",
        "/",
        ".",
        ":",
        "-",
        "_",
        "*",
        "%",
        "&",
        "[",
        "(",
        "+",
        "0",
        "a",
    ),
    *("; ", ", ", "a=", "a;", "a,", 'a="', '";', '\\"', '"a"', "W/", "%2", "0-", "0,", "=;", "a b", "a=b; "),
    *("bytes=", "for=1.1.1.1,", 'for="', "1.1.1.1,", "a YQ==,", "\u200b", "é", "é "),
)
STARTS: Final = ("", "a", 'a="', "a/b;", "bytes=", "for=1.1.1.1;", "W/", "a ")
ENDS: Final = ("", "x")


def worst(size: int) -> Iterator[str]:
    """Texts of so many bytes that are hard to read."""
    for start in STARTS:
        for run in RUNS_OF:
            for end in ENDS:
                yield start + run * (size // len(run)) + end


def cost(work: Callable[[], object], *, runs: int = RUNS) -> float:
    """The processor time, in seconds, of the best of several runs."""
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def is_linear(read: Callable[[Any], object], whole: Any, half: Any, *, easy: float = EASY_SECONDS) -> bool:
    if cost(lambda: read(whole), runs=1) < easy:
        return True
    whole_cost = cost(lambda: read(whole))
    return whole_cost < easy or whole_cost < MOST_FOR_TWICE * cost(lambda: read(half))


def test_this_test() -> None:
    """What is quadratic is found, and what is linear but slow is not."""

    trailing = re.compile(r"[ ]+$")
    assert not is_linear(trailing.search, " " * 4 * KB + "x", " " * 2 * KB + "x")
    assert is_linear(lambda text: [ord(c) for c in text * 20], "a" * 16 * KB, "a" * 8 * KB)


# Texts

NOW: Final = datetime(2026, 11, 28, tzinfo=UTC)
PROXIES: Final = [ip_network("1.1.1.1"), ip_network("10.0.0.0/8")]
PROXY: Final = Caller("10.0.0.1", "http", "internal")
VALIDATORS: Final = preconditions.Validators(etags.EntityTag("a"), NOW)
STORAGE: Final = SessionStorage(
    [Fernet.generate_key().decode() for _ in range(3)], SessionSettings(), secure=True
)
UPLOAD_IDS: Final = UploadIds([b"key"])
TICKETS: Final = Tickets([b"k" * 32])


def read_cookie(text: str) -> None:
    request: Any = SimpleNamespace(headers=CIMultiDict({"Cookie": text}))  # all that is looked at
    reading = STORAGE.read(request)
    with pytest.raises(StopIteration):
        reading.send(None)  # it waits for nothing


def read_session_cookie(text: str) -> None:
    read_cookie("__Host-tgbridge=" + text)


def forwarded(*names: str) -> Callable[[str], object]:
    return lambda text: find_caller(PROXY, dict.fromkeys(names, text), PROXIES)


def condition(name: str) -> Callable[[str], object]:
    return lambda text: preconditions.evaluate("GET", {name: text}, VALIDATORS, now=NOW)


def form_field(name: str) -> Callable[[str], object]:
    return lambda text: UploadForm().take(name, text)


TEXTS: Final[dict[str, Callable[[str], object]]] = {
    "Forwarded": forwarded("forwarded"),
    "X-Forwarded-For": forwarded("x-forwarded-for"),
    "X-Forwarded-*": forwarded("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"),
    "Host": is_host,
    "host name": lambda text: (Caller("", "http", text).host_name, Caller("", "http", text).own_origin),
    "address": places_of,
    "cookies": read_cookie,
    "session cookie": read_session_cookie,
    "Range": lambda text: ranges.select_range(text, 1000),
    "Range of bytes": lambda text: ranges.select_range("bytes=" + text, 1000),
    "date": lambda text: parse_http_date(text, now=NOW),
    "If-Match": condition("if-match"),
    "If-None-Match": condition("if-none-match"),
    "If-Modified-Since": condition("if-modified-since"),
    "If-Range": lambda text: preconditions.range_applies(
        "GET", {"range": "bytes=0-", "if-range": text}, VALIDATORS, now=NOW
    ),
    "Content-Type": safety.essence,
    "Content-Type of a form": parse_options_header,
    "type of a file": safety.media_type,
    "type that is shown": lambda text: (safety.is_inline(text), safety.security_headers(text)),
    "type that is claimed": lambda text: mediatypes.claimed(text, text),
    "type's extension": lambda text: mediatypes.extension(mediatypes.canonical(text)),
    "name of a file": filenames.clean,
    "name of a file, sent": lambda text: disposition.content_disposition("attachment", text),
    "tus: metadata": lambda text: tus.parse_creation({"upload-length": "1", "upload-metadata": text}),
    "tus: length": lambda text: tus.parse_creation({"upload-length": text}),
    "tus: offset": lambda text: tus.parse_continuation({"upload-offset": text}),
    "tus: checksum": lambda text: tus.parse_checksum({"upload-checksum": text}),
    "tus: version": lambda text: tus.check_version({"tus-resumable": text}),
    "upload id": tus.check_id,
    "upload id that was issued": lambda text: UPLOAD_IDS.issued(text, 1),
    "ticket": lambda text: TICKETS.read(text, "media"),
    "path, in the log": without_tickets,
    "path of a ticket, in the log": lambda text: without_tickets("/ticket_media/" + text),
    "phone": parse_phone,
    "code": parse_code,
    "password": parse_password,
    **{f"form: {name}": form_field(name) for name in FIELDS},
}


@pytest.mark.parametrize("read", TEXTS.values(), ids=TEXTS.keys())
def test_texts(read: Callable[[str], object]) -> None:
    """Header fields, names and form fields: whether they are understood or refused, it takes linear time."""

    def reads_or_refuses(text: str) -> None:
        try:
            read(text)
        except BridgeError:
            return

    for whole, half in zip(worst(16 * KB), worst(8 * KB), strict=True):
        assert is_linear(reads_or_refuses, whole, half), whole[:40]


# Bytes: what files begin with, and the heads of a form's parts

BYTES: Final = (
    *(b"\0", b"\xff", b" ", b"<", b"\x1a\x45\xdf\xa3", b"\x00\x00\x00\x08free", b"\x00\x00\x00\x00moov"),
    *(b"\xff\xfb\x90\x00", b"\xff\xd8\xff\xe0\x00\x02", b"ID3\x04", b"OggS", b"fLaC", b"\xec\x80", b"a"),
    *(b"\x00\x00\x00\x10moov\x00\x00\x00\x08trak", b"\xff\xd8", b"RIFF\x00\x00\x00\x00", b"\xff\xf1"),
)
HEADS: Final = (
    b"",
    b"\x1a\x45\xdf\xa3",
    b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
    b"\xff\xd8\xff",
    b"ID3\x04\0\0",
)
# Four times as much as a text, element by element; some begin only after what the first one says is skipped.
EASY_SECONDS_OF_FILES: Final = 0.05
INSPECTED: Final = (
    "image/jpeg",
    "image/png",
    "video/mp4",
    "audio/mp4",
    "video/webm",
    "audio/mpeg",
    "audio/ogg",
)


def worst_bytes(size: int) -> Iterator[bytes]:
    for head in HEADS:
        for run in BYTES:
            yield head + run * (size // len(run))


@pytest.mark.parametrize("mime_type", INSPECTED)
def test_files(mime_type: str) -> None:
    """What a file says of itself is read in linear time, in whatever pieces it comes."""

    def inspect(content: bytes) -> None:
        inspector = inspector_for(mime_type)
        for start in range(0, len(content), KB):
            inspector.feed(memoryview(content)[start : start + KB])
        inspector.facts()

    for whole, half in zip(worst_bytes(64 * KB), worst_bytes(32 * KB), strict=True):
        assert is_linear(inspect, whole, half, easy=EASY_SECONDS_OF_FILES), whole[:40]


def test_sniffing() -> None:
    """Whether a file is what it claims shows in linear time, whatever it claims."""

    def sniff(content: bytes) -> None:
        for claim in sniffing._SIGNATURES:
            sniffing.contradicts(claim, content)

    for whole, half in zip(worst_bytes(16 * KB), worst_bytes(8 * KB), strict=True):
        assert is_linear(sniff, whole, half), whole[:40]


# aiohttp reads them by the parser for e-mail, and by one for cookies that makes an object of each.
SLOW: Final = re.compile(r"\brequest\.(?:content_type|charset|cookies|json|text|post|multipart|http_range)\b")


def test_slow_parsers_are_not_asked() -> None:
    """Nothing of the service reads a request by what takes quadratic time."""
    root = Path(tgbridge.__file__).parent
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in root.rglob("*.py")
        if "sandbox" not in path.parts
        for match in SLOW.finditer(path.read_text())
    ]
    assert found == []
