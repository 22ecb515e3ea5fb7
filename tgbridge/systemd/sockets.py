"""Socket activation: the listening sockets that systemd keeps open while we restart (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final

from tgbridge.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_FIRST: Final = 3  # SD_LISTEN_FDS_START: after standard input, output and error
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")


def take_sockets(environ: MutableMapping[str, str]) -> tuple[socket.socket, ...]:
    """Take the sockets that are for this process, and what is said about them out of ``environ``.

    Raises SettingsError for one that is no listening TCP socket.
    """
    pid, count, names, _ = (environ.pop(name, "") for name in _VARIABLES)
    if pid != str(os.getpid()):
        return ()
    if not count.isdecimal():
        raise SettingsError("environment: LISTEN_FDS: must be a number")
    named = names.split(":")
    return tuple(
        _listening(_FIRST + place, named[place] if place < len(named) and named[place] else "a socket")
        for place in range(int(count))
    )


def _listening(descriptor: int, name: str) -> socket.socket:
    place = f"environment: LISTEN_FDS: {name} (file descriptor {descriptor})"
    try:
        os.set_inheritable(descriptor, False)  # the sandbox's process has no use for it
        taken = socket.socket(fileno=descriptor)
        listens = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SettingsError(f"{place}: is no socket") from error
    if taken.family not in {socket.AF_INET, socket.AF_INET6} or taken.type != socket.SOCK_STREAM:
        taken.close()
        raise SettingsError(f"{place}: must be of TCP: ListenStream= with a port")
    if not listens:
        taken.close()
        raise SettingsError(f"{place}: does not listen: the socket's unit needs Accept=no")
    taken.setblocking(False)
    return taken
