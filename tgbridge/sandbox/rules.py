"""The faults that concern calls of methods, one class each: which calls, and what becomes of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, with_config
from telethon.tl import types
from typing_extensions import TypedDict  # typing's own has no validation before Python 3.12

from tgbridge.sandbox.buckets import Bucket
from tgbridge.sandbox.dispatch import NO_ANSWER, RpcError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tgbridge.sandbox.dispatch import Call


@with_config(ConfigDict(strict=True, extra="forbid"))
class Scope(TypedDict, total=False):
    """To which calls a rule applies, as `Rule` describes it."""

    times: int | None
    skip: int
    dc: int | None
    account: int | None
    auth_key: str | None


@dataclass(slots=True, eq=False, kw_only=True)
class Rule:
    """To which calls it applies; how, the classes that derive from it say."""

    method: str
    """Telegram's name, "upload.*" for all of a name space, "*" for all."""
    times: int | None = 1
    """To how many calls; None: to all."""
    skip: int = 0
    """How many go well first."""
    dc: int | None = None
    account: int | None = None
    auth_key: str | None = None
    applied: int = 0
    """To how many it was applied so far."""

    def take(self, call: Call) -> bool:
        """Decide whether it applies to a call, and count it."""
        if not self._concerns(call) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.applied += 1
        return True

    def _concerns(self, call: Call) -> bool:
        if not (self.method in ("*", call.method) or _in_space(call.method, self.method)):
            return False
        if self.dc not in (None, call.dc.id) or self.auth_key not in (None, call.auth_key.name):
            return False
        if self.account is None:
            return True
        authorization = call.auth_key.authorization
        return authorization is not None and authorization.account.id == self.account

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Give what the call comes to; ``answer`` is what it would have come to. May raise RpcError."""
        raise NotImplementedError

    def withdraw(self) -> None:
        """Stop to hold on to calls, since the rule is taken away."""


def _in_space(method: str, pattern: str) -> bool:
    return pattern.endswith(".*") and method.startswith(pattern[:-1])


async def _executed(answer: Callable[[], Awaitable[Any]]) -> None:
    """Execute the method; an error is lost as any other answer."""
    with suppress(RpcError):
        await answer()


@dataclass(slots=True, eq=False, kw_only=True)
class Error(Rule):
    """Answers an error; the method is not executed."""

    code: int
    message: str

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002
        """Raise the error."""
        raise RpcError(self.code, self.message)


@dataclass(slots=True, eq=False, kw_only=True)
class Limit(Rule):
    """Answers FLOOD_WAIT or FLOOD_PREMIUM_WAIT to calls for which a key's bucket has no token."""

    per_second: float
    burst: float
    wait: float
    rising: float = 1.5
    premium: bool = False
    waits: int = 0
    """How many waits were imposed, on all keys together."""
    waited: float = 0.0
    """How many seconds they were, together."""
    _buckets: dict[str, Bucket] = field(default_factory=dict, repr=False)

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Take a token, and answer, or raise the wait."""
        bucket = self._buckets.get(call.auth_key.name)
        if bucket is None:
            bucket = self._buckets[call.auth_key.name] = Bucket(
                per_second=self.per_second, burst=self.burst, wait=self.wait, rising=self.rising
            )
        seconds = bucket.take(asyncio.get_running_loop().time())
        self.waits = sum(bucket.waits for bucket in self._buckets.values())
        self.waited = sum(bucket.waited for bucket in self._buckets.values())
        if seconds:
            raise RpcError(420, f"FLOOD_{'PREMIUM_' if self.premium else ''}WAIT_{seconds}")
        return await answer()


@dataclass(slots=True, eq=False, kw_only=True)
class Drop(Rule):
    """Breaks the connection off instead of answering. ``executed``: the method is executed all the same."""

    executed: bool = False

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Close the connection by a reset."""
        if self.executed:
            await _executed(answer)
        call.connection.abort()
        return NO_ANSWER


@dataclass(slots=True, eq=False, kw_only=True)
class Silence(Rule):
    """Answers nothing, while the connection stays open. ``executed``: the method is executed all the same."""

    executed: bool = False
    connection: bool = False
    """Whether nothing that arrives on this connection afterwards is answered either."""

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Give no answer."""
        if self.connection:
            call.connection.silent = True
        if self.executed:
            await _executed(answer)
        return NO_ANSWER


@dataclass(slots=True, eq=False, kw_only=True)
class Short(Rule):
    """Cuts the bytes of an upload.file. ``keep``: how many are left, None: half of them."""

    keep: int | None = None

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002
        """Give the first bytes."""
        result = await answer()
        if isinstance(result, types.upload.File | types.upload.CdnFile):
            result.bytes = result.bytes[: len(result.bytes) // 2 if self.keep is None else self.keep]
        return result


@dataclass(slots=True, eq=False, kw_only=True)
class Alter(Rule):
    """Gives one wrong byte among those of an upload.file or upload.cdnFile: the last."""

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002
        """Give as many bytes as there are."""
        result = await answer()
        if isinstance(result, types.upload.File | types.upload.CdnFile) and result.bytes:
            result.bytes = result.bytes[:-1] + bytes((result.bytes[-1] ^ 1,))
        return result


@dataclass(slots=True, eq=False, kw_only=True)
class Throttle(Rule):
    """Answers, from then on at so many bytes a second for all that is sent on the same connection."""

    bytes_per_second: float

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Slow the connection down, then answer."""
        call.connection.path.limit = self.bytes_per_second
        return await answer()


@dataclass(slots=True, eq=False, kw_only=True)
class Slow(Rule):
    """Takes some more seconds for the answer; calls are delayed side by side."""

    seconds: float

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002
        """Wait, then answer."""
        await asyncio.sleep(self.seconds)
        return await answer()


@dataclass(slots=True, eq=False, kw_only=True)
class Hold(Rule):
    """Holds calls, or answers if ``executed``, until they are released: tests need no clock then."""

    executed: bool = False
    held: int = 0
    """How many calls wait at the moment."""
    _released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition, repr=False)

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002
        """Wait for the release, then answer."""
        outcome = await asyncio.gather(answer(), return_exceptions=True) if self.executed else []
        await self._count(1)
        try:
            await self._released.wait()
        finally:
            await self._count(-1)
        for late in outcome:
            if isinstance(late, BaseException):
                raise late
            return late
        return await answer()

    async def _count(self, change: int) -> None:
        async with self._changed:
            self.held += change
            self._changed.notify_all()

    async def reached(self, count: int) -> None:
        """Wait until so many calls are held at the same time."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.held >= count)

    def release(self) -> None:
        """Let all go, those that come later too."""
        self._released.set()

    def withdraw(self) -> None:
        """Let all go."""
        self.release()
