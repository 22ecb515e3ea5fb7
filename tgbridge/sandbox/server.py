"""The sandbox as a whole: three data centres, each with a main and a media_only address."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, ClassVar

from tgbridge.sandbox import ports
from tgbridge.sandbox.counters import Counters
from tgbridge.sandbox.data_centre import Address, DataCentre
from tgbridge.sandbox.dispatch import Registry, registry
from tgbridge.sandbox.faults import Faults
from tgbridge.sandbox.methods import load_all
from tgbridge.sandbox.mtproto import rsa_keys
from tgbridge.sandbox.mtproto.key_store import AuthKeyStore
from tgbridge.sandbox.mtproto.turns import Turns
from tgbridge.sandbox.seeds import seed
from tgbridge.sandbox.world.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.mtproto.rsa_keys import ServerKey
    from tgbridge.sandbox.mtproto.session import Session
    from tgbridge.sandbox.world.accounts import Account


_PORTS = "ports.json"


class Sandbox:
    """A Telegram of three data centres on loopback, and one for its CDN, to which unmodified clients connect.

    ``fixed_ports`` names ports, by data centre: (main, media_only); else the system chooses, and they stay
    the same from one start to the next where possible. ``state_dir`` keeps the RSA key and the authorization
    keys, so that sessions outlive the process. ``pq_bits`` (32 to 62) is the length of the proof of work.
    ``clock_offset`` is by how many seconds the server's clock is ahead. ``seed`` fills each new account's
    Saved Messages, None leaves them empty.
    """

    DATA_CENTRES: ClassVar = (1, 2, 3)
    CDN: ClassVar = 203

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        fixed_ports: Mapping[int, tuple[int, int]] | None = None,
        state_dir: Path | None = None,
        pq_bits: int = 46,
        clock_offset: float = 0.0,
        seed: Callable[[Account], None] | None = seed,
        methods: Registry = registry,
    ) -> None:
        self.host = host
        self.state_dir = state_dir
        self.pq_bits = pq_bits
        self.clock_offset = clock_offset
        self.methods = methods
        self.counters = Counters()
        self.turns = Turns()
        self.faults = Faults(self)
        self.failures: list[Exception] = []
        """What methods raised beside RpcError: bugs of the sandbox."""
        self.auth_keys = AuthKeyStore(state_dir and state_dir / "auth_keys")
        self.data_centres = {dc_id: DataCentre(self, dc_id) for dc_id in self.DATA_CENTRES}
        self.cdn = DataCentre(self, self.CDN)
        """Holds encrypted files, and is not trusted by clients: it has a key of its own."""
        self._fixed_ports = fixed_ports
        self._seed = seed
        self._state: State | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Life

    async def start(self) -> None:
        """Listen.

        Raises OSError if a port or the state directory can't be had, ValueError if what is in it is damaged.
        """
        if self._state is None:
            await asyncio.to_thread(self._load)
        try:
            for centre in self.all_centres:
                await self._start(centre)
        except OSError:
            await self.close()
            raise
        if self.state_dir is not None:
            await asyncio.to_thread(ports.save, self.state_dir / _PORTS, self._ports())

    async def _start(self, centre: DataCentre) -> None:
        try:
            await centre.start()
        except OSError:
            if self._fixed_ports is not None:
                raise
            # Ports that were had before are a convenience, not a condition.
            centre.forget_ports()
            await centre.start()

    def _ports(self) -> ports.Ports:
        return {centre.id: (centre.address.port, centre.media_address.port) for centre in self.all_centres}

    def _load(self) -> None:
        load_all()
        server_key, self.cdn.server_key = self._key("rsa_key.pem"), self._key("cdn_rsa_key.pem")
        known = self._fixed_ports
        if known is None:
            known = {} if self.state_dir is None else ports.load(self.state_dir / _PORTS)
        for centre in self.data_centres.values():
            centre.server_key = server_key
        for centre in self.all_centres:
            main, media = known.get(centre.id, (0, 0))
            centre.address, centre.media_address = Address(self.host, main), Address(self.host, media)
        self._state = State(self, seed=self._seed)
        self.auth_keys.load(self._state)

    def _key(self, name: str) -> ServerKey:
        if self.state_dir is None:
            return rsa_keys.process_key(name)
        return rsa_keys.load_or_create(self.state_dir / name)

    async def stop(self) -> None:
        """Refuse connections, end what is being executed. Ports, keys and accounts are kept until `close`."""
        for centre in self.all_centres:
            await centre.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for key in self.auth_keys:
            key.close_sessions()
        await self.auth_keys.close()

    async def close(self) -> None:
        """Stop, leave the ports, and remove what is not in the state directory. May be called again."""
        await self.stop()
        for centre in self.all_centres:
            await centre.close()
        if self._state is not None:
            state, self._state = self._state, None
            await asyncio.to_thread(state.close)

    # What clients and methods see

    @property
    def all_centres(self) -> tuple[DataCentre, ...]:
        """The data centres and the CDN's."""
        return (*self.data_centres.values(), self.cdn)

    @property
    def public_key_pem(self) -> str:
        """The public key that clients need, PKCS#1 in PEM. Raises AttributeError before the first start."""
        return self.data_centres[1].server_key.public_pem

    @property
    def state(self) -> State:
        """Accounts, files and logins. Raises RuntimeError before the first start and after `close`."""
        if self._state is None:
            raise RuntimeError("the sandbox was not started")
        return self._state

    @property
    def calls(self) -> Mapping[tuple[int, str], int]:
        """How often each method was called, by (data centre, method)."""
        return self.counters.calls

    @property
    def connections(self) -> dict[int, int]:
        """How many connections are open, by data centre."""
        return {centre.id: len(centre.connections) for centre in self.all_centres}

    def now(self) -> float:
        """Give the server's time, in seconds since 1970."""
        return time.time() + self.clock_offset

    def push(self, account: Account, updates: Any, *, exclude: Session | None = None) -> int:
        """Send updates to an account's connected sessions in its own data centre, and tell to how many.

        Sessions that only ever called with invokeWithoutUpdates get none, nor does ``exclude``: the session
        whose call is answered by the same updates.
        """
        body = bytes(updates)
        sessions = [
            session
            for key in self.auth_keys
            if key.dc_id == account.home_dc and key.authorization is not None
            if key.authorization.account is account
            for session in key.sessions.values()
            if session.receives_updates and session.connections and session is not exclude
            if not self.faults.loses_update()
        ]
        for session in sessions:
            session.send([body], answer=False, content_related=True)
        return len(sessions)

    def push_key(self, auth_key: AuthKeyRecord, updates: Any) -> int:
        """Send updates to the connected sessions of one key, whoever is signed in. Tells to how many."""
        body = bytes(updates)
        sessions = [session for session in auth_key.sessions.values() if session.connections]
        for session in sessions:
            session.send([body], answer=False, content_related=True)
        return len(sessions)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something until the sandbox stops at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
