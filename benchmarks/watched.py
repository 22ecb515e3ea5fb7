"""The service, and somebody who counts in it: `python -m benchmarks.watched serve …`.

A line of JSON on standard input, {"look": true}, is answered with how many asyncio tasks and threads
there are, after a full garbage collection.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import Any

from benchmarks.processes import main_loop
from tgbridge.__main__ import main


def _look(look: bool) -> dict[str, Any]:
    assert look
    gc.collect()
    gc.unfreeze()  # what was made at the start counts as well
    tasks = [one for one in gc.get_objects() if isinstance(one, asyncio.Future) and _is_running(one)]
    return {"tasks": len(tasks), "threads": threading.active_count()}


def _is_running(future: asyncio.Future[Any]) -> bool:
    return isinstance(future, asyncio.Task) and not future.done()


if __name__ == "__main__":
    threading.Thread(target=main_loop, args=(_look,), daemon=True).start()
    sys.exit(main())
