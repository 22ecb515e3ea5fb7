"""Sockets that systemd hands over: which are taken, and what is said of others."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import SettingsError
from tgbridge.systemd import sockets
from tgbridge.systemd.sockets import take_sockets

if TYPE_CHECKING:
    from pathlib import Path

PID = str(os.getpid())


def hand_over(monkeypatch: pytest.MonkeyPatch, descriptor: int) -> None:
    """Let a descriptor be the first one; 3 is somebody's here."""
    os.set_inheritable(descriptor, True)
    monkeypatch.setattr(sockets, "_FIRST", descriptor)


@pytest.mark.parametrize("address", [("127.0.0.1", 0), ("::1", 0)])
def test_taken(monkeypatch: pytest.MonkeyPatch, address: tuple[str, int]) -> None:
    """A listening TCP socket is taken; no child inherits it, nor what is said about it."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.create_server(address, family=family) as listening:
        given = listening.getsockname()
        hand_over(monkeypatch, descriptor := listening.detach())
        environ = {"LISTEN_PID": PID, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http", "PATH": "/bin"}
        (taken,) = take_sockets(environ)
        assert environ == {"PATH": "/bin"}
        assert (taken.getsockname(), taken.fileno(), taken.gettimeout()) == (given, descriptor, 0.0)
        assert not os.get_inheritable(descriptor)
        taken.close()


@pytest.mark.parametrize("environ", [{}, {"LISTEN_FDS": "1"}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}])
def test_for_others(environ: dict[str, str]) -> None:
    """What is for another process is not touched, and not handed on."""
    assert take_sockets(environ) == ()
    assert environ == {}


def test_none() -> None:
    """A unit without sockets gets none."""
    assert take_sockets({"LISTEN_PID": PID, "LISTEN_FDS": "0"}) == ()


def refused(monkeypatch: pytest.MonkeyPatch, descriptor: int) -> str:
    hand_over(monkeypatch, descriptor)
    with pytest.raises(SettingsError) as caught:
        take_sockets({"LISTEN_PID": PID, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "mine"})
    return str(caught.value)


def test_no_number() -> None:
    """A count that is none is told by its name."""
    with pytest.raises(SettingsError, match="LISTEN_FDS: must be a number"):
        take_sockets({"LISTEN_PID": PID, "LISTEN_FDS": "many"})


def test_other_kinds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file, a Unix socket, UDP and a connection (Accept=yes) are refused, each with what would be right."""
    with (tmp_path / "file").open("w") as file:
        assert "mine" in refused(monkeypatch, file.fileno())
        assert "is no socket" in refused(monkeypatch, file.fileno())
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket"))
        unix.listen()
        assert "must be of TCP" in refused(monkeypatch, unix.detach())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        assert "must be of TCP" in refused(monkeypatch, udp.detach())
    with socket.socket(socket.AF_INET) as connection:
        assert "Accept=no" in refused(monkeypatch, connection.detach())
