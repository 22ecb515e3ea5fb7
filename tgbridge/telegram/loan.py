"""A session's client, lent for as long as it is needed, with pauses in which others may have its place."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from types import TracebackType

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool


class Loan:
    """Borrows from a pool when a client is asked for. Leaving its context puts the client back."""

    def __init__(self, pool: ClientPool, session: str, *, account: Hashable = None) -> None:
        self._pool = pool
        self._session = session
        self.account = account
        """Whose session it is."""
        self._stack: AsyncExitStack | None = None
        self._client: BridgeClient | None = None

    async def __aenter__(self) -> Self:
        """Borrow nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Put the client back, and let the pool know by which error the loan has ended."""
        if self._client is not None and self._stack is not None:
            self._client = None
            await self._stack.__aexit__(kind, error, traceback)

    async def client(self, meanwhile: Callable[[BridgeClient], None] | None = None) -> BridgeClient:
        """Return the client, connected; another one, perhaps, after it was put back. Raises as `borrow`.

        ``meanwhile`` is called with it if it is borrowed now, which may be before it is connected.
        """
        if self._client is None:
            if self._stack is None:
                self._stack = AsyncExitStack()
            lent = self._pool.borrow(self._session, account=self.account, meanwhile=meanwhile)
            self._client = await self._stack.enter_async_context(lent)
        return self._client

    @property
    def is_vouched_for(self) -> bool:
        """Whether Telegram has answered the session within VOUCHED_SECONDS."""
        return self._pool.vouches_for(self._session)

    async def vouch(self) -> None:
        """Make sure that the session lives, before it is given what needs no question to Telegram.

        Asks if Telegram has not answered it for VOUCHED_SECONDS: it may have been ended elsewhere. Raises
        SessionEnded and other TelegramFailure kinds, and as `borrow`.
        """
        if not self.is_vouched_for:
            await (await self.client()).vouch()

    async def put_back(self) -> None:
        """Put the client back, until it is asked for again. Idempotent."""
        self._client = None
        if self._stack is not None:
            await self._stack.aclose()
