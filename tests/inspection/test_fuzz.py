"""Damaged files, thousands of them: what they say can be sent to Telegram, and no reader falls over them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.inspection.fuzzing import run
from tests.inspection.reading import FILES, facts, type_of
from tgbridge.inspection import Facts, inspector_for, matroska, pulled
from tgbridge.inspection import facts as rules

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "800"))


def test_damaged_files() -> None:
    """Nothing that a damaged file says can cost an upload."""
    run(ROUNDS, seed=1)


def as_it_is(value: Any) -> Any:
    return value


PLANTED: dict[str, tuple[object, str, Any, str]] = {
    "nothing is made sane": (rules, "sane", as_it_is, "live.webm"),
    "sound of 2^40 seconds": (rules, "sane", as_it_is, "song.m4a"),
    "a width of 2^31": (rules, "sane", as_it_is, "picture.png"),
    "a duration that is no number": (matroska, "seconds", as_it_is, "whole.mkv"),
    "a scale of 2^1600": (matroska, "_MOST_NUMBER", 4096, "whole.mkv"),
    "a division by a rate of 0": (pulled, "MISLED", (LookupError, ValueError), "song.aiff"),
    "an index that is too short": (pulled, "MISLED", (ArithmeticError, LookupError, ValueError), "whole.mov"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_the_run_finds_what_is_planted(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Each of the faults that such a file has found, put back, is found again."""
    place, name, value, file = PLANTED[fault]
    if fault == "a duration that is no number":
        monkeypatch.setattr(rules, "sane", as_it_is)
    monkeypatch.setattr(place, name, value)
    with pytest.raises(AssertionError, match="round"):
        run(2000, seed=2, names=[file])


def fails(*_: object) -> Any:
    raise RuntimeError("a fault of ours")


@pytest.mark.parametrize("step", ["feed", "facts"])
def test_a_fault_of_a_reader_costs_no_upload(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whatever a reader raises, nothing is known of the file, and that is all."""
    for name, data in FILES.items():
        inspector: Any = inspector_for(type_of(name))
        with monkeypatch.context() as patched:
            patched.setattr(type(inspector._inspector), step, fails)
            assert facts(data, type_of(name)) == Facts()


@pytest.mark.parametrize("name", FILES)
def test_no_more_is_kept_than_counts(name: str, held: Callable[[object], int]) -> None:
    """What an inspector holds of a file is bounded by what it says, however large the file is."""
    inspector = inspector_for(type_of(name))
    for _ in range(3):
        inspector.feed(memoryview(FILES[name]))
        inspector.feed(memoryview(bytes(1 << 20)))
    assert held(inspector) <= inspector.keeps + 4096


@pytest.fixture
def held() -> Callable[[object], int]:
    def bytes_in(value: object, seen: set[int]) -> int:
        if id(value) in seen:
            return 0
        seen.add(id(value))
        if isinstance(value, bytes | bytearray):
            return len(value)
        if isinstance(value, list | tuple):
            return sum(bytes_in(one, seen) for one in value)
        fields = [*getattr(value, "__dict__", {}).values()]
        fields += [getattr(value, slot, None) for slot in getattr(type(value), "__slots__", ())]
        return sum(bytes_in(field, seen) for field in fields)

    return lambda value: bytes_in(value, set())


def repeated(begin: bytes, piece: bytes) -> bytes:
    return begin + piece * ((1 << 20) // len(piece))


ENDLESS = {
    "frames of AAC without sound": (repeated(b"", bytes.fromhex("fff15080 00ffff")), "audio/aac"),
    "headers of frames": (repeated(b"", b"\xff\xfb"), "audio/mpeg"),
    "pages of Ogg": (repeated(b"", b"OggS" + bytes(23)), "audio/ogg"),
    "comments": (repeated(b"fLaC\x84\xff\xff\xff\0\0\0\0\xff\xff\xff\xff", bytes(4)), "audio/flac"),
    "frames of ID3": (repeated(b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"TXXX" + bytes(6)), "audio/mpeg"),
    "chunks": (repeated(b"RIFF\0\0\0\0WAVE", b"JUNK" + bytes(4)), "audio/wav"),
    "boxes": (repeated(b"", b"\0\0\0\x08free"), "video/mp4"),
    "boxes in boxes": (repeated(b"\xff\xff\xff\xffmoov", b"\0\0\0\x08free"), "video/mp4"),
    "elements": (repeated(b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x80", b"\xec\x80"), "video/webm"),
    "times of clusters": (repeated(b"\x1f\x43\xb6\x75\x80", b"\xe7\x81\1"), "video/webm"),
    "segments": (repeated(b"\xff\xd8", b"\xff\xfe\0\2"), "image/jpeg"),
    "fill bytes": (repeated(b"\xff\xd8", b"\xff"), "image/jpeg"),
    "tags": (repeated(b"II*\0\x08\0\0\0\xff\xff", bytes(12)), "image/tiff"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_only_costs_time_is_given_up(kind: str) -> None:
    """A file of nothing but the smallest pieces is looked at for a while, and then let pass."""
    data, mime_type = ENDLESS[kind]
    inspector: Any = inspector_for(mime_type)
    inspector.feed(memoryview(data))
    pulled = inspector._inspector._pulled
    assert pulled.over or pulled._skipped
    assert pulled.strides is None or pulled.strides._over
    assert inspector.facts().width is None
