"""A request on its way to an answer, and what stands before requests."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from telethon.tl import functions
from telethon.tl.alltlobjects import LAYER

from tgbridge.telegram.mtproto.serialisation import Nothing, serialise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telethon.tl import TLRequest

    from tgbridge.telegram.mtproto.encryption import Buffer

NOTHING: Final = Nothing()
_WITHOUT_UPDATES: Final = bytes(functions.InvokeWithoutUpdatesRequest(NOTHING))


class Preamble(NamedTuple):
    """What stands before requests: `first` until the server has answered one that it stood before."""

    first: bytes
    later: bytes = b""


def init_connection(hello: functions.InitConnectionRequest, *, updates: bool) -> Preamble:
    """Say who we are, as https://core.telegram.org/api/invoking has it.

    A session that has made a request with `updates` is sent the account's updates from then on, and before
    anybody is signed in those of the login (updateLoginToken).
    """
    first = functions.InitConnectionRequest(
        api_id=hello.api_id,
        device_model=hello.device_model,
        system_version=hello.system_version,
        app_version=hello.app_version,
        system_lang_code=hello.system_lang_code,
        lang_pack=hello.lang_pack,
        lang_code=hello.lang_code,
        query=NOTHING,
        params=hello.params,
    )
    if updates:
        return Preamble(bytes(functions.InvokeWithLayerRequest(LAYER, first)))
    quiet = functions.InvokeWithoutUpdatesRequest(first)
    return Preamble(bytes(functions.InvokeWithLayerRequest(LAYER, quiet)), _WITHOUT_UPDATES)


class Call:
    """A request and, in time, its answer. `after` is another call here, to be carried out before.

    `repeatable`: it may be sent again where nobody knows whether the server has received it. `patience`: the
    seconds after which it counts as lost if other answers came, or nothing did.
    """

    __slots__ = (
        "_pieces",
        "acknowledged",
        "after",
        "answer",
        "initialises",
        "msg_id",
        "packed",
        "patience",
        "repeatable",
        "request",
        "sent_at",
        "tries",
    )

    def __init__(
        self,
        request: TLRequest,
        after: Call | None = None,
        *,
        repeatable: bool = True,
        patience: float = math.inf,
    ) -> None:
        self.request = request
        self.patience = patience
        self.after = after
        self.repeatable = repeatable
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.acknowledged: Callable[[], object] | None = None
        """Is called when the server has acknowledged it, which is not its answer."""
        self.msg_id = 0
        self.tries = 0
        self.initialises = False
        self.sent_at = 0.0
        self.packed: Sequence[Buffer] = ()
        """What was sent of it last."""
        self._pieces = serialise(request)

    def pack(self, preamble: bytes) -> Sequence[Buffer]:
        """Return what is to be sent, in pieces."""
        pieces: list[Buffer] = [preamble] if preamble else []
        if self.after is not None and self.after.msg_id and not self.after.answer.done():
            pieces.append(bytes(functions.InvokeAfterMsgRequest(self.after.msg_id, NOTHING)))
        self.packed = (*pieces, *self._pieces)
        return self.packed

    def succeed(self, result: Any) -> None:
        """Let the caller have the answer."""
        if not self.answer.done():
            self.answer.set_result(result)

    def fail(self, error: Exception) -> None:
        """Let the caller know that there will be no answer here."""
        if not self.answer.done():
            self.answer.set_exception(error)
