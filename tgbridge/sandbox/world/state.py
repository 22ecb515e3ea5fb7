"""All that the data centre knows: accounts, files, pending logins and uploads.

The handlers in `tgbridge.sandbox.methods` are where it meets connections and requests.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from telethon.tl import types

from tgbridge.sandbox.world.access import push_to_key
from tgbridge.sandbox.world.accounts import Account, Authorization
from tgbridge.sandbox.world.cdn import Cdn
from tgbridge.sandbox.world.files import FileStore
from tgbridge.sandbox.world.journal import Journal, uploads_in
from tgbridge.sandbox.world.logins import Logins
from tgbridge.sandbox.world.phone import PhoneNumber
from tgbridge.sandbox.world.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tgbridge.sandbox.dispatch import ClientInfo
    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord


class Host(Protocol):
    """What the state needs of the sandbox around it."""

    state_dir: Path | None

    def now(self) -> float:
        """Give the server's time in seconds since 1970."""


class State:
    """The data centre's memory.

    Files live in the host's directory, or in a temporary one until `close`. ``seed`` fills the Saved Messages
    of an account when it is first needed; what happened to them since is found again in the host's directory.
    """

    def __init__(self, host: Host, *, seed: Callable[[Account], None] | None = None) -> None:
        self._temporary = host.state_dir is None
        self.directory = host.state_dir or Path(tempfile.mkdtemp(prefix="tgbridge-sandbox-"))
        for name in ("accounts", "files", "uploads"):
            (self.directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.now = host.now
        self.files = FileStore(self.directory / "files", self._secret())
        if not self._temporary:
            self._remove_unfinished()
        self.uploads = Uploads(self.directory / "uploads", host.now)
        self.logins = Logins(host.now)
        self.cdn = Cdn()
        self.password_salts = (secrets.token_bytes(40), secrets.token_bytes(16))
        self._accounts: dict[int, Account] = {}
        self._seed = seed

    def close(self) -> None:
        """Remove the files, unless they are in a directory that was given. May be called again."""
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _remove_unfinished(self) -> None:
        kept = uploads_in(self.directory / "accounts")
        for path in (self.directory / "uploads").iterdir():
            if path.name not in kept:
                path.unlink()

    def _secret(self) -> bytes | None:
        if self._temporary:
            return None
        path = self.directory / "file_secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        return path.read_bytes()

    # Accounts

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that were needed so far."""
        return tuple(self._accounts.values())

    def account(self, account_id: int) -> Account | None:
        """Find an account by its user id."""
        return self._accounts.get(account_id)

    def account_of(self, phone: PhoneNumber | str) -> Account:
        """Give a number's account, which is made and seeded when it is first asked for.

        Raises ValueError for a text that is no number of the sandbox.
        """
        number = PhoneNumber.parse(phone) if isinstance(phone, str) else phone
        if number is None:
            raise ValueError("not a number of the sandbox")
        account = self._accounts.get(number.user_id)
        if account is None:
            account = self._accounts[number.user_id] = Account(number, self.files)
            if self._seed is not None:
                self._seed(account)
            if not self._temporary:
                # What happened after other seeds, under numbers that are theirs now, does not happen again.
                seeded = next((message.id for message in account.history), 0)
                journal = self.directory / "accounts" / f"{account.id}-{seeded}.jsonl"
                Journal(journal, self.directory / "uploads", account).resume()
        return account

    def is_registered(self, phone: PhoneNumber) -> bool:
        """Tell whether a number has an account, or gets one as it signs in."""
        return phone.suffix != "9003" or phone.user_id in self._accounts

    # Authorizations

    def new_authorization(self, account: Account, client: ClientInfo | None) -> Authorization:
        """Make a new device, which no key is signed in as yet."""
        now = datetime.fromtimestamp(self.now(), UTC)
        authorization = Authorization(account, secrets.randbits(63), created=now, active=now)
        if client is not None:
            authorization.api_id = client.api_id
            authorization.device_model = client.device_model
            authorization.system_version = client.system_version
            authorization.app_version = client.app_version
        return authorization

    def authorize(self, authorization: Authorization, key: AuthKeyRecord) -> None:
        """Sign a key in, by a login or by an import.

        What it was signed in as before ends, if no other key has it.
        """
        self.logins.passwords.pop(key.id, None)
        previous = key.authorization
        if previous is authorization:
            return
        if previous is not None:
            previous.keys.remove(key)
            if not previous.keys:
                self.end(previous)
        authorization.keys.append(key)
        authorization.account.authorizations[authorization.hash] = authorization
        key.revoked = None
        key.authorization = authorization

    def end(
        self, authorization: Authorization, error: str = "AUTH_KEY_UNREGISTERED", *, quietly: bool = False
    ) -> None:
        """End an authorization: its keys are answered by ``error`` (401) from now on.

        ``quietly``: without the update which makes that those who listen ask, and are told so.
        """
        authorization.account.authorizations.pop(authorization.hash, None)
        for key in authorization.keys:
            if not quietly:
                push_to_key(key, types.UpdatesTooLong())
            key.revoked = error
            key.authorization = None
        authorization.keys.clear()

    def touch(self, authorization: Authorization) -> None:
        """Note that a device was active just now."""
        authorization.active = datetime.fromtimestamp(self.now(), UTC)

    def save_authorization(self, authorization: Authorization) -> dict[str, Any]:
        """Put an authorization into a JSON object."""
        return {
            "account": [authorization.account.home_dc, authorization.account.phone.suffix],
            "hash": authorization.hash,
            "api_id": authorization.api_id,
            "device_model": authorization.device_model,
            "system_version": authorization.system_version,
            "app_version": authorization.app_version,
            "created": int(authorization.created.timestamp()),
            "active": int(authorization.active.timestamp()),
        }

    def load_authorization(self, auth_key: AuthKeyRecord, saved: Mapping[str, Any]) -> Authorization:
        """Find or make an authorization again, and note that the key has it."""
        account = self.account_of(PhoneNumber(*saved["account"]))
        authorization = account.authorizations.get(saved["hash"])
        if authorization is None:
            times = {name: datetime.fromtimestamp(saved[name], UTC) for name in ("created", "active")}
            authorization = Authorization(**{**saved, "account": account, **times})
            account.authorizations[authorization.hash] = authorization
        authorization.keys.append(auth_key)
        return authorization

    # Time

    def expire_codes(self) -> None:
        """Let every login code that was sent so far expire."""
        self.logins.expire_codes()

    def expire_uploads(self) -> None:
        """Forget the parts of all unfinished uploads."""
        self.uploads.expire()

    def expire_file_references(self) -> None:
        """Let every file reference that was given out so far expire."""
        self.files.expire_references()
