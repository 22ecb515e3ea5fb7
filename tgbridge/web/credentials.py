"""What a person types to sign in, checked by its form before Telegram is asked."""

from __future__ import annotations

import re
from typing import Final

from tgbridge.errors import INVALID_CODE, INVALID_PASSWORD, INVALID_PHONE, HTTPFailure
from tgbridge.logins.typed import typed_digits, typed_number
from tgbridge.web.body import is_text

# International (ITU-T E.164): at most 15 digits, of which the country code is the first.
_PHONE: Final = re.compile(r"[1-9][0-9]{6,14}")
_MAX_CODE_LENGTH: Final = 64
_MAX_PASSWORD_LENGTH: Final = 1024


def parse_phone(value: object) -> str:
    """Return an international phone number as + and digits, or raise HTTPFailure 400.

    The + may be missing: /me gives numbers without it.
    """
    digits = typed_number(value) if isinstance(value, str) else None
    if digits is None or not _PHONE.fullmatch(digits):
        raise HTTPFailure(400, INVALID_PHONE, code="PHONE_NUMBER_INVALID")
    return f"+{digits}"


def parse_code(value: object) -> str:
    """Return a login code, or raise HTTPFailure 400: digits, or a word or phrase as it was typed."""
    text = value.strip() if isinstance(value, str) and is_text(value) else ""
    code = typed_digits(text) or text
    if not 0 < len(code) <= _MAX_CODE_LENGTH:
        raise HTTPFailure(400, INVALID_CODE, code="PHONE_CODE_INVALID")
    return code


def parse_password(value: object) -> str:
    """Return a two-step verification password, which may be any text, or raise HTTPFailure 400."""
    if not isinstance(value, str) or not is_text(value) or len(value) > _MAX_PASSWORD_LENGTH:
        raise HTTPFailure(400, INVALID_PASSWORD, code="PASSWORD_HASH_INVALID")
    return value
