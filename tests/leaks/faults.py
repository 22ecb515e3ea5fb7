"""What befalls calls to Telegram, with secrets in its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from telethon.tl import TLObject, types

from tests.leaks.searching import CAPTION, PASSWORD, PHONE, WITH_PASSWORD
from tgbridge.sandbox.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.dispatch import Call


class Unreadable(TLObject):  # type: ignore[misc]  # Telethon has no types
    """An answer of another layer, with something in it that is nobody's business."""

    def _bytes(self) -> bytes:
        return b"\xef\xbe\xad\xde" + f"{PHONE} {WITH_PASSWORD} {PASSWORD} {CAPTION}".encode()


class Malformed(Rule):
    """Answers what is no answer."""

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        return Unreadable()


class Misfit(Rule):
    """Answers what is the answer to another question."""

    async def apply(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Any:
        return types.help.Support(phone_number=f"{PHONE} {PASSWORD} {CAPTION}", user=types.UserEmpty(1))


FAULTS: Final[dict[str, Callable[[Sandbox, str], object]]] = {
    "dropped": lambda sandbox, method: sandbox.faults.drop(method),
    "failing": lambda sandbox, method: sandbox.faults.internal_error(method),
    "refused": lambda sandbox, method: sandbox.faults.error(method, 400, "QUITE_UNHEARD_OF"),
    "quoting": lambda sandbox, method: sandbox.faults.error(method, 400, f"NO {PHONE} {PASSWORD} {CAPTION}"),
    "quoting a number": lambda sandbox, method: sandbox.faults.error(method, 400, f"PHONE_{PHONE[1:]}_BAD"),
    "malformed": lambda sandbox, method: sandbox.faults._add(Malformed(method=method, times=2)),
    "misfit": lambda sandbox, method: sandbox.faults._add(Misfit(method=method)),
    # The last, since it also keeps the account's next calls back.
    "flooded": lambda sandbox, method: sandbox.faults.flood_wait(method, seconds=77),
}


def faulty(sandbox: Sandbox, *methods: str) -> Iterator[str]:
    """Let each fault befall each of these methods in turn, and say which."""
    for method in methods:
        for name, fault in FAULTS.items():
            fault(sandbox, method)
            yield f"{method} {name}"
            sandbox.faults.clear()
