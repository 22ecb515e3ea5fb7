"""Paths as the router matches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class Path(web.DynamicResource):
    """A path, which answers with a slash behind it as without one: frameworks and proxies add it.

    ``others`` are paths that are endpoints of their own, although they look like this one with a variable in
    it: they are none of its values.
    """

    def __init__(self, path: str, others: AbstractSet[str] = frozenset()) -> None:
        super().__init__(path)
        self._others = others - {path}

    def _match(self, path: str) -> dict[str, str] | None:
        """Return the values of the path's variables; None if ``path`` is another one."""
        if path == self._formatter and "{" not in path:
            return {}  # as it is written, without variables: most requests have to be matched no further
        path = path.removesuffix("/")
        found: dict[str, str] | None = None if path in self._others else super()._match(path)
        return found
