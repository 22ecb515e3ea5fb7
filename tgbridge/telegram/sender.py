"""The main connection: Telethon's MTProtoSender, with an end to every wait.

What is different, by override and never by patching:

- A request that nobody waits for any more is forgotten: it is not sent again after a reconnection, and its
  late answer is dropped unread.
- When the connection is gone for good, whoever waits gets an error; Telethon cancels, which looks like a
  cancellation of the waiter's own task, or forgets what was not yet sent.
- A request that must not be repeated (repeatable.py) is not sent again once it may have been written.
- A reconnection is bounded in time, backs off, and greets the server anew (initConnection) before anything
  else. A request that takes the connection down each time is not asked for ever.
- Updates go to who listens, and not into Telethon's queue: nothing consumes it, so that it would only grow.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from telethon import helpers
from telethon.extensions.messagepacker import MessagePacker
from telethon.network import ConnectionTcpAbridged, MTProtoSender
from telethon.network.mtprotoplainsender import MTProtoPlainSender
from telethon.network.requeststate import RequestState
from telethon.tl import TLRequest
from telethon.tl.functions import PingRequest
from telethon.tl.functions.auth import LogOutRequest

from tgbridge.errors import AnswerLost
from tgbridge.telegram.futures import look_at
from tgbridge.telegram.mtproto import rsa_keys
from tgbridge.telegram.mtproto.failures import ProtocolViolated
from tgbridge.telegram.mtproto.key_exchange import create_key
from tgbridge.telegram.repeatable import innermost, may_be_repeated
from tgbridge.telegram.shared_state import SharedState
from tgbridge.telegram.telethon_log import LOGGERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from telethon.crypto import AuthKey

    from tgbridge.telegram.mtproto.auth_key import KeyState

# Of connecting, where Telegram hangs up now and then; by and by if somebody waits for a reconnection.
_ATTEMPTS: Final = 3
_FIRST_DELAY_SECONDS: Final = 0.1
_LONGEST_DELAY_SECONDS: Final = 2.0
# A request that is sent so often, and each time the connection breaks, is given up.
_SENDINGS: Final = 4
# auth.logOut is sometimes acknowledged and never answered.
_LOGOUT_GRACE_SECONDS: Final = 1.0


class Answer(asyncio.Future[Any]):
    """The answer to a request. Whoever gives up waiting for it withdraws the request at once."""

    def __init__(self, withdraw: Callable[[], None]) -> None:
        super().__init__()
        self._withdraw: Callable[[], None] | None = withdraw
        self.sendings = 1

    def cancel(self, msg: Any | None = None) -> bool:
        """Give up, before the event loop gets to read another answer."""
        if self._withdraw is not None:
            self._withdraw()
            self._withdraw = None
        return super().cancel(msg)

    # Telethon sets results without looking whether somebody was quicker; that would end its handling of a
    # container.
    def set_result(self, result: Any, /) -> None:
        """Take the first answer, ignore others."""
        self._withdraw = None
        if not self.done():
            super().set_result(result)

    def set_exception(self, exception: Any, /) -> None:
        """Take the first answer, ignore others."""
        self._withdraw = None
        if not self.done():
            super().set_exception(exception)


class BridgeConnection(ConnectionTcpAbridged):  # type: ignore[misc]  # Telethon has no types
    """The least overhead, no checksums (https://core.telegram.org/mtproto/mtproto-transports#abridged)."""

    def again(self) -> BridgeConnection:
        """Another one to the same address, without what is left in the queues of this one."""
        return BridgeConnection(self._ip, self._port, self._dc_id, loggers=LOGGERS)

    def _send(self, data: bytes) -> None:
        # Before Telethon has noticed; uvloop would raise RuntimeError, which is logged as a fault of ours.
        if self._writer.transport.is_closing():
            raise ConnectionResetError("the server closed the connection")
        super()._send(data)

    async def disconnect(self) -> None:
        """Close the socket, also one that was never used or whose peer does not read."""
        if self._writer is not None and (
            not self._connected or self._writer.transport.get_write_buffer_size()
        ):
            self._writer.transport.abort()
        await super().disconnect()


class BridgeSender(MTProtoSender):  # type: ignore[misc]  # Telethon has no types
    """One MTProto session, one connection at a time; ``patience``: how many seconds it may stay lost.

    ``of_key`` is what is known of the key, and is kept up to date. ``greet`` wraps the first request of a
    session; ``hear`` is called with updates, and with None where some may have been lost.
    """

    _connection: BridgeConnection

    def __init__(
        self,
        auth_key: AuthKey | None,
        of_key: KeyState,
        *,
        patience: float,
        greet: Callable[[TLRequest], TLRequest],
        hear: Callable[[Any], None],
    ) -> None:
        # connect_timeout is the caller's: asyncio.wait_for inside Telethon could swallow a cancellation.
        super().__init__(
            auth_key, loggers=LOGGERS, retries=_ATTEMPTS - 1, delay=_FIRST_DELAY_SECONDS, connect_timeout=None
        )
        self._state = SharedState(self.auth_key, of_key)
        self._send_queue = MessagePacker(self._state, loggers=LOGGERS)
        self._patience = patience
        self._greet = greet
        self._hear = hear
        self._lost_at: float | None = None
        self._fruitless = 0
        self._asked = asyncio.Event()
        self._heard_at = 0.0

    @property
    def session_id(self) -> int:
        """MTProto's session id; another one after each reconnection."""
        return int(self._state.id)

    def send(self, request: TLRequest, ordered: bool = False) -> Answer:  # noqa: ARG002 - Telethon's signature
        """Queue ``request``; the future raises what comes of it. Raises ConnectionError if not connected."""
        if not self._user_connected:
            raise ConnectionError("not connected")
        state = RequestState(request)
        state.future = answer = Answer(lambda: self._forget(state))
        self._send_queue.append(state)
        self._asked.set()
        return answer

    def suspect(self, since: float) -> None:
        """Connect anew if nothing at all was heard since ``since`` (by the loop's clock)."""
        if self._heard_at < since:
            self._start_reconnect(TimeoutError("the peer is silent"))

    def _forget(self, state: RequestState) -> None:
        if self._pending_state.get(state.msg_id) is state:
            del self._pending_state[state.msg_id]
        elif state in self._send_queue._deque:  # noqa: SLF001 - Telethon has no other way to take one back
            self._send_queue._deque.remove(state)  # noqa: SLF001

    async def _try_gen_auth_key(self, attempt: int) -> bool:  # noqa: ARG002 - Telethon's signature
        plain = MTProtoPlainSender(self._connection, loggers=self._loggers)
        try:
            # Quicker than Telethon's, checked, and it tells the first salt, which spares a round trip.
            key = await create_key(plain.send, rsa_keys.known)
        except (ProtocolViolated, AssertionError) as error:
            raise ConnectionError("no key could be agreed on") from error
        self.auth_key.key = key.key
        self._state.salt, self._state.time_offset = key.state.salt, key.state.time_offset
        return True

    async def _process_message(self, message: Any) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._lost_at = None
        await super()._process_message(message)

    async def _handle_rpc_result(self, message: Any) -> None:
        # Not any message will do: a server may greet us, and hang up at the first question.
        self._fruitless = 0
        # Telethon logs the content of an answer that nobody waits for.
        if message.obj.req_msg_id in self._pending_state:
            await super()._handle_rpc_result(message)

    async def _handle_ack(self, message: Any) -> None:
        loop = asyncio.get_running_loop()
        for msg_id in message.obj.msg_ids:
            state = self._pending_state.get(msg_id)
            if state is not None and isinstance(innermost(state.request), LogOutRequest):
                loop.call_later(_LOGOUT_GRACE_SECONDS, self._believe_logout, state)

    def _believe_logout(self, state: RequestState) -> None:
        self._forget(state)
        state.future.set_result(True)

    async def _handle_update(self, message: Any) -> None:
        self._hear(message.obj)

    def _store_own_updates(self, obj: Any, **_: Any) -> None:
        pass

    def _start_reconnect(self, error: Exception | None) -> None:
        if self._lost_at is None:
            self._lost_at = asyncio.get_running_loop().time()
        super()._start_reconnect(error)

    async def _reconnect(self, last_error: Exception | None) -> None:
        """Connect anew, again and again until ``patience`` is over, then fail whatever waits."""
        error: Exception = last_error or ConnectionError("the connection was lost")
        # A last message may have come just now, which makes this the first loss again.
        lost_at = asyncio.get_running_loop().time() if self._lost_at is None else self._lost_at
        try:
            async with asyncio.timeout_at(lost_at + self._patience):
                await self._stop()
                while self._user_connected:
                    await self._pause()
                    self._fruitless += 1
                    self._state.reset()
                    self._connection = self._connection.again()
                    try:
                        await self._connect()
                    except OSError as lost:
                        error = lost
                    else:
                        break
        except Exception as lost:  # noqa: BLE001 - every waiting request raises it
            self._reconnecting = False
            await self._disconnect(error=error if isinstance(lost, TimeoutError) else lost)
            return
        # The new loops have not run yet: they would end if they still saw True here.
        self._reconnecting = False
        if self._user_connected:
            self._send_again()

    async def _pause(self) -> None:
        """Wait: a server that accepts and hangs up at once must not be asked in a tight loop."""
        if self._fruitless == 0:
            return
        longest = min(_FIRST_DELAY_SECONDS * 2.0**self._fruitless, _LONGEST_DELAY_SECONDS)
        self._asked.clear()
        await asyncio.sleep(_FIRST_DELAY_SECONDS)
        with suppress(TimeoutError):
            # Whoever asks now finds out at once whether the server is back.
            async with asyncio.timeout(longest * random.uniform(0.5, 1.0) - _FIRST_DELAY_SECONDS):
                await self._asked.wait()

    async def _stop(self) -> None:
        if self._connection is not None:
            await self._connection.disconnect()
        await helpers._cancel(  # noqa: SLF001 - as Telethon's own _reconnect does
            self._log, send_loop_handle=self._send_loop_handle, recv_loop_handle=self._recv_loop_handle
        )

    def _lose_what_is_not_repeated(self) -> None:
        # What is pending was written, or may have been; what still queues was not.
        for state in [s for s in self._pending_state.values() if not may_be_repeated(s.request)]:
            self._forget(state)
            state.future.set_exception(AnswerLost("the connection to Telegram was lost"))

    def _send_again(self) -> None:
        self._lose_what_is_not_repeated()
        for state in self._pending_state.values():
            state.future.sendings += 1
        waiting = []
        for state in self._take_all():
            if state.future.sendings > _SENDINGS:
                state.future.set_exception(ConnectionResetError("lost each time that it was asked"))
                continue
            # A new session: the server may have forgotten our layer and who we are.
            state.request = self._greet(state.request)
            state.data = bytes(state.request)
            waiting.append(state)
        self._send_queue.extend(waiting)
        # Its answer proves that somebody is there, even if nothing else is asked for a while.
        self.send(PingRequest(random.getrandbits(63))).add_done_callback(look_at)
        self._hear(None)

    def _take_all(self) -> list[RequestState]:
        """Take what was asked and not answered, sent or not. Acknowledgements serve no other session."""
        queued = self._send_queue._deque  # noqa: SLF001 - Telethon has no other way
        found = [*self._pending_state.values(), *(s for s in queued if isinstance(s.request, TLRequest))]
        self._pending_state.clear()
        self._pending_ack.clear()
        queued.clear()
        return found

    async def _disconnect(self, error: Exception | None = None) -> None:
        reason = error or ConnectionError("disconnected")
        self._lose_what_is_not_repeated()
        try:
            await super()._disconnect(error=reason)
        finally:
            for state in self._take_all():
                state.future.set_exception(reason)
        if self._disconnected.done():
            look_at(self._disconnected)
