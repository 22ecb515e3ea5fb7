"""How a group of settings is declared: each with its unit, default, bounds and reason."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


def setting(default: Any, unit: str, reason: str, *, variable: str | None = None, **bounds: Any) -> Any:
    """Declare one setting; ``variable`` is its name in the environment where the path does not make it."""
    return Field(
        default, description=reason, json_schema_extra={"unit": unit, "variable": variable}, **bounds
    )


class Section(BaseModel):
    """A group of settings. Values are checked once, here, and never change."""

    # Input could be a secret: no error message repeats it.
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python's bool is an int, so that pydantic takes `port = true` for port 1.
        kind = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and bool not in {kind, *get_args(kind)}:
            raise ValueError("Input should not be true or false")
        return value


def ascending(name: str, section: Section, *fields: str) -> None:
    """Check that each of these fields is no greater than the next. Raises ValueError."""
    for smaller, larger in pairwise(fields):
        if getattr(section, smaller) > getattr(section, larger):
            raise ValueError(f"{name}.{smaller} must not be greater than {name}.{larger}")
