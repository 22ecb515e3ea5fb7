"""How an endpoint is declared: one value, from which the router, the middleware and openapi.py all work.

A module of routes ends in a table::

    ENDPOINTS: Final = (
        Endpoint(
            "GET",
            "/stream_thumbnail/{message_id}",
            stream_thumbnail,
            summary="A thumbnail's bytes",
            failed="Failed to stream thumbnail.",
            signed_in=True,
            not_found=NotFound("Thumbnail not found for this message or …", "THUMBNAIL_NOT_FOUND"),
            parameters=(Parameter("message_id", "path", int, "The message's id."),),
            answers=(Success("The thumbnail.", None, media_type="image/jpeg"),),
        ),
    )

and ``app.py`` lists the tables. What a handler may rely on, and has to mind:

- ``request[keys.SESSION]`` is the browser's SessionState. Where ``signed_in`` is declared, the 401 has been
  decided, and ``request[keys.CLIENT]`` is the browser's own Telegram client until the handler ends, unless it
  is declared that it ``borrows`` none: what may need one asks ``request[keys.LOAN]`` for it. Work that
  outlives the handler (``request.app[keys.COMPLETION]``) borrows for itself from ``request.app[keys.POOL]``.
- It raises. A BridgeError becomes the contract's answer (errors.failure_of); anything else is logged, and
  becomes a 500. Once the response is prepared, whatever is raised breaks the connection.
- A GET answers HEAD too. A handler that streams looks at ``request.method``: aiohttp would send the body.
- ``Expect: 100-continue`` has not been answered: a handler that reads a body calls ``continue_body`` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from aiohttp import hdrs

from tgbridge.errors import ANSWERS, NOT_AUTHENTICATED, SESSION_ENDED
from tgbridge.models import ErrorBody

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from tgbridge.errors import NotFound
    from tgbridge.models import Model
    from tgbridge.web.limits import AddressRule

TicketKind: TypeAlias = Literal["media", "thumbnail"]
"""What a ticket is for."""

# What remains to be said where an endpoint that does not reach Telegram fails.
INTERNAL_ERROR = "Internal server error."
INVALID_PARAMETER: Final = "INVALID_PARAMETER"
_MAX_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Success:
    """An answer that is none of ``Refusal``: 2xx, or 304.

    ``content`` is what the JSON body is made from (a model, or a list of one); None means no JSON: bytes of
    ``media_type`` or, without one, no body. ``headers`` are those worth documenting, with a description each.
    ``events`` are the names of server-sent events, and the models of their data.
    """

    description: str
    content: Any
    status: int = HTTPStatus.OK
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    events: tuple[tuple[str, type[Model]], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of the contract's error table. What all endpoints of a kind have in common is not repeated."""

    status: int
    text: str
    code: str
    body: type[ErrorBody] = ErrorBody
    headers: tuple[tuple[str, str], ...] = ()


def refusals(*names: str) -> tuple[Refusal, ...]:
    """Return the rows for Telegram's errors of these ``names``, which have an answer of their own."""
    return tuple(
        Refusal(ANSWERS[name].status, ANSWERS[name].text, ANSWERS[name].code or name) for name in names
    )


def session_ended() -> tuple[Refusal, ...]:
    """Return the rows for a session that Telegram has ended, whose cookie is cleared."""
    clears = (("Set-Cookie", "Clears the cookie of the session."),)
    return tuple(Refusal(401, NOT_AUTHENTICATED, name, headers=clears) for name in sorted(SESSION_ENDED))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter. ``kind`` is a type that pydantic has a JSON schema for. In a path all are required."""

    name: str
    where: Literal["path", "query", "header"]
    kind: Any
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    ``failed`` is the endpoint's own text for 500 and 503, given exactly if it reaches Telegram. ``not_found``
    is its 404. ``body`` is the model of what it reads, sent as ``body_type``. ``limit`` is how
    often one address may ask, for what begins a login. ``acts`` is whether it does something whatever its
    method, so that no other page may ask. ``bytes_type`` is the media type of a body of plain bytes.
    ``borrows`` is whether it is lent a client, connected, before it begins. ``overridable`` is whether a POST
    may mean another method. ``strict`` is whether an unknown query parameter is a 400, as where one would
    narrow what is listed or ended; streams pass them over, since loaders and caches add their own. ``ticket``
    is the kind of ticket that says in the path whose session it is, instead of the cookie, which is then not
    looked at; its answers are for whoever has the ticket, on pages of any origin. ``probe`` is whether it is
    about the process, and may be called by an address whatever ``server.allowed_hosts`` says.
    """

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    summary: str
    answers: tuple[Success | Refusal, ...]
    failed: str | None = None
    not_found: NotFound | None = None
    signed_in: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: type[Model] | None = None
    body_type: str = "application/json"
    bytes_type: str | None = None
    limit: AddressRule | None = None
    borrows: bool = True
    acts: bool = False
    overridable: bool = False
    strict: bool = False
    probe: bool = False
    ticket: TicketKind | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the router is told of."""
        return (hdrs.METH_GET, hdrs.METH_HEAD) if self.method == hdrs.METH_GET else (self.method,)


def unknown_parameter(name: str) -> str:
    """Say that a query parameter is unknown; of a long name as much as tells which."""
    return f"There is no parameter {name[:_MAX_NAME]!r}."
