"""docs/errors.md, from the description of the API: ``python scripts/errors_page.py > docs/errors.md``."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from tgbridge.app import ENDPOINTS
from tgbridge.http.statuses import PHRASES, code_of
from tgbridge.schemas import CODES
from tgbridge.web.openapi import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.schemas import Json

_FEW: Final = 3

_HEAD: Final = """\
# Errors

Every error body is JSON:

| field | |
| --- | --- |
| `error` | a sentence for the person at the screen |
| `code` | for programs: one of those below, or another of Telegram's own names, with 500 |
| `details` | for whoever looks for the cause; never anything secret |
| `retry_after` | whole seconds, the same as the header field `Retry-After` |

The header field `X-Request-Id`, which every answer has, names the request in the service's log. What to do
goes by the status:

| status | what to do |
| --- | --- |
| 400, 403, 404, 413 | show `error`: sent again unchanged, it fails again |
| 401 | with `SESSION_PASSWORD_NEEDED` ask for the password; else somebody has to sign in anew |
| 409, 423 | of an upload: ask where it goes on, which clients of tus do by themselves |
| 410 | begin the upload anew, or make another ticket |
| 429, 503 | wait for `retry_after`, and send it again |
| 500 | show `error`; `code` and `details` have Telegram's own name for what went wrong |

An answer whose body has begun can't become an error: the connection breaks off, so that nobody takes half
for the whole. `@tgbridge/client` makes one class of all errors, `TgbridgeError`.

This page is made from the code (`python scripts/errors_page.py > docs/errors.md`), as is the enum
`ErrorCode` of `/openapi.json`.

## By code

| code | status | `error` | where |
| --- | --- | --- | --- |
"""
_GENERAL: Final = """
## HTTP's own

What HTTP itself has to say, of any request. Some are a proxy's rather than the service's.

| code | status |
| --- | --- |
"""
_REST: Final = """
## Of Telegram's, or in events

These come with the text of the endpoint, or in event streams, where Telegram says so.

"""


class _Row(NamedTuple):
    """What the description says of a code; dictionaries keep the order."""

    statuses: dict[str, None]
    texts: dict[str, None]
    operations: dict[str, None]


def page(document: Json) -> str:
    """Return the page for an OpenAPI document of the service."""
    rows: defaultdict[str, _Row] = defaultdict(lambda: _Row({}, {}, {}))
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            for status, code, text in _refusals(told):
                rows[code].statuses[status] = None
                rows[code].texts[text] = None
                rows[code].operations[f"`{method.upper()} {path}`"] = None
    general = {code_of(status): status for status in PHRASES}
    rest = set(document["components"]["schemas"][CODES]["enum"]) - rows.keys() - general.keys()
    return "".join(
        (
            _HEAD,
            *(_line(code, row) for code, row in sorted(rows.items())),
            _GENERAL,
            *(f"| `{code}` | {status} |\n" for code, status in general.items() if code not in rows),
            _REST,
            ", ".join(f"`{code}`" for code in sorted(rest)),
            ".\n",
        )
    )


def _refusals(operation: Json) -> Iterator[tuple[str, str, str]]:
    """Yield status, code and text of each error that is described."""
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            for code, example in content.get("examples", {}).items():
                yield status, code, example["value"]["error"]


def _line(code: str, row: _Row) -> str:
    text = " / ".join(row.texts) if len(row.texts) <= _FEW else "the endpoint's own"
    where = ", ".join(row.operations) if len(row.operations) <= _FEW else f"{len(row.operations)} operations"
    return f"| `{code}` | {', '.join(row.statuses)} | {text} | {where} |\n"


if __name__ == "__main__":
    sys.stdout.write(page(describe(ENDPOINTS, cookie_name="tgbridge")))
