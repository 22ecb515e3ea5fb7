"""What whoever debugs sees of the calls to Telegram: method, data centre, outcome, time; never content."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import TelegramFailure
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience

_log: Final = logging.getLogger(__name__)


def log_calls(call: Call, where: Callable[[], int]) -> Call:
    """Log each attempt at level DEBUG; ``where`` tells the data centre's number.

    To be put around `translate_answers`: what a server writes in its errors is nothing to be logged.
    """

    async def logged(request: TLRequest, patience: Patience) -> Any:
        if not _log.isEnabledFor(logging.DEBUG):
            return await call(request, patience)
        began, dc_id, outcome = now(), where(), "given up"
        try:
            answer = await call(request, patience)
            outcome = "answered"
        except (ConnectionFailed, TelegramFailure) as error:
            outcome = str(error)
            raise
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            seconds = now() - began
            _log.debug("%s at data centre %d: %s, %.3f s", method(request), dc_id, outcome, seconds)
        return answer

    return logged


def method(request: TLRequest) -> str:
    """Return Telegram's name of a request: ``upload.getFile`` for GetFileRequest of functions.upload."""
    return _name_of(type(request))  # type: ignore[arg-type]  # mypy takes no class for hashable


@cache
def _name_of(kind: type[TLRequest]) -> str:
    stem = kind.__name__.removesuffix("Request")
    stem = stem[0].lower() + stem[1:]
    space = kind.__module__.rpartition(".")[2]
    return stem if space == "functions" else f"{space}.{stem}"
