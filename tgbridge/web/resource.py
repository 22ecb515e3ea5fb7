"""Paths as the router matches them."""

from __future__ import annotations

from aiohttp import web


class Path(web.DynamicResource):
    """A path, which answers with a slash behind it as without one: frameworks and proxies add it."""

    def _match(self, path: str) -> dict[str, str] | None:
        """Return the values of the path's variables; None if ``path`` is another one."""
        if path == self._formatter and "{" not in path:
            return {}  # as it is written, without variables: most requests have to be matched no further
        found: dict[str, str] | None = super()._match(path.removesuffix("/"))
        return found
