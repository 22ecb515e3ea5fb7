"""Everything that can be set, as one tree of frozen values with unit, default, bounds and reason.

``sources.py`` fills the tree from config.toml, .env and the environment. config.toml in the repository shows
the same defaults; a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cryptography.fernet import Fernet
from pydantic import (
    AfterValidator,
    SecretStr,
    field_validator,
    model_validator,
)

from tgbridge import __version__
from tgbridge.settings.events import EventsSettings
from tgbridge.settings.files import FilesSettings, UploadSettings
from tgbridge.settings.login import QrLoginSettings, SessionSettings
from tgbridge.settings.public_keys import read_public_keys
from tgbridge.settings.section import Section, setting
from tgbridge.settings.server import (
    CorsSettings,
    DocsSettings,
    LimitsSettings,
    MetricsSettings,
    ServerSettings,
)

_DAY: Final = 86400.0


class LogSettings(Section):
    """What is logged, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "debug, info, warning or error", "One line per request, and what went wrong."
    )
    format: Literal["auto", "console", "json"] = setting(
        "auto",
        "auto, console or json",
        "auto: lines for people on a terminal, JSON for everything that collects logs.",
    )

    @field_validator("level", mode="before")
    @classmethod
    def _level_in_any_case(cls, value: Any) -> Any:
        # Python's own names of levels are in capitals.
        return value.lower() if isinstance(value, str) else value


class TelegramSettings(Section):
    """Who we are for Telegram, and how patient with it."""

    api_id: int | None = setting(
        None,
        "number",
        "From https://my.telegram.org. There is no default: it names your application.",
        variable="TELEGRAM_API_ID",
        ge=1,
        lt=2**31,
    )
    api_hash: SecretStr | None = setting(
        None,
        "text",
        "From https://my.telegram.org. A secret, so it belongs in .env or the environment.",
        variable="TELEGRAM_API_HASH",
        min_length=1,
    )
    dc_host: str | None = setting(
        None,
        "host name or IP address",
        "A data centre other than Telegram's own: its test servers, or a server of yours.",
        variable="TELEGRAM_DC_HOST",
        min_length=1,
    )
    dc_port: int | None = setting(
        None,
        "TCP port",
        "Of that data centre. Unset: 443, as at Telegram.",
        variable="TELEGRAM_DC_PORT",
        ge=1,
        le=65535,
    )
    dc_id: int | None = setting(
        None,
        "number",
        "Of that data centre. Unset: 2, where Telegram's apps begin.",
        variable="TELEGRAM_DC_ID",
        ge=1,
        le=1000,
    )
    dc_public_key: Path | None = setting(
        None,
        "path of a PEM file",
        "That server's RSA public keys. Unset: those of Telegram's production servers.",
        variable="TELEGRAM_DC_PUBLIC_KEY",
    )
    test_servers: bool = setting(
        False,
        "true or false",
        "Whether that data centre is one of Telegram's test servers, with another key and other numbers.",
    )
    connect_timeout_seconds: float = setting(
        10.0, "seconds", "Connecting and agreeing on a key takes ten round trips.", gt=0, le=300
    )
    request_timeout_seconds: float = setting(
        20.0, "seconds", "Telegram answers within a second; its own apps give up after 20.", gt=0, le=300
    )
    flood_wait_seconds: int = setting(
        5,
        "seconds",
        "Reading and uploading sit out waits up to this; a person does not wait longer for a page.",
        ge=0,
        le=300,
    )
    transfer_wait_seconds: float = setting(
        120.0,
        "seconds",
        "Once bytes of a body have moved, either way: so long a stream stalls and an upload waits, for a "
        "flood wait or an outage, from its last progress on. Waits of 5 to 70 are reported from the field.",
        gt=0,
        le=3600,
    )
    device_model: str = setting(
        "tgbridge", "text", "Shown in Telegram's list of devices.", min_length=1, max_length=64
    )
    app_version: str = setting(
        __version__, "text", "Shown there too; the service's own.", min_length=1, max_length=64
    )
    system_version: str = setting(
        "server", "text", "Shown there too; no need to name the system.", min_length=1, max_length=64
    )
    use_ipv6: bool = setting(False, "true or false", "Whether to prefer Telegram's IPv6 addresses.")

    @model_validator(mode="before")
    @classmethod
    def _complete_data_centre(cls, values: Any) -> Any:
        given = [name for name in ("dc_port", "dc_id", "dc_public_key") if values.get(name) is not None]
        if values.get("dc_host") is not None:
            return {"dc_port": 443, "dc_id": 2} | values
        if given:
            raise ValueError(
                f"TELEGRAM_DC_HOST is missing, without which TELEGRAM_{given[0].upper()} says nothing"
            )
        return values

    @field_validator("dc_public_key")
    @classmethod
    def _readable_keys(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                read_public_keys(path)
            except OSError as error:
                raise ValueError(f"cannot read the file: {error.strerror}") from error
        return path

    @property
    def has_credentials(self) -> bool:
        """Whether both of my.telegram.org's values are given."""
        return self.api_id is not None and self.api_hash is not None


class PoolSettings(Section):
    """The pool of connected Telegram clients, one per signed-in browser session."""

    max_clients: int = setting(
        500, "clients", "An idle one costs 0.05 MB, a busy one up to 3 MB.", ge=1, le=100_000
    )
    max_code_logins: int = setting(
        50,
        "clients",
        "How many of them may be of logins by code under way: each is in use for a moment only.",
        ge=1,
        le=100_000,
    )
    max_qr_logins: int = setting(
        100,
        "clients",
        "How many of them may be of logins by QR code: each is in use for as long as its code is shown. The "
        "rest are signed-in users' own, however many logins are begun.",
        ge=0,
        le=100_000,
    )
    idle_seconds: float = setting(
        300.0, "seconds", "Connecting anew costs a round trip or two.", gt=0, le=_DAY
    )


def _fernet_key(value: SecretStr) -> SecretStr:
    try:
        Fernet(value.get_secret_value())
    except ValueError as error:
        raise ValueError("is no Fernet key; `tgbridge generate-key` makes one") from error
    return value


class Settings(Section):
    """All settings."""

    secret_keys: tuple[Annotated[SecretStr, AfterValidator(_fernet_key)], ...] = setting(
        (),
        "list of Fernet keys",
        "Encrypt the cookies: the first encrypts, all decrypt. Secrets, so they belong in .env.",
    )
    server: ServerSettings = ServerSettings()
    cors: CorsSettings = CorsSettings()
    limits: LimitsSettings = LimitsSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    docs: DocsSettings = DocsSettings()
    session: SessionSettings = SessionSettings()
    qr_login: QrLoginSettings = QrLoginSettings()
    telegram: TelegramSettings = TelegramSettings()
    pool: PoolSettings = PoolSettings()
    events: EventsSettings = EventsSettings()
    files: FilesSettings = FilesSettings()
    upload: UploadSettings = UploadSettings()
