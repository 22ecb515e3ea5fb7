"""Telephone numbers of the sandbox, after those of Telegram's test servers.

A number is ``+99966XYYYY``. X (1 to 3) is the data centre at which the account is at home, and the login
code is X five times. Any such number is an account on its first sign-in. YYYY tells what is special about it:

====  ==================================================================================================
2...  asks for the two-step password "tgbridge" (hint "name of this project")
9001  is banned: PHONE_NUMBER_BANNED when a code is asked for
9002  has asked for too many codes: PHONE_NUMBER_FLOOD
9003  has no account: the right code is answered by auth.authorizationSignUpRequired
9004  has tried too many two-step passwords: PHONE_PASSWORD_FLOOD when a code is asked for
9005  gets its code by e-mail (it goes into auth.signIn's email_verification)
9006  gets its code by a call that reads it aloud
9007  gets its code at fragment.com
9008  is deactivated: USER_DEACTIVATED at the right code
9009  has Telegram Premium
9010  gets its code by SMS, and then by a call
9011  gets its code by a call that hangs up (flash call): it is the number that calls, 99966 and the code
9012  gets its code as the last digits of the number that calls (missed call), which is the same
9013  gets no code before it has an e-mail address, which only Telegram's own apps set up
9014  gets a word by SMS, "tangerine", and then a code
9015  gets a phrase by SMS, "seven quiet rivers meet", and then a code
9016  gets its code by Firebase's SMS
9017  gets no code before it is paid for: auth.sentCodePaymentRequired
====  ==================================================================================================

All others get their code in the app where they are signed in somewhere, and by SMS otherwise.

Source of the scheme: https://core.telegram.org/api/auth#test-accounts
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PASSWORD = "tgbridge"  # noqa: S105 - the sandbox's own, known to all
PASSWORD_HINT = "name of this project"  # noqa: S105 - a hint
HOME_DATA_CENTRES = (1, 2, 3)

_PUNCTUATION = re.compile(r"[+\s().-]")
_NUMBER = re.compile(r"99966([123])(\d{4})")


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """One of the sandbox's numbers."""

    home_dc: int
    suffix: str

    @classmethod
    def parse(cls, text: str) -> PhoneNumber | None:
        """Read a number as people write it; None for what is no number of the sandbox."""
        match = _NUMBER.fullmatch(_PUNCTUATION.sub("", text))
        return cls(int(match[1]), match[2]) if match else None

    @property
    def digits(self) -> str:
        """Give the international number without its plus sign, as Telegram's user objects carry it."""
        return f"99966{self.home_dc}{self.suffix}"

    @property
    def code(self) -> str:
        """Give the code that signs this number in."""
        return str(self.home_dc) * 5

    @property
    def has_password(self) -> bool:
        """Tell whether the account starts with a two-step password."""
        return self.suffix.startswith("2")

    @property
    def user_id(self) -> int:
        """Give the account's id, the same at each start."""
        return 770_000_000 + self.home_dc * 10_000 + int(self.suffix)

    def __repr__(self) -> str:
        return f"<PhoneNumber at data centre {self.home_dc}>"
