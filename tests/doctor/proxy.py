"""A reverse proxy that does something wrong, as told."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiohttp import ClientSession, ClientTimeout, hdrs, web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOP: Final = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass
class Proxy:
    """By default it does right. ``adds`` are fields that it writes, ``drops`` those that it takes.

    ``says``, ``keeps`` and ``rewrites`` do the same to those of answers.
    """

    target: str
    adds: Mapping[str, str] = field(default_factory=dict)
    drops: frozenset[str] = frozenset()
    says: Mapping[str, str] = field(default_factory=dict)
    keeps: frozenset[str] = frozenset()
    rewrites: Callable[[str, str], str] = lambda _, value: value
    buffers: bool = False
    compresses: bool = False
    most_bytes: int = 1 << 62
    methods: frozenset[str] = frozenset()
    passes_on_forwarded: bool = False

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if int(request.headers.get(hdrs.CONTENT_LENGTH, "0")) > self.most_bytes:
            return web.Response(status=413)
        if self.methods and request.method not in self.methods:
            return web.Response(status=405)
        gone = self.drops | {"connection"}
        if not self.passes_on_forwarded:
            gone |= {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"}
        fields = {name: value for name, value in request.headers.items() if name.lower() not in gone}
        body = await request.read() if self.buffers else request.content
        has_body = request.method in {"POST", "PATCH", "PUT"}
        async with (
            ClientSession(auto_decompress=False, timeout=ClientTimeout(total=30)) as session,
            session.request(
                request.method,
                self.target + request.raw_path,
                headers=fields | dict(self.adds),
                data=body if has_body else None,
                allow_redirects=False,
                skip_auto_headers=(hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE, hdrs.USER_AGENT),
            ) as answer,
        ):
            told = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
            response = web.StreamResponse(status=answer.status)
            response.headers.extend(
                (name, self.rewrites(name, value)) for name, value in told if name.lower() not in self.keeps
            )
            response.headers.extend(self.says)
            compresses = self.compresses and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
            if self.buffers or compresses:
                whole = await answer.read()
                if compresses:
                    whole = gzip.compress(whole)
                    response.headers[hdrs.CONTENT_ENCODING] = "gzip"
                response.content_length = len(whole)
                await response.prepare(request)
                await response.write(whole)
                return response
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            return response
