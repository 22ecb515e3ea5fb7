"""How a login code travels to each number, and how it does when it is sent again.

Source: https://core.telegram.org/api/auth#confirming-the-phone-number
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from tgbridge.sandbox.world.phone import PhoneNumber

CODE_LENGTH = 5
WORD = "tangerine"
PHRASE = "seven quiet rivers meet"
RESEND_SECONDS = 60

_PLANS = {
    "9005": ("email", "sms"),
    "9006": ("call",),
    "9007": ("fragment", "sms"),
    "9010": ("sms", "call"),
    "9011": ("flash_call", "sms"),
    "9012": ("missed_call", "sms"),
    "9013": ("email_setup",),
    "9014": ("sms_word", "sms"),
    "9015": ("sms_phrase", "sms"),
    "9016": ("firebase_sms", "call"),
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


def code_by(way: str, phone: PhoneNumber) -> str:
    """Give what is to be entered if the code went to a number by one of the ways."""
    match way:
        case "sms_word":
            return WORD
        case "sms_phrase":
            return PHRASE
        case "flash_call":
            return f"{_caller(phone)}{phone.code}"
        case _:
            return phone.code


def payment_required(phone_code_hash: str) -> types.auth.SentCodePaymentRequired:
    """Give the answer that no code is sent before it is paid for (https://core.telegram.org/api/auth#paid-auth)."""
    return types.auth.SentCodePaymentRequired(
        store_product="org.telegram.sandbox.code",
        phone_code_hash=phone_code_hash,
        support_email_address="sms@telegram.example",
        support_email_subject="Login code",
        premium_days=7,
        currency="USD",
        amount=100,
    )


def _caller(phone: PhoneNumber) -> str:
    return phone.digits[:-CODE_LENGTH]


def _sent_type(way: str, phone: PhoneNumber) -> Any:  # noqa: PLR0911 - one for each constructor
    match way:
        case "sms_word":
            return types.auth.SentCodeTypeSmsWord(beginning=WORD[0])
        case "sms_phrase":
            return types.auth.SentCodeTypeSmsPhrase(beginning=PHRASE.partition(" ")[0])
        case "firebase_sms":
            return types.auth.SentCodeTypeFirebaseSms(CODE_LENGTH)
        case "email":
            return types.auth.SentCodeTypeEmailCode("s******@e******.org", CODE_LENGTH)
        case "email_setup":
            return types.auth.SentCodeTypeSetUpEmailRequired()
        case "fragment":
            return types.auth.SentCodeTypeFragmentSms("https://fragment.com/numbers", CODE_LENGTH)
        case "flash_call":
            return types.auth.SentCodeTypeFlashCall(f"{_caller(phone)}*")
        case "missed_call":
            return types.auth.SentCodeTypeMissedCall(_caller(phone), CODE_LENGTH)
        case _:
            return _PLAIN[way](CODE_LENGTH)
