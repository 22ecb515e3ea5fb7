"""An account's Saved Messages as they change: followed through whichever of its sessions listen.

All sessions of an account have one state at Telegram (pts). Each that listens is told what the others do, and
hears of its own changes by the answers to its requests; so each change is heard once or more, and counts
once, in its turn. What a connection has lost is asked for (updates.getDifference).

Source: https://core.telegram.org/api/updates. ``AccountLibrary`` has one of these, as ``live``.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from telethon.tl import functions, types

from tgbridge.errors import SessionEnded, TelegramFailure, TelegramRefused
from tgbridge.telegram.saved.meaning import Meaning, Position
from tgbridge.telegram.saved.shown import Shown
from tgbridge.telegram.updates.reading import Unknown
from tgbridge.telegram.updates.sequence import MOST_WAITING, Piece, Sequence

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from collections.abc import Sequence as Several

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.meaning import Happened, Memory
    from tgbridge.telegram.saved.shown import Tally

STATE_SECONDS: Final = 60.0
"""How long a state is given out again without asking: an older one replays more, and misses nothing."""

MOST_MISSED: Final = 5000
"""Events of all an account's chats that are asked for again; with more, lists are read anew instead."""

_PAGE: Final = 100  # messages, the most that messages.getHistory answers
_SLICE: Final = 200  # events at a time, so that what is missed is never much in memory
_NEVER_WAS: Final = "PERSISTENT_TIMESTAMP"


class Source(Protocol):
    """A session that listens."""

    in_sync: bool

    def stir(self) -> None:
        """Ask for what it has missed."""

    def expect(self) -> None:
        """Ask for what is missing, unless it comes within a moment."""


class Reader(Protocol):
    """Somebody who wants to know."""

    def take(self, happened: Happened) -> None:
        """Take note of a step. Quick, and raises nothing."""

    def start_anew(self) -> None:
        """Take note that what has happened can't be told."""


class Live:
    """Of one account: its state, who listens, and who wants to know."""

    def __init__(self, memory: Memory, tally: Tally) -> None:
        self.shown = Shown(tally)
        self._memory = memory
        self._meaning = Meaning(memory, self.shown)
        self._sources: set[Source] = set()
        self._readers: dict[Reader, None] = {}
        self._sequence: Sequence | None = None
        self._asking = asyncio.Lock()
        self._early: list[Piece] = []  # told before the state was
        self._known: tuple[int, float] | None = None  # a state, and when it was asked for
        self._qts = 0

    @property
    def busy(self) -> bool:
        """Whether somebody listens, so that this must not be forgotten."""
        return bool(self._sources)

    @property
    def is_followed(self) -> bool:
        """Whether somebody listens who misses nothing."""
        return self._sequence is not None and any(source.in_sync for source in self._sources)

    @property
    def is_shared(self) -> bool:
        """Whether several sessions listen, each of which hears for all."""
        return len(self._sources) > 1

    @property
    def has_gap(self) -> bool:
        """Whether something has come before what it follows."""
        return self._sequence is not None and self._sequence.has_gap

    @property
    def position(self) -> Position:
        """Up to where everything has been told."""
        return Position(0 if self._sequence is None else self._sequence.pts, self.shown.life)

    def has_told(self, pts: int) -> bool:
        """Whether all that has led to a state has been told."""
        return self.is_followed and pts <= self.position.pts

    async def state(self, client: BridgeClient) -> Position:
        """Return a state no newer than whatever is read after it, by a request if need be.

        Raises TelegramFailure kinds.
        """
        if self.is_followed:
            return self.position
        now = asyncio.get_running_loop().time()
        if self._known is None or now - self._known[1] > STATE_SECONDS:
            self._known = (await self._ask_state(client)).pts, now
        return Position(self._known[0], self.shown.life)

    async def _ask_state(self, client: BridgeClient) -> types.updates.State:
        state: types.updates.State = await client.patiently(functions.updates.GetStateRequest())
        self._qts = state.qts
        return state

    # Listening

    async def join(self, source: Source, client: BridgeClient) -> None:
        """Follow the account through a session, whose client hears from now on; or go on after a loss.

        Raises TelegramFailure kinds; the session has joined all the same, and may ask again.
        """
        self._sources.add(source)
        async with self._asking:
            unbroken = self._sequence is not None
            if self._sequence is None:
                await self._begin(client)
            else:
                unbroken = await self._catch_up(client)
            source.in_sync = True
            self._memory.trust(unbroken=unbroken)

    def lose(self, source: Source) -> None:
        """Take note that a session may have missed something."""
        source.in_sync = False
        if not any(other.in_sync for other in self._sources):
            self._memory.distrust()

    def leave(self, source: Source) -> None:
        """Follow no longer through a session."""
        self._sources.discard(source)
        self.lose(source)
        if not self._sources:
            self._sequence = None
            self.shown.incomplete()

    async def complete(self, client: BridgeClient) -> None:
        """Get to know the newest messages, so that it is known which ids are theirs. Raises SessionEnded."""
        async with self._asking:
            if self.shown.is_complete or self._sequence is None:
                return
            request = functions.messages.GetHistoryRequest(
                types.InputPeerSelf(), offset_id=0, offset_date=None, add_offset=0, limit=_PAGE,
                max_id=0, min_id=0, hash=0,
            )  # fmt: skip
            asked_at = _now()
            try:
                page = await client.patiently(request)
                self._memory.remember(page.messages, asked_at=asked_at)
                await self._catch_up(client)
            except SessionEnded:
                raise
            except TelegramFailure:
                return  # then more is in doubt
            whole = isinstance(page, types.messages.Messages) or not page.messages
            oldest = 0 if whole else min(message.id for message in page.messages)
            self.shown.complete(oldest, self._sequence.pts)

    def hear(self, source: Source, found: Several[Piece] | Unknown) -> None:
        """Take what a session was told."""
        if found is Unknown.RESET:
            self._sequence = None
        if isinstance(found, Unknown):
            self.lose(source)
            source.stir()
            return
        if self._sequence is None:
            self._early = [*self._early, *found][-MOST_WAITING:]
            return
        self._apply(self._sequence.take(*found))
        if self.has_gap:
            source.expect()

    async def fill_gap(self, client: BridgeClient) -> None:
        """Ask for what is missing, if anything still is. Raises TelegramFailure kinds."""
        async with self._asking:
            if self.has_gap:
                await self._catch_up(client)

    async def _catch_up(self, client: BridgeClient) -> bool:
        """Ask for all that has happened since the state that is known; False if that can't be told."""
        sequence = self._sequence
        if sequence is None:
            return False
        sequence.hold()
        try:
            async for step in self._steps(client, sequence.pts, in_turn=True):
                if step is None:
                    self._sequence = None
                    await self._begin(client)
                    return False
                for happened in step:
                    self._tell(happened)
                sequence.advance(step[-1].through)
        finally:
            sequence.held = False
        self._apply(sequence.take())
        return True

    async def _begin(self, client: BridgeClient) -> None:
        """Go on from the state of now; whoever wanted to know has to read anew what there is."""
        sequence = Sequence((await self._ask_state(client)).pts)
        self._sequence = sequence
        early, self._early = self._early, []
        if self._readers:
            self._memory.clear()
        for reader in tuple(self._readers):
            reader.start_anew()
        self._apply(sequence.take(*early))

    # Reading

    def add(self, reader: Reader) -> None:
        """Tell a reader of each step from now on."""
        self._readers[reader] = None

    def remove(self, reader: Reader) -> None:
        """Tell a reader no more."""
        self._readers.pop(reader, None)

    async def missed(self, client: BridgeClient, pts: int) -> AsyncGenerator[list[Happened] | None, None]:
        """Tell what has happened since an earlier state, some steps at a time; None if that can't be told.

        Raises TelegramFailure kinds.
        """
        async for step in self._steps(client, pts, in_turn=False):
            yield step

    async def _steps(
        self, client: BridgeClient, pts: int, *, in_turn: bool
    ) -> AsyncGenerator[list[Happened] | None, None]:
        """``in_turn``: whatever is newer than an answer comes after it, and nothing has yet."""
        while True:
            asked_at = _now()
            try:
                answer = await client.patiently(
                    functions.updates.GetDifferenceRequest(
                        pts=pts,
                        date=datetime.now(UTC),
                        qts=self._qts,
                        pts_limit=_SLICE,
                        pts_total_limit=MOST_MISSED,
                    )
                )
            except TelegramRefused as error:
                if not error.name.startswith(_NEVER_WAS):
                    raise
                yield None
                return
            at = _now() if in_turn else asked_at
            match answer:
                case types.updates.DifferenceSlice(intermediate_state=state):
                    yield self._meaning.of_difference(answer, pts, state.pts, at)
                    if state.pts <= pts:  # which would be asked for ever
                        yield None
                        return
                    pts = state.pts
                case types.updates.Difference(state=state):
                    yield self._meaning.of_difference(answer, pts, state.pts, at)
                    return
                case types.updates.DifferenceTooLong():
                    yield None
                    return
                case _:  # nothing has happened
                    return

    # Telling

    def _apply(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._tell(self._meaning.of_update(piece.update, piece.pts, _now()))

    def _tell(self, happened: Happened) -> None:
        for reader in tuple(self._readers):
            reader.take(happened)


def _now() -> float:
    return asyncio.get_running_loop().time()
