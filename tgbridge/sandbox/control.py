"""A small HTTP port on loopback, by which faults are set from outside the process. JSON in both directions.

``GET /state``
    what was asked so far (calls by data centre and method, connections opened and open, bytes, keys made),
    the keys with their accounts, rules and networks as they are, and the classes of errors that methods
    failed with.
``POST /faults``
    ``{"fault": "flood_wait", "method": "upload.getFile", "seconds": 3, "times": 2}``: any public method of
    `tgbridge.sandbox.faults.Faults` by its name, with its arguments. 201 and ``{"id": 1}`` where that is a
    rule for a method, 200 and ``{"result": …}`` otherwise; 400 and ``{"error": "…"}`` where name or arguments
    do not fit.
``POST /faults/{id}/release``
    lets go what a "hold" holds back. 204, or 404.
``DELETE /faults``, ``DELETE /faults/{id}``
    takes all faults away, or one rule. 204, or 404.
``DELETE /counters``
    begins to count at zero again. 204.
``POST /scan``
    ``{"phone": "+9996610001", "url": "tg://login?token=…"}``: lets whoever shows this QR code in as the
    account of that number, as a telephone would that is signed in and scans it. 204; 400 and
    ``{"error": "…"}`` where that can't be.
``POST /messages``
    ``{"phone": "+9996610001", "media": "photo", "caption": "From my telephone"}``: sends a message to the
    Saved Messages of that number, as the user's own telephone would. ``media`` is one of the seeds' keys
    ("photo" by default), without ``caption`` it has the seed's own. 201 and ``{"id": 45}``; 400 and
    ``{"error": "…"}``.
``POST /data-centres/{dc}/stop``, ``POST /data-centres/{dc}/start``
    closes the ports and breaks connections off, and opens the same ports again. 204, or 404.

A body has to be declared as ``application/json`` (415): no web page can send that without asking first.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, fields
from itertools import count
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import ConfigDict, ValidationError, validate_call

from tgbridge.sandbox import telephone
from tgbridge.sandbox.dispatch import RpcError
from tgbridge.sandbox.methods.auth_qr import accept
from tgbridge.sandbox.rules import Hold, Rule

if TYPE_CHECKING:
    from tgbridge.sandbox.data_centre import DataCentre
    from tgbridge.sandbox.server import Sandbox

FAULTS = frozenset(
    (
        "alter",
        "bandwidth",
        "change_password",
        "delay",
        "drop",
        "drop_connections",
        "error",
        "expire_codes",
        "expire_file_references",
        "expire_salts",
        "expire_uploads",
        "flood_wait",
        "hold",
        "internal_error",
        "key_exchange",
        "limit",
        "lose_updates",
        "refuse_connections",
        "revoke",
        "short",
        "silence",
        "silence_data_centre",
        "slow",
        "strict_totals",
        "throttle",
    )
)


class Control:
    """Serves the control port of one sandbox."""

    def __init__(self, sandbox: Sandbox, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._sandbox = sandbox
        self._host = host
        self._port = port
        self._ids = count(1)
        self._rules: dict[int, Rule] = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it is served. Raises RuntimeError before the start."""
        if self._runner is None:
            raise RuntimeError("the control port is not open")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError if the port can't be had."""
        app = web.Application()
        app.router.add_get("/state", self._get_state)
        app.router.add_post("/faults", self._add_fault)
        app.router.add_delete("/faults", self._clear_faults)
        app.router.add_delete("/faults/{id:\\d+}", self._remove_fault)
        app.router.add_post("/faults/{id:\\d+}/release", self._release)
        app.router.add_delete("/counters", self._reset_counters)
        app.router.add_post("/scan", self._scan)
        app.router.add_post("/messages", self._send_message)
        app.router.add_post("/data-centres/{dc:\\d+}/stop", self._stop_data_centre)
        app.router.add_post("/data-centres/{dc:\\d+}/start", self._start_data_centre)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        self._runner = runner

    async def close(self) -> None:
        """Stop to listen. May be called again."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _get_state(self, _request: web.Request) -> web.Response:
        return web.json_response(state(self._sandbox) | {"rules": self._describe_rules()})

    async def _add_fault(self, request: web.Request) -> web.Response:
        arguments = await _json_object(request)
        name = arguments.pop("fault", None)
        if not isinstance(name, str) or name not in FAULTS:
            raise _bad_request("no such fault")
        validated = validate_call(config=ConfigDict(strict=True))
        try:
            result = validated(getattr(self._sandbox.faults, name))(**arguments)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise _bad_request(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        except KeyError as error:
            raise _bad_request("no such data centre") from error
        if not isinstance(result, Rule):
            return web.json_response({"result": result})
        identifier = next(self._ids)
        self._rules[identifier] = result
        return web.json_response({"id": identifier}, status=201)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._sandbox.faults.clear()
        self._rules.clear()
        return web.Response(status=204)

    async def _remove_fault(self, request: web.Request) -> web.Response:
        self._sandbox.faults.remove(self._rule(request))
        del self._rules[int(request.match_info["id"])]
        return web.Response(status=204)

    async def _release(self, request: web.Request) -> web.Response:
        rule = self._rule(request)
        if not isinstance(rule, Hold):
            raise _bad_request("not a hold")
        rule.release()
        return web.Response(status=204)

    async def _reset_counters(self, _request: web.Request) -> web.Response:
        self._sandbox.counters.reset()
        return web.Response(status=204)

    async def _scan(self, request: web.Request) -> web.Response:
        scanned = await _json_object(request)
        try:
            account = self._sandbox.state.account_of(str(scanned.get("phone")))
            accept(self._sandbox, account, _token_in(str(scanned.get("url"))))
        except (RpcError, ValueError) as error:
            raise _bad_request(str(error)) from error
        return web.Response(status=204)

    async def _send_message(self, request: web.Request) -> web.Response:
        wanted = await _json_object(request)
        caption = wanted.get("caption")
        try:
            message_id = telephone.send(
                self._sandbox,
                str(wanted.get("phone")),
                str(wanted.get("media", "photo")),
                None if caption is None else str(caption),
            )
        except ValueError as error:
            raise _bad_request(str(error)) from error
        return web.json_response({"id": message_id}, status=201)

    async def _stop_data_centre(self, request: web.Request) -> web.Response:
        await self._data_centre(request).stop()
        return web.Response(status=204)

    async def _start_data_centre(self, request: web.Request) -> web.Response:
        await self._data_centre(request).start()
        return web.Response(status=204)

    def _rule(self, request: web.Request) -> Rule:
        rule = self._rules.get(int(request.match_info["id"]))
        if rule is None:
            raise web.HTTPNotFound
        return rule

    def _data_centre(self, request: web.Request) -> DataCentre:
        for centre in self._sandbox.all_centres:
            if centre.id == int(request.match_info["dc"]):
                return centre
        raise web.HTTPNotFound

    def _describe_rules(self) -> list[dict[str, Any]]:
        identifiers = {rule: identifier for identifier, rule in self._rules.items()}
        return [
            {"id": identifiers.get(rule), "fault": type(rule).__name__.lower()} | _describe(rule)
            for rule in self._sandbox.faults.rules
        ]


def state(sandbox: Sandbox) -> dict[str, Any]:
    """Describe a sandbox as a JSON object: no key, no name, no phone number."""
    counters = sandbox.counters
    calls: dict[int, dict[str, int]] = {centre.id: {} for centre in sandbox.all_centres}
    for (dc_id, method), number in sorted(counters.calls.items()):
        calls[dc_id][method] = number
    return {
        "calls": calls,
        "connections": sandbox.connections,
        "connections_opened": dict(counters.connections),
        "auth_keys_created": counters.auth_keys,
        "bytes_in": counters.bytes_in,
        "bytes_out": counters.bytes_out,
        "data_centres": describe_data_centres(sandbox),
        "networks": {centre.id: asdict(sandbox.faults.network(centre.id)) for centre in sandbox.all_centres},
        "auth_keys": [
            {
                "id": key.name,
                "dc": key.dc_id,
                "account": None if key.authorization is None else key.authorization.account.id,
                "revoked": key.revoked,
                "sessions": sum(bool(session.connections) for session in key.sessions.values()),
            }
            for key in sandbox.auth_keys
        ],
        "failures": [type(error).__name__ for error in sandbox.failures],
    }


def describe_data_centres(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    """Describe where data centres listen."""
    return {
        centre.id: {
            "host": centre.address.host,
            "port": centre.address.port,
            "media_host": centre.media_address.host,
            "media_port": centre.media_address.port,
        }
        for centre in sandbox.all_centres
    }


def _token_in(url: str) -> bytes:
    link, _, text = url.partition("?token=")
    if link != "tg://login" or not text.isascii():
        raise ValueError("not the link of a QR code")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _describe(rule: Rule) -> dict[str, Any]:
    return {f.name: getattr(rule, f.name) for f in fields(rule) if not f.name.startswith("_")}


async def _json_object(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except ValueError as error:
        raise _bad_request("not JSON") from error
    if not isinstance(body, dict):
        raise _bad_request("not a JSON object")
    return body


def _bad_request(error: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=web.json_response({"error": error}).text, content_type="application/json")
