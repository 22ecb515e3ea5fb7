"""The page and its two files, as they are sent."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

from tgbridge.web.answers import Document
from tgbridge.web.docs.page import Example, page

if TYPE_CHECKING:
    from tgbridge.schemas import Json
    from tgbridge.settings.server import DocsSettings

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
"""Only this service's own files, no markup from scripts, and no frames: users can do everything here."""

_FILES: Final = resources.files("tgbridge.web.docs")
STYLE: Final = Document.of_bytes(_FILES.joinpath("docs.css").read_bytes(), "text/css; charset=utf-8")
SCRIPT: Final = Document.of_bytes(_FILES.joinpath("docs.js").read_bytes(), "text/javascript; charset=utf-8")


class DocsPages:
    """The page: made when it is first asked for, since it takes some milliseconds."""

    def __init__(self, described: Json, settings: DocsSettings) -> None:
        self._described = described
        self._example = (
            Example(settings.example_phone, settings.example_code)
            if settings.example_phone is not None and settings.example_code is not None
            else None
        )
        self._made: dict[str, Document] = {}

    def seen_from(self, path: str) -> Document:
        """Return the page for a request of ``path``, of which a slash at its end makes the root another."""
        root = "../" if path.endswith("/") else ""
        if root not in self._made:
            html = page(self._described, root=root, example=self._example)
            self._made[root] = Document.of_bytes(html.encode(), "text/html; charset=utf-8")
        return self._made[root]
