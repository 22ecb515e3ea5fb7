"""Who there is, and where they are signed in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.world import builders
from tgbridge.sandbox.world.history import History
from tgbridge.sandbox.world.phone import PASSWORD, PASSWORD_HINT, PhoneNumber

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.world.builders import Variant
    from tgbridge.sandbox.world.files import FileStore, Source


@dataclass(slots=True, eq=False)
class Authorization:
    """One signed-in app of an account.

    It holds for every authorization key in ``keys``: the one that signed in, and those of other data
    centres into which it was imported.
    """

    account: Account
    hash: int
    api_id: int = 0
    device_model: str = "Unknown"
    system_version: str = ""
    app_version: str = ""
    ip: str = "127.0.0.1"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    active: datetime = field(default_factory=lambda: datetime.now(UTC))
    keys: list[AuthKeyRecord] = field(default_factory=list, repr=False)


class Account:
    """A user with Saved Messages, a home data centre and perhaps a two-step password."""

    def __init__(self, phone: PhoneNumber, files: FileStore) -> None:
        self.id = phone.user_id
        self.phone = phone
        self.home_dc = phone.home_dc
        self.access_hash = secrets.randbits(64) - (1 << 63)
        self.first_name = "Sandbox"
        self.last_name: str | None = phone.suffix
        self.username: str | None = f"sandbox_{phone.home_dc}{phone.suffix}"
        self.premium = phone.suffix == "9009"
        self.password: str | None = PASSWORD if phone.has_password else None
        self.password_hint = PASSWORD_HINT
        self.history = History(self.id)
        self.files = files
        self.authorizations: dict[int, Authorization] = {}
        self.random_ids: set[int] = set()

    def __repr__(self) -> str:
        return f"<Account {self.id} at data centre {self.home_dc}>"

    def user(self, *, is_self: bool = True) -> types.User:
        """Give the account as Telegram's user object."""
        return types.User(
            id=self.id,
            is_self=is_self,
            access_hash=self.access_hash,
            first_name=self.first_name,
            last_name=self.last_name,
            username=self.username,
            phone=self.phone.digits,
            premium=self.premium,
            status=types.UserStatusRecently(),
        )

    def add_message(
        self,
        text: str = "",
        *,
        media: Any = None,
        date: datetime | None = None,
        grouped_id: int | None = None,
        entities: Sequence[Any] | None = None,
        **fields: Any,
    ) -> types.Message:
        """Append a message to Saved Messages without telling any device; see `History.add`."""
        return self.history.add(
            text, media=media, date=date, grouped_id=grouped_id, entities=entities, **fields
        )

    def add_service_message(self, action: Any, *, date: datetime | None = None) -> types.MessageService:
        """Append a service message to Saved Messages without telling any device."""
        return self.history.add_service(action, date=date)

    def photo(self, variants: Sequence[Variant], *, dc_id: int | None = None, **fields: Any) -> types.Photo:
        """Make a photo of this account's, at its home data centre unless told; see `builders.photo`."""
        return builders.photo(self.files, self.id, variants, dc_id=dc_id or self.home_dc, **fields)

    def document(
        self, content: Source | Path, *, mime_type: str, dc_id: int | None = None, **fields: Any
    ) -> types.Document:
        """Make a document of this account's, at its home data centre unless told; see `builders.document`."""
        return builders.document(
            self.files, self.id, content, dc_id=dc_id or self.home_dc, mime_type=mime_type, **fields
        )
