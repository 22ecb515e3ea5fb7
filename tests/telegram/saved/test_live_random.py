"""Pages that come and go, against what Saved Messages really hold: a thousand random changes and cuts."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from tgbridge.sandbox import telephone
from tgbridge.telegram.saved.changes import Deleted
from tgbridge.telegram.saved.library import Library
from tgbridge.telegram.saved.listening import Listening
from tgbridge.telegram.saved.lists import whole_list
from tgbridge.telegram.saved.reader import GivenWay, Over, Reload

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.saved.live import Position
    from tgbridge.telegram.saved.reader import News, PageReader
