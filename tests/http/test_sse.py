"""Server-sent events, read back by a client written from the specification's rules."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http.sse import HEADERS, KEEP_ALIVE, Event

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LINE = TEXT.map(lambda text: text.translate(dict.fromkeys(map(ord, "\r\n\0"))))


class Dispatched(NamedTuple):
    """What a page's listener gets."""

    name: str
    data: str
    last_event_id: str


class Client:
    """Section 9.2.6, word for word, and sharing no code with what is tested."""

    def __init__(self) -> None:
        self.dispatched: list[Dispatched] = []
        self.retry: int | None = None
        self._last_event_id = self._id_buffer = self._data = self._name = ""

    def read(self, stream: bytes) -> Client:
        text = stream.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = text.split("\n")
        assert rest == "", "an unfinished line is lost at the stream's end"
        for line in lines:
            if not line:
                self._dispatch()
            elif not line.startswith(":"):
                field, _, value = line.partition(":")
                self._take(field, value.removeprefix(" "))
        return self

    def _take(self, field: str, value: str) -> None:
        if field == "event":
            self._name = value
        elif field == "data":
            self._data += value + "\n"
        elif field == "id" and "\0" not in value:
            self._id_buffer = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)

    def _dispatch(self) -> None:
        self._last_event_id = self._id_buffer
        if self._data:
            found = Dispatched(self._name or "message", self._data.removesuffix("\n"), self._last_event_id)
            self.dispatched.append(found)
        self._data = self._name = ""


def received(*events: Event) -> list[Dispatched]:
    return Client().read(b"".join(event.encode() for event in events)).dispatched


@pytest.mark.parametrize(
    ("event", "written"),
    [
        (Event("x"), b"data: x\n\n"),
        (Event(""), b"data: \n\n"),
        (Event('{"a": 1}', "qr"), b'event: qr\ndata: {"a": 1}\n\n'),
        (Event("x", "done", "7", 3000), b"retry: 3000\nid: 7\nevent: done\ndata: x\n\n"),
        (Event("x", id=""), b"id: \ndata: x\n\n"),
        (Event("one\ntwo\r\nthree\rfour\n"), b"data: one\ndata: two\ndata: three\ndata: four\ndata: \n\n"),
        (Event(" indented"), b"data:  indented\n\n"),
        (Event(": no comment"), b"data: : no comment\n\n"),
        (Event("\x85\u2028\x0b"), b"data: \xc2\x85\xe2\x80\xa8\x0b\n\n"),
        (Event("gr\u00fc\u00dfe"), b"data: gr\xc3\xbc\xc3\x9fe\n\n"),
        (Event("\ud800"), b"data: ?\n\n"),
    ],
)
def test_written(event: Event, written: bytes) -> None:
    """Each field on its own line; only CR, LF and CRLF end one."""
    assert event.encode() == written


@given(data=TEXT, name=st.none() | LINE.filter(bool), event_id=st.none() | LINE)
def test_read_back(data: str, name: str | None, event_id: str | None) -> None:
    """A client gets what was sent, whatever is in it; line ends are LF."""
    expected = data.replace("\r\n", "\n").replace("\r", "\n")
    assert received(Event(data, name, event_id)) == [Dispatched(name or "message", expected, event_id or "")]


def test_one_after_another() -> None:
    """Nothing of an event is left for the next, but the id, which stays until another one comes."""
    events = [Event("1", "a", "x"), Event("2"), Event("", "b", "y"), Event("3", id=""), Event("4")]
    assert received(*events) == [
        ("a", "1", "x"),
        ("message", "2", "x"),
        ("b", "", "y"),
        ("message", "3", ""),
        ("message", "4", ""),
    ]


def test_keep_alive() -> None:
    """A keep-alive is no event, wherever it stands between two, and changes nothing of them."""
    stream = KEEP_ALIVE + Event("1", "a").encode() + KEEP_ALIVE * 2 + Event("2").encode() + KEEP_ALIVE
    assert Client().read(stream).dispatched == [("a", "1", ""), ("message", "2", "")]


def test_retry() -> None:
    """The time to reconnect after is the client's to keep."""
    assert Client().read(Event("x", retry=250).encode()).retry == 250


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "a\rdata: forged"},
        {"id": "1\n\ndata: forged"},
        {"id": "\r"},
        {"id": "1\0"},
        {"retry": -1},
    ],
)
def test_refused(fields: dict[str, str]) -> None:
    """What would end its line, and so forge a field or an event, can't be put into one."""
    with pytest.raises(ValueError, match="an event's"):
        Event("x", **fields)  # type: ignore[arg-type]


def test_headers() -> None:
    """Nothing stores the stream, and nginx does not hold it back."""
    assert HEADERS == {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
    }
