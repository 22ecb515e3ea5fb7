"""How a login code travels to each number, and how it does when it is sent again.

Source: https://core.telegram.org/api/auth#confirming-the-phone-number
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from tgbridge.sandbox.world.phone import PhoneNumber

CODE_LENGTH = 5
RESEND_SECONDS = 60

_PLANS = {
    "9005": ("email", "sms"),
    "9006": ("call",),
    "9007": ("fragment", "sms"),
    "9010": ("sms", "call"),
    "9011": ("flash_call", "sms"),
    "9012": ("missed_call", "sms"),
    "9013": ("email_setup",),
}
_PLAIN = {
    "app": types.auth.SentCodeTypeApp,
    "sms": types.auth.SentCodeTypeSms,
    "call": types.auth.SentCodeTypeCall,
}
_NEXT = {
    "sms": types.auth.CodeTypeSms,
    "call": types.auth.CodeTypeCall,
    "flash_call": types.auth.CodeTypeFlashCall,
    "missed_call": types.auth.CodeTypeMissedCall,
}


def plan(phone: PhoneNumber, *, signed_in: bool) -> tuple[str, ...]:
    """Give the ways for a number, in their order; ``signed_in`` tells that it has a device already."""
    return _PLANS.get(phone.suffix, ("app", "sms", "call") if signed_in else ("sms", "call"))


def sent_code(
    phone: PhoneNumber, ways: tuple[str, ...], step: int, phone_code_hash: str
) -> types.auth.SentCode:
    """Give the answer that tells by which of the ways the code went, and what comes next."""
    following = ways[step + 1] if step + 1 < len(ways) else None
    return types.auth.SentCode(
        type=_sent_type(ways[step], phone),
        phone_code_hash=phone_code_hash,
        next_type=_NEXT[following]() if following else None,
        timeout=RESEND_SECONDS if following else None,
    )


def _sent_type(way: str, phone: PhoneNumber) -> Any:
    caller = phone.digits[:-CODE_LENGTH]
    match way:
        case "email":
            return types.auth.SentCodeTypeEmailCode("s******@e******.org", CODE_LENGTH)
        case "email_setup":
            return types.auth.SentCodeTypeSetUpEmailRequired()
        case "fragment":
            return types.auth.SentCodeTypeFragmentSms("https://fragment.com/numbers", CODE_LENGTH)
        case "flash_call":
            return types.auth.SentCodeTypeFlashCall(f"{caller}{'X' * CODE_LENGTH}")
        case "missed_call":
            return types.auth.SentCodeTypeMissedCall(caller, CODE_LENGTH)
        case _:
            return _PLAIN[way](CODE_LENGTH)
