"""What the operating system gives the process."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tgbridge.__main__ import main
from tgbridge.machine import descriptor_limit, raise_descriptor_limit

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of file descriptors, as they are after the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield soft, hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors(limits: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command may open as many as the hard limit allows, whatever the shell begins with."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, limits[1]))
    assert main(["generate-key"]) == 0
    assert descriptor_limit() == min(limits[1], 65536)


def test_more_descriptors_than_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given already is not lowered, and no limit is left as it is."""
    for soft in (100_000, resource.RLIM_INFINITY):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, resource.RLIM_INFINITY))
        monkeypatch.setattr(resource, "setrlimit", lambda *given: pytest.fail(f"set {given}"))
        raise_descriptor_limit()
