"""The service itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tgbridge.models.base import Model, Omittable


class Health(Model):
    """The process lives."""

    status: Literal["ok"]


class Check(Model):
    """What one part of the service says of itself."""

    ok: bool
    reason: Annotated[str | None, Omittable, Field(description="Why it is not ok, for a person.")] = None


class Readiness(Model):
    """The service can take work."""

    status: Literal["ok"]
    checks: dict[str, Check]
