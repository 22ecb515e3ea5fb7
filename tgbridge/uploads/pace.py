"""How long a sender is waited for: a while if it has sent enough before, and not for long if it trickles.

One byte now and then keeps a connection alive, and with it the memory that its next bytes need. So waiting is
paid for, by time that bytes have earned: at the least rate, each second of bytes is a second of waiting.
"""

from __future__ import annotations

from typing import Final

GRACE_SECONDS: Final = 10.0
"""What the first bytes earn in any case: half of what others wait for room (``uploader.ADMISSION_SECONDS``),
and enough for a radio to wake up."""


class Pace:
    """The balance of one request's body.

    Before the first bytes nothing is held for it: silence may last `idle_seconds`, which is also the most
    that can be earned. `bytes_per_second` is the least rate; with 0 nothing has to be earned.
    """

    def __init__(self, *, idle_seconds: float, bytes_per_second: float) -> None:
        self.left = idle_seconds
        """For how many seconds its next bytes may be waited for."""
        self._most = idle_seconds
        self._rate = bytes_per_second
        self._begun = False

    def waited(self, seconds: float, size: int) -> None:
        """Count a wait for the sender, and the bytes that it brought."""
        if not self._rate:
            return
        if size and not self._begun:
            self._begun = True
            self.left = seconds + min(self.left, GRACE_SECONDS)
        self.left = min(self._most, max(0.0, self.left - seconds) + size / self._rate)
