"""The JSON bodies of answers that are no success."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tgbridge.models.base import Model, Omittable
from tgbridge.models.service import Check


class ErrorBody(Model):
    """The body of every answer that is no success."""

    error: Annotated[str, Field(description="A sentence for a person.")]
    details: Annotated[
        str | None, Omittable, Field(description="For debugging, such as the Telegram error's name.")
    ] = None
    code: Annotated[
        str,
        Field(description="A stable identifier for programs, the Telegram error's name where there is one."),
    ]
    retry_after: Annotated[
        int | None, Omittable, Field(description="Seconds, as in the Retry-After header.")
    ] = None


class Failed(ErrorBody):
    """What nobody has foreseen went wrong: the code may be any of Telegram's own names."""


class PasswordRequired(ErrorBody):
    """The code was right; the account asks for its two-step verification password."""

    password_hint: Annotated[str | None, Field(description="The user's own hint; null if there is none.")]


class NotReady(ErrorBody):
    """The service cannot take work."""

    checks: dict[str, Check]
