"""Methods: how they are registered, and what they get to know of a call.

A method is an ordinary coroutine function, registered for one of Telethon's request classes::

    @method(functions.users.GetUsersRequest)
    async def get_users(call: Call, request: functions.users.GetUsersRequest) -> list[types.User]:
        account = call.account  # raises 401 AUTH_KEY_UNREGISTERED unless somebody is signed in
        ...
        raise RpcError(400, "USER_ID_INVALID")

It returns a TLObject, a bool, or a list (of TLObjects or ints: a Vector). ``upload.File(bytes=…)`` takes any
bytes-like object, a memoryview saves a copy. Every module of ``tgbridge.sandbox.methods`` is imported when a
sandbox starts. Methods run concurrently, each in a task of its own, which is cancelled when the sandbox stops
(not when the connection goes: as at Telegram, what was asked for is done).

What the methods work on is theirs: ``call.sandbox.state`` is made by
``tgbridge.sandbox.world.state.State(sandbox)`` and offers the core what :class:`World` says. Who is signed in
with a key is ``call.auth_key.authorization``: an object of state.py with an attribute ``account``; setting it
(None: nobody) also saves it. ``sandbox.push(account, updates)`` sends updates to that account's sessions,
``sandbox.now()`` is the server's time in seconds since 1970.

Sources: https://core.telegram.org/api/invoking, https://core.telegram.org/api/errors
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tgbridge.sandbox.data_centre import DataCentre
    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.mtproto.connection import Connection
    from tgbridge.sandbox.mtproto.session import Session
    from tgbridge.sandbox.server import Sandbox

Handler: TypeAlias = "Callable[[Call, Any], Awaitable[Any]]"
HandlerT = TypeVar("HandlerT", bound="Callable[[Call, Any], Awaitable[Any]]")
NO_ANSWER: Any = object()
"""In place of a result: the client is told nothing."""


class RpcError(Exception):
    """An error as Telegram answers it: ``code`` as in HTTP, ``message`` in upper case."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class World(Protocol):
    """What the core asks of the state behind the methods."""

    def save_authorization(self, authorization: Any) -> Mapping[str, Any]:
        """Put an authorization into a JSON object, so that it can be found again after a restart."""

    def load_authorization(self, auth_key: AuthKeyRecord, saved: Mapping[str, Any]) -> Any | None:
        """Find or make the authorization again; None where it is not there any more."""

    def end(self, authorization: Any, error: str) -> None:
        """Sign all keys of an authorization out; they are answered by ``error`` from now on."""

    def expire_file_references(self) -> None:
        """Let every file reference given out so far be refused from now on."""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """What the client told of itself by initConnection."""

    api_id: int
    device_model: str
    system_version: str
    app_version: str
    lang_code: str
    tz_offset: int | None = None
    """Seconds by which the client's days begin before UTC's; None if it did not say."""


class Call:
    """One request, by whom and through what it was made."""

    __slots__ = ("auth_key", "connection", "dc", "method", "msg_id", "sandbox", "session", "without_updates")

    def __init__(
        self, sandbox: Sandbox, dc: DataCentre, session: Session, connection: Connection, msg_id: int
    ) -> None:
        self.sandbox = sandbox
        self.dc = dc
        self.session = session
        self.auth_key: AuthKeyRecord = session.auth_key
        self.connection = connection
        self.msg_id = msg_id
        self.method = ""
        self.without_updates = False

    @property
    def layer(self) -> int | None:
        """The layer of the schema that the client speaks; None before its first invokeWithLayer."""
        return self.auth_key.layer

    @property
    def client_info(self) -> ClientInfo | None:
        """What the client told of itself; None before its first initConnection."""
        return self.auth_key.client_info

    @property
    def authorization(self) -> Any:
        """Who is signed in with this key. Raises RpcError 401 if nobody is."""
        if self.auth_key.authorization is None:
            raise RpcError(401, self.auth_key.revoked or "AUTH_KEY_UNREGISTERED")
        return self.auth_key.authorization

    @property
    def account(self) -> Any:
        """The account that is signed in. Raises RpcError 401 if none is."""
        return self.authorization.account


class Registry:
    """Which coroutine function answers which request."""

    def __init__(self) -> None:
        self._handlers: dict[type, Handler] = {}

    def method(self, request_class: type) -> Callable[[HandlerT], HandlerT]:
        """Register the decorated coroutine function for a request. Raises ValueError if there is one."""

        def register(handler: HandlerT) -> HandlerT:
            if request_class in self._handlers:
                raise ValueError(f"{method_name(request_class)} is registered twice")
            self._handlers[request_class] = handler
            return handler

        return register

    def handler(self, request: Any) -> Handler:
        """Find what answers a request. Raises RpcError 400 INPUT_METHOD_INVALID."""
        try:
            return self._handlers[type(request)]
        except KeyError:
            raise RpcError(400, "INPUT_METHOD_INVALID") from None

    @property
    def names(self) -> frozenset[str]:
        """The methods that are answered, by Telegram's names."""
        return frozenset(method_name(request_class) for request_class in self._handlers)


registry = Registry()
method = registry.method

_names: dict[type, str] = {}


def method_name(request_class: type) -> str:
    """Give Telegram's name of a request class: ``upload.getFile`` for GetFileRequest of functions.upload."""
    name = _names.get(request_class)
    if name is None:
        space = request_class.__module__.rpartition(".")[2]
        stem = request_class.__name__.removesuffix("Request")
        name = stem[0].lower() + stem[1:]
        if space != "functions":
            name = f"{space}.{name}"
        _names[request_class] = name
    return name
