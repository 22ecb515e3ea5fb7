"""tus, creation-defer-length: files whose length their sender tells later."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import stored
from tests.web.routes.tus_client import EMPTY, TOO_LARGE, begin, head, patch, problem, state

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import SignedInTo

MIB = 1024 * 1024
NOISE = random.Random(11).randbytes(MIB)
LENGTH_CHANGED = problem(
    "UPLOAD_LENGTH_CHANGED", "The upload's length is known already, or fewer than the bytes that came."
)
pytestmark = pytest.mark.usefixtures("only_tails_are_held")


async def test_length_that_comes_later(signed_in: ClientSession) -> None:
    """It may come with any request, and does not change any more."""
    path = await begin(signed_in)
    await patch(signed_in, path, 0, NOISE[:10])
    assert (await patch(signed_in, path, 10, Upload_Length=9)).body == LENGTH_CHANGED
    assert (await patch(signed_in, path, 10, NOISE[10:20], Upload_Length=100)).offset == 20
    assert (await patch(signed_in, path, 20, Upload_Length=99)).body == LENGTH_CHANGED
    assert (await patch(signed_in, path, 20, Upload_Length=100)).offset == 20
    assert (await patch(signed_in, path, 20, NOISE[20:100])).message_id is not None


async def test_length_that_is_refused(signed_in: ClientSession) -> None:
    """A request that is refused does not settle the length either."""
    path = await begin(signed_in)
    answer = await patch(signed_in, path, 0, NOISE[:5], Upload_Length=3)
    assert (answer.status, answer.body["code"]) == (413, "UPLOAD_LENGTH_EXCEEDED")
    assert state(await head(signed_in, path)) == {"Upload-Offset": "0", "Upload-Defer-Length": "1"}
    assert (await patch(signed_in, path, 0, NOISE[:5], Upload_Length=5)).message_id is not None


async def test_length_that_comes_last(signed_in: ClientSession) -> None:
    """It may come when all bytes have."""
    path = await begin(signed_in)
    await patch(signed_in, path, 0, NOISE[:MIB])
    answer = await patch(signed_in, path, MIB, Upload_Length=MIB)
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[:MIB]


async def test_length_of_nothing(signed_in: ClientSession) -> None:
    """A file that turns out to be empty is none."""
    path = await begin(signed_in)
    answer = await patch(signed_in, path, 0, Upload_Length=0)
    assert (answer.status, answer.body) == (400, EMPTY)
    assert (await head(signed_in, path)).status == 410


async def test_length_that_is_too_much(signed_in_to: SignedInTo) -> None:
    """A file of unknown length ends at the limit."""
    _, browser = await signed_in_to(upload={"max_bytes": 100})
    path = await begin(browser)
    assert (await patch(browser, path, 0, NOISE[:100])).status == 204
    answer = await patch(browser, path, 100, NOISE[:1])
    assert (answer.status, answer.body["error"]) == (413, TOO_LARGE["error"])
    assert (await head(browser, path)).status == 410


async def test_length_that_is_known_to_be_too_much(signed_in: ClientSession) -> None:
    """A length beyond what the account may send is refused at once, and for good."""
    path = await begin(signed_in)
    answer = await patch(signed_in, path, 0, NOISE[:100], Upload_Length=2000 * MIB + 1)
    assert (answer.status, answer.body["error"]) == (413, TOO_LARGE["error"])
    assert (await head(signed_in, path)).status == 410
