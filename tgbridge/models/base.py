"""What all JSON bodies have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

# Marks a field that is left out of the JSON where there is nothing to say. Other fields are then null.
Omittable = Field(exclude_if=lambda value: value is None)


class Model(BaseModel):
    """A value that travels as JSON."""

    model_config = ConfigDict(frozen=True)


class Message(Model):
    """A success with nothing to return."""

    message: str
