"""What the client relies on of Telethon, beside what Telethon documents: another version shows here first."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient, errors
from telethon.client import telegrambaseclient, users
from telethon.extensions import BinaryReader
from telethon.sessions import StringSession
from telethon.tl import TLRequest, functions, types
from telethon.tl.alltlobjects import LAYER
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

import tgbridge.telegram
from tgbridge.telegram.client import BridgeClient
from tgbridge.telegram.datacentres.main_connection import Sender

if TYPE_CHECKING:
    from tgbridge.sandbox import Sandbox

PRIVATE = {"_sender"}
"""The one name of TelegramClient that is set in place of its own: all its methods send by it."""

SENDER = {"connect", "disconnect", "disconnected", "is_connected", "send", "auth_key"}
"""What TelegramClient asks of its sender, by names without an underscore."""


def test_private_names() -> None:
    """Of all that the class has, it shares no private name with Telethon's but these."""
    source = inspect.getsource(BridgeClient)
    ours = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    ours |= {name for name in vars(BridgeClient) if not name.startswith("__")}
    theirs = set(dir(TelegramClient))
    for base in TelegramClient.__mro__[:-1]:
        tree = ast.parse(inspect.getsource(base).lstrip())
        theirs |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    shared = {name for name in ours & theirs if name.startswith("_") and not name.startswith("__")}
    assert shared - {"_abc_impl"} == PRIVATE


def test_only_the_client_is_derived_from_telethon() -> None:
    """Nothing else of `telegram` is a class of Telethon's, or imports a private name of its."""
    bases: set[str] = set()
    for path in Path(tgbridge.telegram.__file__).parent.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("telethon"):
                assert not any(alias.name.startswith("_") for alias in node.names)
            if isinstance(node, ast.ClassDef):
                bases.update(base.id for base in node.bases if isinstance(base, ast.Name))
    assert bases & {"MTProtoSender", "MTProtoState", "ConnectionTcpAbridged", "TelegramClient"} == {
        "TelegramClient"
    }


def test_what_is_asked_of_a_sender() -> None:
    """Telethon may have come to ask more of it; connect and auth_key are asked by what we have our own of."""
    asked = set()
    for source in (inspect.getsource(telegrambaseclient), inspect.getsource(users)):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                asked |= {node.attr} if node.value.attr == "_sender" else set()
    assert asked <= SENDER
    assert all(hasattr(Sender, name) for name in SENDER - {"connect", "auth_key"})


def test_what_is_overridden() -> None:
    """A call has the parameters that Telethon's own methods give it."""
    for name in ("__call__", "connect", "disconnect"):
        theirs = inspect.signature(getattr(TelegramClient, name)).parameters
        assert set(theirs) <= set(inspect.signature(getattr(BridgeClient, name)).parameters)


def test_what_messages_are_made_of() -> None:
    """Constructors, readers and the layer: not documented by Telethon, but there for long."""
    assert RpcResult.CONSTRUCTOR_ID == 0xF35C6D01
    assert MessageContainer.CONSTRUCTOR_ID == 0x73F1F8DC
    assert GzipPacked.CONSTRUCTOR_ID == 0x3072CFA1
    assert LAYER >= 200
    assert types.UpdatesTooLong.SUBCLASS_OF_ID == types.UpdateShort.SUBCLASS_OF_ID
    request = functions.help.GetConfigRequest()
    assert isinstance(request, TLRequest)
    assert BinaryReader(bytes(request)).tgread_object() == request
    refused = errors.rpc_message_to_error(types.RpcError(420, "FLOOD_WAIT_7"), None)
    assert (refused.code, refused.seconds) == (420, 7)


async def test_it_can_be_used_as_any_client(client: BridgeClient, sandbox: Sandbox) -> None:
    """Telethon's own methods work over it: entities, lists, downloads, uploads, and several requests."""
    me = await client.get_me()
    assert me.is_self
    assert client.is_connected()
    assert not client.disconnected.done()
    assert (await client.get_entity("me")).id == me.id
    listed = [message async for message in client.iter_messages("me", limit=3)]
    assert len(listed) == 3
    sent = await client.send_file("me", b"some bytes", force_document=True)
    assert await client.download_media(sent, bytes) == b"some bytes"
    both: list[Any] = await client([functions.help.GetConfigRequest(), functions.help.GetNearestDcRequest()])
    assert [type(one) for one in both] == [types.Config, types.NearestDc]
    futures = client._sender.send([functions.help.GetNearestDcRequest()] * 2)
    assert [(await future).this_dc for future in futures] == [1, 1]
    sandbox.faults.error("help.getNearestDc", 400, "METHOD_INVALID")
    with pytest.raises(errors.RPCError):
        await client._sender.send(functions.help.GetNearestDcRequest())
    assert StringSession(client.session_string()).auth_key == client.session.auth_key
