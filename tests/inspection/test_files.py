"""Real files, read as they pass by: what they say, however they come."""

from __future__ import annotations

import random

import pytest

from tests.inspection.reading import FILES, facts, type_of
from tgbridge.inspection.sniffing import HEAD_BYTES, really

NAMED = ("Täst", "Who")
NAMELESS = ("", "")

# Seconds, and title and performer.
SOUND = {
    "adts.aac": (3.07, NAMELESS),
    "constant.mp3": (6.08, NAMELESS),
    "variable.mp3": (6.08, NAMED),
    "xing.mp3": (3.10, NAMED),
    "piped.wav": (1.0, NAMELESS),
    "piped.flac": (1.0, NAMELESS),
    "song.wav": (1.0, NAMED),
    "song.aiff": (0.5, NAMED),
    "song.flac": (1.0, NAMED),
    "flac.oga": (1.0, NAMED),
    "song.ogg": (3.0, NAMED),
    "song.opus": (3.0, NAMED),
    "song.wma": (1.02, NAMED),
    "song.m4a": (3.0, NAMED),
}
FILMS = {
    "live.webm": 3.0,
    "whole.mkv": 3.0,
    "fragmented.mp4": 3.4,
    "first-in-index.mp4": 3.4,
    "whole.mov": 3.0,
}


@pytest.mark.parametrize("name", SOUND)
def test_sound(name: str) -> None:
    """How long it sounds, within a hundredth, also where only its frames tell; and what it is called."""
    found = facts(FILES[name], type_of(name))
    seconds, called = SOUND[name]
    assert found.duration == pytest.approx(seconds, rel=0.01)
    assert (found.title, found.performer) == called
    assert (found.has_sound, found.is_opus) == (True, name == "song.opus")


@pytest.mark.parametrize("name", FILMS)
def test_films(name: str) -> None:
    """How long and large a film is, also one that was recorded and never says."""
    found = facts(FILES[name], type_of(name))
    assert found.duration == pytest.approx(FILMS[name], rel=0.01)
    assert (found.width, found.height, found.has_video, found.has_sound) == (32, 16, True, True)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("picture")])
def test_pictures(name: str) -> None:
    """How large a picture is, in each format."""
    found = facts(FILES[name], type_of(name))
    assert (found.width, found.height) == (30, 20)


def test_every_file_is_what_it_claims_to_be() -> None:
    """What these programs write is never refused, nor taken for anything else."""
    for name, data in FILES.items():
        assert really(type_of(name), data[:HEAD_BYTES]) == type_of(name), name


@pytest.mark.parametrize("name", FILES)
def test_any_cut_says_the_same(name: str) -> None:
    """However the bytes come, one by one or all at once, they say the same."""
    data, rng = FILES[name], random.Random(name)
    whole = facts(data, type_of(name))
    assert facts(data, type_of(name), piece=1) == whole
    for _ in range(5):
        assert facts(data, type_of(name), piece=rng.randrange(2, 5000)) == whole
