"""Settings of logging in, and of the session that comes of it."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, model_validator

from tgbridge.settings.section import Section, ascending, setting

_DAY: Final = 86400.0
# With a dot, as browsers demand, and a last label that keeps it from being an address.
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}")


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError(
            "must be a domain name such as example.com: in lower case, no dot before it, no address"
        )
    return value


Domain = Annotated[str, AfterValidator(_domain)]


class SessionSettings(Section):
    """The encrypted cookie that is a browser's session."""

    cookie_name: str = setting(
        "tgbridge",
        "text",
        "A secure cookie is called __Host-tgbridge, so that no other host and no path can set it; with "
        "session.domain __Secure-tgbridge.",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
    )
    domain: Domain | None = setting(
        None,
        "domain name",
        "example.com lets app.example.com and tg.example.com share the cookie, and every other host below it "
        "see and replace it. Unset: only the host that set it. To change it signs out every browser.",
    )
    secure: bool | None = setting(
        None,
        "true or false",
        "Whether the cookie travels over https only. Unset: true, but false in the sandbox.",
    )
    idle_seconds: float = setting(
        30 * _DAY, "seconds", "A browser unused for a month signs in again.", ge=60, le=400 * _DAY
    )
    lifetime_seconds: float = setting(
        180 * _DAY,
        "seconds",
        "However often it is used, a stolen cookie ends after half a year.",
        ge=60,
        le=400 * _DAY,
    )

    ticket_seconds: int = setting(
        604_800,
        "seconds",
        "How long a ticket may be good for: who asks for more gets this, and is told in expires_at.",
        ge=60,
        le=604_800,
    )

    @model_validator(mode="after")
    def _idle_within_lifetime(self) -> Self:
        ascending("session", self, "idle_seconds", "lifetime_seconds")
        return self


class QrLoginSettings(Section):
    """Signing in by a QR code that another device scans."""

    lifetime_seconds: float = setting(
        300.0,
        "seconds",
        "How long codes are shown and renewed: until somebody has found the telephone.",
        gt=0,
        le=3600,
    )
    claim_seconds: float = setting(
        300.0,
        "seconds",
        "How long a scanned login waits for its browser, or for the two-step verification password.",
        gt=0,
        le=3600,
    )
