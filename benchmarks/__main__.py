"""`python -m benchmarks [--quick] [TABLE...]`: measure, and print Markdown."""

from __future__ import annotations

import argparse
import platform
import sys
from typing import TYPE_CHECKING

from benchmarks import (
    answers,
    crowds,
    downloads,
    events,
    films,
    first_byte,
    floods,
    footprint,
    lists,
    report,
    soak,
    streams,
    thumbnails,
    uploads,
)
from benchmarks.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES: dict[str, Callable[..., None]] = {
    "whole-file": downloads.whole_file,
    "round-trips": downloads.round_trips,
    "first-byte": first_byte.first_byte,
    "streams": streams.many_streams,
    "processor": downloads.processor,
    "answers": answers.small_answers,
    "floods": floods.floods,
    "list": lists.whole_list,
    "page": lists.deep_page,
    "thumbnails": thumbnails.gallery,
    "film": films.film,
    "events": events.open_streams,
    "crowds": crowds.crowds,
    "memory": footprint.memory,
    "soak": soak.soak,
    "upload": uploads.one_upload,
    "uploads": uploads.many_uploads,
}


def main() -> None:
    """Run what was asked for, each table on a stage of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller files, fewer samples")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    options = parser.parse_args()
    for name in options.tables:
        if name not in TABLES:
            parser.error(f"no table {name!r}: there are {', '.join(TABLES)}")
    print(f"{report.machine()}; Python {platform.python_version()}; everything on this machine.")
    for name in options.tables or TABLES:
        with Stage() as stage:
            try:
                TABLES[name](stage, quick=options.quick)
            except BaseException:
                sys.stderr.write(stage.log.read_text())
                raise


if __name__ == "__main__":
    main()
