"""Numbers and codes as people enter them."""

from __future__ import annotations

import pytest

from tgbridge.logins.typed import typed_digits, typed_number

NUMBER = "15551234567"


def in_script(text: str, zero: int) -> str:
    return text.translate({ord("0") + digit: zero + digit for digit in range(10)})


NUMBERS = {
    "E.164": "+15551234567",
    "as /me gives it": "15551234567",
    "North American": "+1 (555) 123-4567",
    "dots": "+1.555.123.4567",
    "slashes": "+1/555/1234567",
    "a link": "tel:+1-555-123-4567",
    "a link with slashes": "TEL://+15551234567",
    "a link behind a mark": "\u200e tel:+15551234567",
    "full-width": in_script("\uff0b1555\uff08123\uff094567", 0xFF10),
    "Arabic-Indic": in_script("+15551234567", 0x660),
    "Persian": in_script("+15551234567", 0x6F0),
    "Devanagari": in_script("+15551234567", 0x966),
    "scripts mixed": "+1\u06655\u06f51234567",
    "keycaps": "+1\ufe0f\u20e35\ufe0f\u20e3551234567",
    "line breaks": "+1555\r\n1234567\n",
    "embedding from a contact list": "\u202a+1 555 123 4567\u202c",
    "overrides": "\u202b\u202d\u202e+15551234567\u202c",
    "isolates": "\u2066\u2067\u2068+1 555\u2069 1234567",
    "marks": "\u200e+1\u200f5\u061c551234567",
    "zero width": "\ufeff+1\u200b555\u200c\u200d123\u20604567",
    "soft hyphen": "+1\u00ad5551234567",
    "spaces": "+1\u00a0555\u2009123\u202f4567\u3000\u2003\t",
    "dashes": "+1\u20105\u20115\u20125\u20131\u20142\u20153\u2212-\ufe584\ufe635\uff0d67",
    "dashes that count as letters and symbols": "+1\u30fc555\uff70123\u02d74\u2796\u25005\u25016\u208b7",
    "slashes of fractions": "+1\u2044555\u22151234567",
    "blanks that count as letters and symbols": "\u3164+1\uffa0555\u115f\u1160123\u28004567\x85",
    "brackets": "+1[555]{123}(4567)",
    "quotation marks": "'+15551234567'",
    "bullets": "+1\u00b7555\u2022123\u30fb4567",
}
OTHERS = {
    "letters": "+1555CALLME",
    "an extension": "+15551234567 ext 5",
    "parameters": "tel:+15551234567;ext=5",
    "dialled on": "+15551234567#12",
    "dialled on, full-width": "+15551234567\uff0a12",
    "a plus in the middle": "+1555+1234567",
    "superscripts": "+1555123456\u2077",
    "fractions": "+1555123456\u00bd",
    "Roman numerals": "+1555123456\u2167",
    "ideographs": "+1555123456\u4e03",
    "half a surrogate pair": "+15551234567\ud800",
    "a NUL": "+15551234567\0",
    "an emoji": "+15551234567\U0001f4de",
    "another link": "sip:+15551234567",
}


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS)
def test_numbers(text: str) -> None:
    """Digits of any script between any separators and invisible marks are a number."""
    assert typed_number(text) == NUMBER


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_is_no_number(text: str) -> None:
    """What says more than digits is not guessed at."""
    assert typed_number(text) is None


@pytest.mark.parametrize("text", ["", "()", "\u200b", "+", "tel:"])
def test_nothing(text: str) -> None:
    """There may be no digit at all."""
    assert typed_number(text) == ""


@pytest.mark.parametrize(
    "text", ["12345", "123-45", "1 2 3 4 5", in_script("12345", 0x6F0), "\u200f12345.", "1,2,3,4,5"]
)
def test_codes(text: str) -> None:
    """Codes are read as numbers are."""
    assert typed_digits(text) == "12345"


@pytest.mark.parametrize("text", ["quiet", "two of 12", "tel:12345"])
def test_words(text: str) -> None:
    """Words are no digits."""
    assert typed_digits(text) is None
