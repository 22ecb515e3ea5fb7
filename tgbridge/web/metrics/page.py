"""docs/metrics.md, from the table of metrics: ``python -m tgbridge.web.metrics.page > docs/metrics.md``."""

from __future__ import annotations

import sys
from typing import Final

from tgbridge.web.metrics.families import FAMILIES

_HEAD: Final = """\
# Metrics

`GET /metrics` tells them to Prometheus, as text or as OpenMetrics: to callers on loopback or in
`metrics.allowed_addresses` that come directly, and not through a proxy; others get a 404. This page is made
from the code (`python -m tgbridge.web.metrics.page > docs/metrics.md`).

All counters begin at 0 with the process. No label has a value that a caller or a user could make up: there
are routes, statuses, methods and codes, each of a known set. What memory, descriptors and processor time the
process takes, `process_*`, `python_gc_*` and `python_info` tell; those are prometheus-client's own.

`deploy/grafana.json` is a dashboard, `deploy/alerts.yml` has rules for alerts.

| metric | type | labels | what it is |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    rows = []
    for family in FAMILIES:
        suffix = {"counter": "_total", "info": "_info"}.get(family.kind, "")
        labels = ", ".join(f"`{label}`" for label in family.labels)
        meaning = " ".join(filter(None, (family.meaning, family.values)))
        rows.append(f"| `{family.name}{suffix}` | {family.kind} | {labels} | {meaning} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())
