"""The example in a real Chromium, driven by Playwright: `make example-test`."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.browser.conftest import chromium
from tests.devices import device, scan
from tests.npm import installed
from tgbridge.sandbox.seeds import IDS
from tgbridge.sandbox.world.makers import photo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import MakeSettings, Serve
    from tests.nextjs.conftest import App
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.example, pytest.mark.timeout(600)]

HERE: Final = Path(__file__).parent
PICTURES: Final = HERE / "pictures"
PHONE: Final = "+9996610001"
PHONE_OF_UPLOADS: Final = "+9996610003"
GALLERY: Final = 2000


class Stage:
    """What a scenario asks for, beside its page."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self.sandbox = sandbox
        self.large = directory / "large.bin"

    def history(self, phone: str = PHONE) -> Any:
        return self.sandbox.state.account_of(phone).history

    async def total(self) -> dict[str, Any]:
        return {"total": sum(kind in {"photo", "video"} for kind in self.kinds())}

    async def scan(self, url: str) -> dict[str, Any]:
        async with device(self.sandbox, PHONE) as telephone:
            await scan(telephone, url)
        return {}

    async def revoke(self) -> dict[str, Any]:
        self.sandbox.faults.revoke(PHONE)
        return {}

    async def add(self, caption: str) -> dict[str, Any]:
        async with device(self.sandbox, PHONE) as telephone:
            [sunset] = [message async for message in telephone.iter_messages("me", ids=[IDS["photo"]])]
            message = await telephone.send_file("me", sunset.media, caption=caption)
        return {"id": message.id}

    async def edit(self, id: int, caption: str) -> dict[str, Any]:
        async with device(self.sandbox, PHONE) as telephone:
            await telephone.edit_message("me", id, caption)
        return {}

    async def delete(self, id: int) -> dict[str, Any]:
        async with device(self.sandbox, PHONE) as telephone:
            await telephone.delete_messages("me", [id])
        return {}
