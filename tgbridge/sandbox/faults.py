"""What can be made to go wrong, while the sandbox runs.

Each method adds a rule and gives it back; `Faults.remove` takes it away again, `Faults.clear` takes all away.
Rules for methods are looked at in the order in which they were added, and the first that applies decides.
What they share:

``times``
    to how many calls it applies, None: to all from then on; 1 by default.
``skip``
    how many matching calls go well first.
``dc``, ``account``, ``auth_key``
    only to calls in this data centre (1, 2, 3, 203 for the CDN), by this account (its user id),
    with this key (its id in hexadecimal).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from tgbridge.sandbox.dispatch import RpcError
from tgbridge.sandbox.mtproto.handshake import Verdict  # noqa: TC001 (control.py validates by it)
from tgbridge.sandbox.rules import (
    Alter,
    Drop,
    Error,
    Hold,
    Limit,
    Rule,
    Scope,
    Short,
    Silence,
    Slow,
    Throttle,
)

if TYPE_CHECKING:
    from tgbridge.sandbox.dispatch import Call
    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.server import Sandbox


RuleT = TypeVar("RuleT", bound=Rule)
_DUPLICATED = "AUTH_KEY_DUPLICATED"


@dataclass(slots=True)
class Network:
    """How one data centre is reached, and whether it answers."""

    delay: float = 0.0
    """Seconds from one end to the other."""
    bytes_per_second: float | None = None
    """For each connection and direction; None: as many as there are."""
    silent: bool = False
    """Connections are taken, and whatever is sent on them is lost, for as long as they last."""
    refusing: bool = False
    """New connections are reset."""


class Faults:
    """All that goes wrong at the moment: the rules for methods, and each data centre's network."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._rules: list[Rule] = []
        self._networks = {dc_id: Network() for dc_id in (*sandbox.DATA_CENTRES, sandbox.CDN)}
        self._key_verdicts: deque[Verdict] = deque()
        self._lost_updates = 0

    # Methods

    def error(self, method: str, code: int, message: str, **scope: Unpack[Scope]) -> Error:
        """Answer an error: its code and Telegram's name for it."""
        return self._add(Error(method=method, code=code, message=message, **scope))

    def flood_wait(
        self, method: str, seconds: int, *, premium: bool = False, **scope: Unpack[Scope]
    ) -> Error:
        """Answer FLOOD_WAIT_n (420), or FLOOD_PREMIUM_WAIT_n."""
        name = "FLOOD_PREMIUM_WAIT" if premium else "FLOOD_WAIT"
        return self.error(method, 420, f"{name}_{seconds}", **scope)

    def limit(
        self,
        method: str,
        *,
        per_second: float,
        burst: float,
        wait: float,
        rising: float = 1.5,
        premium: bool = False,
        **scope: Unpack[Scope],
    ) -> Limit:
        """Let each key make so many calls, and impose waits beyond (`buckets.Bucket`); on all by default."""
        scope.setdefault("times", None)
        return self._add(
            Limit(
                method=method,
                per_second=per_second,
                burst=burst,
                wait=wait,
                rising=rising,
                premium=premium,
                **scope,
            )
        )

    def internal_error(
        self, method: str, *, code: int = 500, message: str = "RPC_CALL_FAIL", **scope: Unpack[Scope]
    ) -> Error:
        """Answer what a data centre with troubles of its own does: 500, or -503 with "Timeout"."""
        return self.error(method, code, message, **scope)

    def drop(self, method: str, *, executed: bool = False, **scope: Unpack[Scope]) -> Drop:
        """Break the connection off instead of answering. ``executed``: what was asked for is done before."""
        return self._add(Drop(method=method, executed=executed, **scope))

    def silence(
        self, method: str, *, connection: bool = False, executed: bool = False, **scope: Unpack[Scope]
    ) -> Silence:
        """Swallow calls, and with ``connection`` all that arrives later on the same connection."""
        return self._add(Silence(method=method, connection=connection, executed=executed, **scope))

    def short(
        self, method: str = "upload.getFile", *, keep: int | None = None, **scope: Unpack[Scope]
    ) -> Short:
        """Give fewer bytes of a file than there are: the first ``keep``, or half."""
        return self._add(Short(method=method, keep=keep, **scope))

    def alter(self, method: str = "upload.getFile", **scope: Unpack[Scope]) -> Alter:
        """Give a wrong byte of a file."""
        return self._add(Alter(method=method, **scope))

    def throttle(self, method: str, bytes_per_second: float, **scope: Unpack[Scope]) -> Throttle:
        """Let a call's connection be slow from then on, however quick others are; it remains so."""
        return self._add(Throttle(method=method, bytes_per_second=bytes_per_second, **scope))

    def slow(self, method: str, seconds: float, **scope: Unpack[Scope]) -> Slow:
        """Take some more seconds for each answer."""
        return self._add(Slow(method=method, seconds=seconds, **scope))

    def hold(self, method: str, *, executed: bool = False, **scope: Unpack[Scope]) -> Hold:
        """Hold calls (all by default) until ``release()``; ``await reached(n)`` waits until n are held.

        ``executed``: what was asked for is done before, and only the answer is late.
        """
        scope.setdefault("times", None)
        return self._add(Hold(method=method, executed=executed, **scope))

    # Network. Each applies to one data centre, or to all.

    def delay(self, seconds: float, dc: int | None = None) -> None:
        """Take this long from end to end: a round trip is twice that, and a new connection costs one."""
        for network in self._of(dc):
            network.delay = seconds

    def bandwidth(self, bytes_per_second: float | None, dc: int | None = None) -> None:
        """Let no more through in each direction of each connection."""
        for network in self._of(dc):
            network.bytes_per_second = bytes_per_second

    def silence_data_centre(self, dc: int | None = None, *, silent: bool = True) -> None:
        """Lose whatever is sent; a connection on which something was lost is silent for good."""
        for network in self._of(dc):
            network.silent = silent

    def refuse_connections(self, dc: int | None = None, *, refusing: bool = True) -> None:
        """Reset new connections; `DataCentre.stop` is for ports that nobody listens on."""
        for network in self._of(dc):
            network.refusing = refusing

    def drop_connections(self, dc: int | None = None) -> None:
        """Reset the connections that are open now."""
        for centre in self._sandbox.all_centres:
            if dc in (None, centre.id):
                for connection in list(centre.connections):
                    connection.abort()

    def lose_updates(self, times: int = 1) -> None:
        """Let the next updates that a session would be sent unasked not reach it, one for each session."""
        self._lost_updates += times

    # Keys

    def key_exchange(self, verdict: Verdict, *, times: int = 1) -> None:
        """Let the next key exchanges end in dh_gen_retry ("retry") or dh_gen_fail ("fail")."""
        self._key_verdicts.extend([verdict] * times)

    def expire_salts(self) -> None:
        """Let every server salt that was given out be refused."""
        for key in self._sandbox.auth_keys:
            key.salt_epoch += 1

    def revoke(self, *, account: int | None = None, auth_key: str | None = None, error: str | None) -> int:
        """End all keys, those of an account (its user id), or one (its id in hexadecimal). Tells how many.

        ``error`` is what their calls are answered by (401, AUTH_KEY_DUPLICATED: 406); None: the keys are
        forgotten altogether, which the transport answers by -404.
        """
        ended = [key for key in self._sandbox.auth_keys if _is_meant(key, account, auth_key)]
        for key in ended:
            self._end(key, error)
        return len(ended)

    def change_password(self, account: int, password: str) -> bool:
        """Give an account (its user id) another two-step password; proofs under way are for the one before.

        False if nobody has asked for that account yet.
        """
        found = self._sandbox.state.account(account)
        if found is not None:
            found.password = password
        return found is not None

    def expire_file_references(self) -> None:
        """Let every file reference that was given out be refused."""
        self._sandbox.state.expire_file_references()

    def expire_codes(self) -> None:
        """Let every login code that was sent expire."""
        self._sandbox.state.expire_codes()

    def expire_uploads(self) -> None:
        """Forget the parts of all unfinished uploads."""
        self._sandbox.state.expire_uploads()

    def strict_totals(self, *, strict: bool = True) -> None:
        """Refuse parts that say -1 for a total which another part has told (FILE_PARTS_INVALID)."""
        self._sandbox.state.uploads.strict_totals = strict

    # Taking away

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules for methods, spent ones included."""
        return tuple(self._rules)

    def remove(self, rule: Rule) -> None:
        """Take one rule for methods away. Does nothing if that has happened."""
        if rule in self._rules:
            self._rules.remove(rule)
            rule.withdraw()

    def clear(self) -> None:
        """Take everything away; what was ended or has expired remains so."""
        for rule in self.rules:
            self.remove(rule)
        for network in self._networks.values():
            network.delay, network.bytes_per_second = 0.0, None
            network.silent = network.refusing = False
        self._key_verdicts.clear()
        self._lost_updates = 0
        self.strict_totals(strict=False)

    # What the server asks

    def network(self, dc: int) -> Network:
        """Give the state of one data centre's network, which changes with the faults."""
        return self._networks[dc]

    def take(self, call: Call) -> Rule | None:
        """Find the rule that applies to a call, and count it."""
        return next((rule for rule in self._rules if rule.take(call)), None)

    def loses_update(self) -> bool:
        """Decide whether one session is not sent an update that it would be."""
        lost = self._lost_updates > 0
        self._lost_updates -= lost
        return lost

    def judge_key(self) -> Verdict:
        """Decide about a key that was just agreed on."""
        return self._key_verdicts.popleft() if self._key_verdicts else "ok"

    def check_key(self, call: Call) -> None:
        """End an authorization that asks on two connections at once, for good. Raises RpcError 406.

        So a data centre does where its address is not media_only, from one IP address or from two
        (https://core.telegram.org/api/errors#406-not-acceptable).
        """
        key, connection = call.auth_key, call.connection
        if key.authorization is not None and not connection.media_only:
            connection.asked_for.add(key.authorization)
            others = call.dc.connections - {connection}
            if any(key.authorization in other.asked_for and not other.closed for other in others):
                self._end(key, _DUPLICATED)
        if key.revoked == _DUPLICATED:
            raise RpcError(406, _DUPLICATED)

    def _add(self, rule: RuleT) -> RuleT:
        self._rules.append(rule)
        return rule

    def _of(self, dc: int | None) -> list[Network]:
        return list(self._networks.values()) if dc is None else [self._networks[dc]]

    def _end(self, key: AuthKeyRecord, error: str | None) -> None:
        authorization: Any = key.authorization
        if error is None:
            self._sandbox.auth_keys.remove(key)
        elif authorization is not None:
            self._sandbox.state.end(authorization, error)
        key.revoked = error


def _is_meant(key: AuthKeyRecord, account: int | None, auth_key: str | None) -> bool:
    if auth_key not in (None, key.name):
        return False
    if account is None:
        return True
    return key.authorization is not None and key.authorization.account.id == account
