"""What Telegram says of a login code: how it travels, and how it looks.

Source: https://core.telegram.org/api/auth#confirming-the-phone-number
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import types

from tgbridge.errors import TelegramRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.models import CodeType

# Firebase's come by SMS as well, only in another wording.
_CODE_TYPES: Final[Mapping[type[Any], CodeType]] = MappingProxyType(
    {
        types.auth.SentCodeTypeApp: "app",
        types.auth.SentCodeTypeSms: "sms",
        types.auth.SentCodeTypeFirebaseSms: "sms",
        types.auth.SentCodeTypeSmsPhrase: "sms_phrase",
        types.auth.SentCodeTypeSmsWord: "sms_word",
        types.auth.SentCodeTypeCall: "call",
        types.auth.SentCodeTypeFlashCall: "flash_call",
        types.auth.SentCodeTypeMissedCall: "missed_call",
        types.auth.SentCodeTypeEmailCode: "email",
        types.auth.SentCodeTypeFragmentSms: "fragment",
        types.auth.CodeTypeSms: "sms",
        types.auth.CodeTypeCall: "call",
        types.auth.CodeTypeFlashCall: "flash_call",
        types.auth.CodeTypeMissedCall: "missed_call",
        types.auth.CodeTypeFragmentSms: "fragment",
    }
)


_LOOKS: Final = ("length", "pattern", "prefix", "beginning", "email_pattern", "url")


@dataclass(frozen=True, slots=True, repr=False)  # how a code begins is half of it
class SentCode:
    """A login code is under way. ``phone_code_hash`` goes with it into sign_in; ``timeout`` is in seconds.

    How it looks, the other fields tell, where Telegram does: see the constructors of
    https://core.telegram.org/type/auth.SentCodeType, whose names they have.
    """

    phone_code_hash: str
    type: CodeType | None
    next_type: CodeType | None
    timeout: int | None
    length: int | None = None
    pattern: str | None = None
    prefix: str | None = None
    beginning: str | None = None
    email_pattern: str | None = None
    url: str | None = None


def read_sent_code(answer: Any) -> SentCode:
    """Read an auth.SentCode. Raises TelegramRefused if no code is under way, and says by its name why."""
    if isinstance(answer, types.auth.SentCodePaymentRequired):
        # In an app's store (https://core.telegram.org/api/auth#paid-auth).
        raise TelegramRefused("CODE_PAYMENT_REQUIRED")
    if not isinstance(answer, types.auth.SentCode):
        # SentCodeSuccess answers future auth tokens, which we never send.
        raise TelegramRefused("SEND_CODE_UNAVAILABLE")
    if isinstance(answer.type, types.auth.SentCodeTypeSetUpEmailRequired):
        # No code is under way; the address is to be set up by Telegram's own apps.
        raise TelegramRefused("EMAIL_SETUP_REQUIRED")
    return SentCode(
        phone_code_hash=answer.phone_code_hash,
        type=_CODE_TYPES.get(type(answer.type)),
        next_type=_CODE_TYPES.get(type(answer.next_type)),
        timeout=answer.timeout,
        **{name: getattr(answer.type, name, None) for name in _LOOKS},
    )
