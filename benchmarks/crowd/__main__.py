"""A crowd in a process of its own, on one thread, so that it takes little of what it wants to show.

`python -m benchmarks.crowd PORT` is told what to be on standard input, one JSON object a line:
{"begin": [kind, how many, [cookie, ...]]} answers when the crowd stands, {"told": true} what it has been told
since it was asked last.
"""

from __future__ import annotations

import resource
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks.crowd.kinds import KINDS
from benchmarks.processes import answer, main_loop

if TYPE_CHECKING:
    from benchmarks.crowd.peers import Crowd


def raise_limit() -> None:
    """Have as many file descriptors as there may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    """Be told what crowd to be, and be it."""
    raise_limit()
    crowds: list[Crowd] = []
    begun, stands = threading.Event(), threading.Event()

    def handle(begin: tuple[str, int, list[str]] | None = None, told: bool = False) -> dict[str, Any]:
        if begin is not None:
            kind, size, cookies = begin
            crowds.append(KINDS[kind](int(sys.argv[1]), size, cookies))
            begun.set()
            stands.wait()
        if not told:
            return {"made": crowds[0].made}
        since, crowds[0].told = crowds[0].told, Counter()
        return {"told": since, "open": len(crowds[0].open)}

    threading.Thread(target=main_loop, args=(handle,), daemon=True).start()
    answer({"ready": True})
    begun.wait()
    crowds[0].run(stands)


if __name__ == "__main__":
    main()
