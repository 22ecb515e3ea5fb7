"""What is remembered of uploads that have named themselves, for how long, and in how much memory."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tgbridge.settings import FilesSettings, TelegramSettings
from tgbridge.telegram.saved.delivery import Delivery
from tgbridge.telegram.saved.library import Library
from tgbridge.uploads import named as named_module
from tgbridge.uploads.named import NamedUploads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "my-upload_1"


class Scripted(Delivery):
    """A delivery that ends as it is told."""

    def __init__(self, *ids: int, in_doubt: bool = False) -> None:
        super().__init__((), "", TelegramSettings(), Library(FilesSettings()))
        self._ids = list(ids)
        self._doubtful = {1} if in_doubt else set()

    async def send(self, borrow: Any, on_wait: Any = None) -> list[int]:
        if not self._ids:
            raise ConnectionError
        return self._ids


@asynccontextmanager
async def borrow() -> AsyncIterator[Any]:
    yield None


async def deliver(
    named: NamedUploads, session: str, name: str | None, *ids: int, in_doubt: bool = False
) -> Any:
    delivery = Scripted(*ids, in_doubt=in_doubt)
    if ids:
        assert await named.deliver(session, name, delivery, borrow, lambda _: None) == list(ids)
    else:
        with pytest.raises(ConnectionError):
            await named.deliver(session, name, delivery, borrow, lambda _: None)
    return delivery


async def test_names() -> None:
    """Each belongs to one session; what has no name is not remembered."""
    named = NamedUploads()
    await deliver(named, "mine", NAME, 7, 8)
    await deliver(named, "mine", None, 9)
    assert named.find("mine", NAME) == (7, 8)
    assert named.find("another", NAME) is named.find("mine", "another-name") is None
    assert len(named) == 1


async def test_failures() -> None:
    """A name is free after one, unless the messages may be there: then they are still on their way."""
    named = NamedUploads()
    await deliver(named, "mine", NAME)
    assert named.find("mine", NAME) is None
    delivery = await deliver(named, "mine", NAME, in_doubt=True)
    assert named.find("mine", NAME) is delivery
    await deliver(named, "mine", NAME)
    assert named.find("mine", NAME) is None
    assert len(named) == 0


async def test_time() -> None:
    """After a while a name is free, and costs nothing."""
    named = NamedUploads(keep_seconds=0.0)
    await deliver(named, "mine", NAME, 7)
    assert named.find("mine", NAME) is None
    await deliver(named, "mine", "another-name", 8)
    await asyncio.sleep(0)
    await deliver(named, "mine", "a-third-name", 9)
    assert len(named) <= 1


async def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many names do not take more memory: the oldest are forgotten."""
    monkeypatch.setattr(named_module, "MOST", 3)
    named = NamedUploads()
    for number in range(1, 6):
        await deliver(named, "mine", f"upload-{number}", number)
    assert len(named) == 3
    assert [named.find("mine", f"upload-{number}") for number in range(1, 6)] == [
        None,
        None,
        (3,),
        (4,),
        (5,),
    ]


async def test_secrets() -> None:
    """A session is the key to an account, and may end: what is remembered does not tell it."""
    named = NamedUploads()
    await deliver(named, "1secret", NAME, 7)
    assert "secret" not in repr(vars(named))
