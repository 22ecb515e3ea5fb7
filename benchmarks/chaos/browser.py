"""A browser's requests, each of which is judged: an answer, or something that has a cause."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, CookieJar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp import ClientResponse

    from benchmarks.chaos.ledger import Ledger

_TIMEOUT = ClientTimeout(total=90, connect=20)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """What its JSON says."""
        return json.loads(self.content) if self.content else None


class Failed(Exception):
    """There was no success; that has been judged already."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(status, code)
        self.status = status
        """0 if there was no answer, or no whole one."""
        self.code = code


class Browser:
    """One cookie jar."""

    def __init__(self, url: str, ledger: Ledger, name: str) -> None:
        self._ledger = ledger
        self.name = name
        self.http = ClientSession(url, cookie_jar=CookieJar(unsafe=True), timeout=_TIMEOUT)

    async def close(self) -> None:
        """Close it."""
        await self.http.close()

    @asynccontextmanager
    async def opened(
        self, method: str, path: str, *, fine: tuple[int | str, ...] = (), **options: Any
    ) -> AsyncIterator[ClientResponse]:
        """Make a request whose answer the block reads.

        Raises Failed for what is neither success nor fine, by its status or its code.
        """
        since = self._ledger.now()
        told = {"who": self.name, "method": method, "path": path.partition("?")[0]}
        try:
            async with self.http.request(method, path, **options) as response:
                if response.status >= 400 and response.status not in fine:
                    code, details = _code(await response.read())
                    if code not in fine:
                        request_id = response.headers.get("X-Request-Id")
                        self._ledger.happened(
                            str(response.status),
                            since,
                            code=code,
                            details=details,
                            request=request_id,
                            **told,
                        )
                        raise Failed(response.status, code)
                yield response
                self._ledger.outcomes["ok"] += 1
        except ClientConnectorError as error:
            self._ledger.happened("refused", since, error=repr(error)[:200], **told)
            raise Failed(0) from error
        except (ClientError, ConnectionError, TimeoutError) as error:
            kind = "stuck" if isinstance(error, TimeoutError) else "broken"
            self._ledger.happened(kind, since, error=repr(error)[:200], **told)
            raise Failed(0) from error

    async def ask(
        self, method: str, path: str, *, fine: tuple[int | str, ...] = (), **options: Any
    ) -> Answer:
        """Make a request and read its answer. Raises Failed."""
        async with self.opened(method, path, fine=fine, **options) as response:
            return Answer(response.status, response.headers, await response.read())


def _code(body: bytes) -> tuple[str, str]:
    try:
        told = json.loads(body)
        return str(told.get("code")), str(told.get("details", ""))
    except ValueError:
        return "", ""
