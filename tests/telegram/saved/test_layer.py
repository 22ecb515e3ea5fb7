"""The table of what Telegram's layer has, against the layer that Telethon speaks."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from telethon.tl import TLObject, alltlobjects, types

from tgbridge.sandbox.seeds import seed
from tgbridge.sandbox.world.state import State
from tgbridge.telegram.saved.caption_html import FORMATTED
from tgbridge.telegram.saved.layer import LAYER, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# All constructors of these types are rows, and all fields of these types that a message may lead to.
KINDS: Final = (
    "Message",
    "MessageMedia",
    "MessageExtendedMedia",
    "StoryItem",
    "Photo",
    "Document",
    "PhotoSize",
    "VideoSize",
    "DocumentAttribute",
    "MessageEntity",
)
MODULES: Final = [value for value in vars(types).values() if inspect.ismodule(value)]
SPACES: Final = ("", *(f"{module.__name__.rpartition('.')[2]}." for module in MODULES))
FILES: Final = frozenset(
    {
        "MessageMedia",
        "MessageExtendedMedia",
        "StoryItem",
        "Photo",
        "Document",
        "WebDocument",
        "RichMessage",
        "PhotoSize",
        "VideoSize",
    }
)


class Host:
    """As much of a sandbox as its state needs."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir: Path | None = state_dir

    def now(self) -> float:
        return 1e9


def _all() -> Iterator[Any]:
    for module in (types, *MODULES):
        for made in vars(module).values():
            if inspect.isclass(made) and issubclass(made, TLObject) and made is not TLObject:
                yield made


BY_TYPE: Final[dict[int, list[Any]]] = {}
for constructor in _all():
    BY_TYPE.setdefault(constructor.SUBCLASS_OF_ID, []).append(constructor)


def constructors(of_type: str) -> Iterator[tuple[str, type[TLObject]]]:
    """The constructors of a type, by the schema's names; Telethon derives its own classes from some."""
    # Telethon's annotations leave namespaces out, but its ids of types are sums of their whole names.
    by_space = (BY_TYPE.get(crc32(f"{space}{of_type}".encode())) for space in SPACES)
    for made in next(filter(None, by_space)):
        base = next(base for base in inspect.getmro(made) if base.__module__.startswith(types.__name__))
        yield base.__name__, base


def fields(constructor: type[TLObject]) -> Iterator[tuple[str, str]]:
    """The names and types of a constructor's fields that hold further objects."""
    for parameter in inspect.signature(constructor.__init__).parameters.values():
        for of_type in re.findall(r"Type(\w+)", str(parameter.annotation)):
            yield parameter.name, of_type


def fields_with_files() -> set[str]:
    """All fields of FILES that a message may lead to."""
    found, seen, waiting = set(), {"Message"}, ["Message"]
    while waiting:
        for name, constructor in constructors(waiting.pop()):
            for field, of_type in fields(constructor):
                if of_type in FILES:
                    found.add(f"{name}.{field}")
                if of_type not in seen:
                    seen.add(of_type)
                    waiting.append(of_type)
    return found


def test_the_layer() -> None:
    """Telethon speaks the layer that the table was made for: another one is to be read first."""
    assert alltlobjects.LAYER == LAYER


def test_all_kinds_and_fields_are_in_the_table() -> None:
    """Nothing that may hold a file is overlooked, and no row speaks of what there is not."""
    there = {name for kind in KINDS for name, _ in constructors(kind)} | fields_with_files()
    rows = [row.name for row in TABLE]
    assert set(rows) == there
    assert len(rows) == len(set(rows))
    assert all(row.note for row in TABLE)


def test_the_search_finds_what_is_known_to_be_there() -> None:
    """It is no use if it finds nothing."""
    assert {"MessageMediaPhoto.video", "PollAnswer.media", "Page.photos"} <= fields_with_files()


def test_entities_that_make_tags() -> None:
    """Those of the table are those of the code."""
    entities = {name for name, _ in constructors("MessageEntity")}
    assert {kind.__name__ for kind in FORMATTED} == {
        row.name for row in TABLE if row.served and row.name in entities
    }


def test_the_sandbox_has_all_that_is_served(tmp_path: Path) -> None:
    """So that whatever we serve is tried over the wire. A custom emoji is never a message of its own."""
    state = State(Host(tmp_path), seed=seed)
    seen: set[str] = set()
    waiting: list[Any] = [message.to_dict() for message in state.account_of("+9996610001").history]
    while waiting:
        match waiting.pop():
            case {"_": name, **fields}:
                seen.add(name)
                waiting += fields.values()
            case [*several]:
                waiting += several
    state.close()
    of_media = {name for kind in KINDS if kind != "MessageEntity" for name, _ in constructors(kind)}
    served = {row.name for row in TABLE if row.served and row.name in of_media}
    assert served - seen == {"DocumentAttributeCustomEmoji"}
