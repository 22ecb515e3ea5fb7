"""The service itself over the account, as a frontend uses it: in this process, on loopback, for this run.

It has its own client of the session: nobody else may have one meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar, FormData, hdrs, web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from tgbridge.app import ENDPOINTS, Service
from tgbridge.doctor.findings import Finding, fault, ok
from tgbridge.doctor.live.picture import grey_jpeg
from tgbridge.models import Message
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp import ClientResponse

    from tgbridge.settings import Settings

_MIB: Final = 1 << 20
_SECONDS: Final = ClientTimeout(total=120)
_SOON_SECONDS: Final = 20.0
_STEP_SECONDS: Final = 0.5
_REMEDY: Final = "Please report it, with this report and the lines of the log, which hold no secrets."


class NotAsPromisedError(Exception):
    """The service answered otherwise than its contract says; the message has statuses and names alone."""


class Frontend:
    """A browser that is signed in, and what it has uploaded. All captions begin with ``marker``."""

    def __init__(self, session: ClientSession, marker: str) -> None:
        self.session = session
        self.marker = marker
        self.content = secrets.token_bytes(3 * _MIB + 4711)
        self.document: dict[str, Any] = {}
        self.photo: dict[str, Any] = {}
        self.place = ""

    async def ask(
        self, method: str, path: str, status: int = 200, **options: Any
    ) -> tuple[ClientResponse, bytes]:
        """Make a request. Raises NotAsPromisedError for another status, and ClientError."""
        async with self.session.request(method, f"/{path.lstrip('/')}", **options) as answer:
            body = await answer.read()
        if answer.status != status:
            code = _code(body) if answer.content_type == "application/json" else ""
            raise NotAsPromisedError(f"{method} was answered {answer.status} {code}".rstrip())
        return answer, body

    async def json(self, method: str, path: str, **options: Any) -> Any:
        """Make a request whose answer is JSON."""
        return json.loads((await self.ask(method, path, **options))[1])

    async def upload(self, content: bytes, name: str, kind: str, **fields: str) -> int:
        """Upload a file; return its message's id."""
        form = FormData()
        for field, value in fields.items():
            form.add_field(field, value)
        form.add_field("file", io.BytesIO(content), filename=name, content_type=kind)
        return int((await self.json("POST", "upload_file", data=form))["message_id"])


async def check_service(
    settings: Settings, session: str, user_id: int, marker: str
) -> AsyncIterator[Finding]:
    """Use the service as a frontend does; ``session`` is a session string, a secret."""
    async with _frontend(settings, session, user_id, marker) as frontend:
        for name, step in _STEPS.items():
            check = f"live.service-{name}"
            try:
                yield ok(check, await step(frontend))
                continue
            except NotAsPromisedError as error:
                yield fault(check, f"{error}.", _REMEDY)
            except (ClientError, TimeoutError, LookupError, ValueError, TypeError) as error:
                yield fault(check, f"It broke off: {type(error).__name__}.", _REMEDY)
            if not frontend.document or (name == "events" and not frontend.photo.get("name")):
                return  # all that follows is about what was uploaded


@asynccontextmanager
async def _frontend(settings: Settings, telegram: str, user_id: int, marker: str) -> AsyncIterator[Frontend]:
    async def enter(request: web.Request) -> web.Response:
        request[keys.SESSION].signed_in(telegram, user_id)
        return json_answer(Message(message="Signed in successfully."))

    door = f"/{secrets.token_hex(16)}"  # nobody else on this machine may come in
    entry = Endpoint("POST", door, enter, summary="", answers=(Success("", Message),))
    async with (
        Service(_for_one(settings), (*ENDPOINTS, entry)) as service,
        ClientSession(service.url, cookie_jar=CookieJar(unsafe=True), timeout=_SECONDS) as session,
    ):
        frontend = Frontend(session, marker)
        await frontend.ask("POST", door)
        yield frontend


def _for_one(settings: Settings) -> Settings:
    """Return the settings of a service that nobody but this process uses."""
    return settings.model_copy(
        update={
            "secret_keys": (SecretStr(Fernet.generate_key().decode()),),
            "server": type(settings.server)(host="127.0.0.1", port=0, drain_seconds=0),
            "session": type(settings.session)(secure=False),
            "cors": type(settings.cors)(),
            "limits": type(settings.limits)(enabled=False),
        }
    )


async def _upload(frontend: Frontend) -> str:
    caption = f"{frontend.marker} by the service"
    document_id = await frontend.upload(
        frontend.content, "doctor.bin", "application/octet-stream", caption=caption, **{"as": "document"}
    )
    page = await frontend.json("GET", "media?limit=5")
    frontend.place = page["last_event_id"]
    frontend.document = next(item for item in page["items"] if item["id"] == document_id)
    _hold(page["items"][0]["id"] == document_id, "what was just uploaded is not the first of the list")
    _hold(frontend.document["size"] == len(frontend.content), "its size is another")
    _hold(frontend.document["caption"] == caption, "its caption is another")
    return "A file was uploaded, and is first in the list."


async def _stream(frontend: Frontend) -> str:
    content, path = frontend.content, f"stream_media/{frontend.document['id']}"
    whole, body = await frontend.ask("GET", path)
    _hold(hashlib.sha256(body).digest() == hashlib.sha256(content).digest(), "other bytes came back")
    for start, stop in ((0, 1), (_MIB - 5, _MIB + 5), (len(content) - 9, len(content))):
        fields = {hdrs.RANGE: f"bytes={start}-{stop - 1}", hdrs.IF_RANGE: whole.headers[hdrs.ETAG]}
        _, part = await frontend.ask("GET", path, 206, headers=fields)
        _hold(part == content[start:stop], "other bytes of a range came back")
    await frontend.ask("GET", path, 304, headers={hdrs.IF_NONE_MATCH: whole.headers[hdrs.ETAG]})
    head, _ = await frontend.ask("HEAD", path)
    _hold(head.headers[hdrs.CONTENT_LENGTH] == str(len(content)), "HEAD tells another length")
    return "It comes back whole and in ranges."


async def _events(frontend: Frontend) -> str:
    """Upload a photo, and be told of it, as a page that was there before."""
    frontend.photo["id"] = await frontend.upload(
        grey_jpeg(1600, 1200), "grey.jpg", "image/jpeg", caption=f"{frontend.marker} a photo"
    )
    async with asyncio.timeout(_SOON_SECONDS):
        async with frontend.session.get("/events", params={"last_event_id": frontend.place}) as stream:
            _hold(stream.status == 200, f"/events was answered {stream.status}")
            event = ""
            async for line in stream.content:
                text = line.decode().rstrip("\r\n")
                if text.startswith("event:"):
                    event = text.removeprefix("event:").strip()
                _hold(event != "reload", "what has happened since the list could not be told")
                if text.startswith("data:") and event == "media_added":
                    item = json.loads(text.removeprefix("data:"))
                    if item["id"] == frontend.photo["id"]:
                        frontend.photo = item
                        return "A page is told of what comes after its list."
    raise NotAsPromisedError("the stream of events ended")


async def _thumbnail(frontend: Frontend) -> str:
    _hold(frontend.photo["has_thumbnail"], "a photo has no thumbnail")
    sizes = []
    for size in ("small", "medium", "large"):
        answer, body = await frontend.ask("GET", f"stream_thumbnail/{frontend.photo['id']}?size={size}")
        _hold(answer.content_type == "image/jpeg", f"a thumbnail is {answer.content_type}")
        sizes.append(len(body))
    return f"Thumbnails of {', '.join(map(str, sizes))} bytes."


async def _search(frontend: Frontend) -> str:
    word = frontend.marker.rpartition(" ")[2]
    for _ in range(int(_SOON_SECONDS / _STEP_SECONDS)):
        page = await frontend.json("GET", "media", params={"q": word, "type": "photo"})
        if frontend.photo["id"] in [item["id"] for item in page["items"]]:
            return "It is found by its caption and its type."
        await asyncio.sleep(_STEP_SECONDS)
    raise NotAsPromisedError("it is not found by its caption")


async def _count(frontend: Frontend) -> str:
    counts = await frontend.json("GET", "media/counts")
    days = await frontend.json("GET", "media/timeline")
    _hold(counts["photo"] >= 1, "the photo is not counted")
    _hold(days[0]["count"] >= 1, "the photo's day is not in the timeline")
    return "Counts and timeline know of it."


async def _edit(frontend: Frontend) -> str:
    caption = f"{frontend.marker} edited"
    path = f"media/{frontend.document['id']}"
    edited = await frontend.json("PATCH", path, json={"caption": caption})
    _hold(edited["caption"] == caption and "edited" in edited, "the item is not as it was edited")
    return "Its caption was changed."


async def _delete(frontend: Frontend) -> str:
    for item in (frontend.document, frontend.photo):
        await frontend.ask("DELETE", f"media/{item['id']}", 204)
        await frontend.ask("GET", f"stream_media/{item['id']}", 404)
    return "Both were deleted, and are gone."


_STEPS: Final[dict[str, Callable[[Frontend], Awaitable[str]]]] = {
    "upload": _upload,
    "stream": _stream,
    "events": _events,
    "thumbnail": _thumbnail,
    "search": _search,
    "count": _count,
    "edit": _edit,
    "delete": _delete,
}


def _hold(condition: object, otherwise: str) -> None:
    if not condition:
        raise NotAsPromisedError(otherwise)


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["code"])
    except (ValueError, LookupError, TypeError):
        return ""
