"""A user's Saved Messages, the messages of private chats beside them, and the log of what happened to all.

They share one sequence of ids and one state. Only Saved Messages are listed; what is elsewhere is there to be
told apart from them.

Sources: https://core.telegram.org/api/updates, https://core.telegram.org/api/offsets
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Kind: TypeAlias = Literal["new", "edit", "delete"]

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Event:
    """A change: ``pts`` is the account's state after it, ``count`` by how much it has moved."""

    pts: int
    count: int
    kind: Kind
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Which of some messages are asked for: the fields that messages.getHistory and messages.search share."""

    offset_id: int
    add_offset: int
    limit: int
    max_id: int
    min_id: int

    @classmethod
    def of(cls, request: Any) -> Window:
        """Take the fields of a request."""
        limit = max(0, min(request.limit, MAX_PAGE))
        return cls(request.offset_id, request.add_offset, limit, request.max_id, request.min_id)

    def select(self, ids: Sequence[int], start: int | None = None) -> list[int]:
        """Choose of ascending ids, newest first.

        ``start`` is how many are older than the offset, where that is not given by its id.
        """
        low = bisect_right(ids, self.min_id) if self.min_id > 0 else 0
        high = bisect_left(ids, self.max_id) if self.max_id > 0 else len(ids)
        if start is None:
            start = bisect_left(ids, self.offset_id) if self.offset_id > 0 else len(ids)
        stop = max(min(start, high), low) - self.add_offset
        return list(reversed(ids[max(stop - self.limit, low) : max(min(stop, high), 0)]))


class History:
    """Messages in the order of their ids, which grow by one."""

    def __init__(self, user_id: int) -> None:
        self._user_id = user_id
        self._messages: dict[int, Any] = {}
        self._ids: list[int] = []
        self._events: list[Event] = []
        self._last_id = 0
        self.pts = 1
        self.listener: Callable[[Event, Any], None] | None = None
        """Is told of each event, with the message that is new or edited."""

    def __len__(self) -> int:
        """Count the messages."""
        return len(self._ids)

    def __iter__(self) -> Iterator[Any]:
        """Go through the messages, newest first, as they are stored: their media without file references."""
        return (self._messages[message_id] for message_id in reversed(self._ids.copy()))

    @property
    def ids(self) -> Sequence[int]:
        """The ids, ascending."""
        return self._ids

    def get(self, message_id: int) -> Any | None:
        """Look a message up, in any chat."""
        return self._messages.get(message_id)

    def older_than(self, date: datetime) -> int:
        """Count the messages before a time."""
        return bisect_left(self._ids, date, key=lambda message_id: self._messages[message_id].date)

    def add(
        self,
        text: str = "",
        *,
        media: Any = None,
        date: datetime | None = None,
        grouped_id: int | None = None,
        entities: Sequence[Any] | None = None,
        **fields: Any,
    ) -> types.Message:
        """Append a message; ``fields`` are further fields of Telegram's message constructor."""
        peer = types.PeerUser(self._user_id)
        message = types.Message(
            id=self._last_id + 1,
            peer_id=peer,
            from_id=peer,
            saved_peer_id=peer,
            date=date or datetime.now(UTC),
            message=text,
            media=media,
            grouped_id=grouped_id,
            entities=list(entities) if entities else None,
            **fields,
        )
        return self._append(message)

    def add_service(self, action: Any, *, date: datetime | None = None) -> types.MessageService:
        """Append a service message."""
        peer = types.PeerUser(self._user_id)
        message = types.MessageService(
            id=self._last_id + 1,
            peer_id=peer,
            from_id=peer,
            saved_peer_id=peer,
            date=date or datetime.now(UTC),
            action=action,
        )
        return self._append(message)

    def add_elsewhere(
        self, peer_id: int, text: str = "", *, media: Any = None, date: datetime | None = None
    ) -> types.Message:
        """Append a message of the private chat with another user, who has sent it."""
        peer = types.PeerUser(peer_id)
        message = types.Message(
            id=self._last_id + 1,
            peer_id=peer,
            from_id=peer,
            date=date or datetime.now(UTC),
            message=text,
            media=media,
        )
        return self._append(message)

    def edited(self, message: Any, date: datetime) -> Event:
        """Note that a message of this history was changed in place."""
        message.edit_date = date
        return self._note("edit", (message.id,), message)

    def delete(self, ids: Iterable[int]) -> Event:
        """Remove those of the messages that are there. The event's ids tell which; it may have none."""
        gone = tuple(i for i in dict.fromkeys(ids) if self._messages.pop(i, None) is not None)
        if not gone:
            return Event(self.pts, 0, "delete", ())
        for message_id in gone:
            index = bisect_left(self._ids, message_id)
            if self._ids[index : index + 1] == [message_id]:
                del self._ids[index]
        return self._note("delete", gone)

    def replay(self, kind: Kind, ids: Iterable[int], message: Any) -> None:
        """Let an event of an earlier life happen again."""
        if kind == "delete":
            self.delete(ids)
        elif kind == "new":
            self._append(message)
        else:
            self._messages[message.id] = message
            self._note("edit", (message.id,), message)

    def since(self, pts: int) -> list[Event]:
        """Give what happened after a state, oldest first."""
        return self._events[bisect_right(self._events, pts, key=lambda event: event.pts) :]

    def _append(self, message: Any) -> Any:
        self._last_id = message.id
        if getattr(message.peer_id, "user_id", None) == self._user_id:
            self._ids.append(message.id)
        self._messages[message.id] = message
        self._note("new", (message.id,), message)
        return message

    def _note(self, kind: Kind, ids: tuple[int, ...], message: Any = None) -> Event:
        self.pts += len(ids)
        event = Event(self.pts, len(ids), kind, ids)
        self._events.append(event)
        if self.listener is not None:
            self.listener(event, message)
        return event
