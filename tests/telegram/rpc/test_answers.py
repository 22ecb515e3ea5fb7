"""An rpc_error becomes what it means."""

from __future__ import annotations

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import FloodWait, InternalError, SessionEnded, TelegramRefused
from tgbridge.telegram.mtproto.failures import ConnectionFailed, RpcFailed
from tgbridge.telegram.rpc.answers import translate_answers


@pytest.mark.parametrize(
    ("code", "message", "kind", "text"),
    [
        (420, "FLOOD_WAIT_7", FloodWait, "FLOOD_WAIT (7)"),
        (420, "FLOOD_PREMIUM_WAIT_9", FloodWait, "FLOOD_PREMIUM_WAIT (9)"),
        (500, "RPC_CALL_FAIL", InternalError, "internal error at Telegram: RPC_CALL_FAIL"),
        (-503, "Timeout", InternalError, "internal error at Telegram: TIMEOUT"),
        (401, "SESSION_REVOKED", SessionEnded, "SESSION_REVOKED"),
        (303, "FILE_MIGRATE_3", TelegramRefused, "FILE_MIGRATE (3)"),
    ],
)
async def test_each_answer_has_its_kind(code: int, message: str, kind: type[Exception], text: str) -> None:
    """By Telegram's name, without the number that it carries."""
    with pytest.raises(kind) as raised:
        await translate_answers(Script(RpcFailed(code, message)))(REQUEST, patience())
    assert (type(raised.value), str(raised.value)) == (kind, text)


async def test_what_is_no_answer_passes() -> None:
    """A lost connection is another piece's business."""
    with pytest.raises(ConnectionFailed):
        await translate_answers(Script(ConnectionFailed("reset")))(REQUEST, patience())
