"""Links in captions: to where they lead, or to nowhere."""

from __future__ import annotations

import pytest

from tgbridge.telegram.saved.links import email_link, phone_link, safe_link


@pytest.mark.parametrize(
    ("address", "link"),
    [
        (" \x00https://example.org \x1f", "https://example.org"),
        ("ht\ntps://example.org/a\tb", "https://example.org/ab"),
        ("HTTPS://example.org", "HTTPS://example.org"),
        ("example.org:8080/a", "http://example.org:8080/a"),
        ("ftp://example.org/a", None),
        ("file:///etc/passwd", None),
        ("java\nscript:alert(1)", None),
        ("javascript:alert(1)//example.org", None),
        ("data:text/html,x.y", None),
        ("//example.org", None),
        ("example.org\x85", None),
        ("https://example.org/\ud800", None),
        ("...", None),
        ("", None),
    ],
)
def test_addresses(address: str, link: str | None) -> None:
    """Those of the web, without what browsers leave out of them; none of any other scheme."""
    assert safe_link(address) == link


@pytest.mark.parametrize(
    "text", ["a?subject=x@example.org", "a@example.org\x01", "a@b@c", "a b@c", "a%0a@b", "@b"]
)
def test_addresses_of_mail_that_hide_more(text: str) -> None:
    """Neither a subject nor another recipient is added to a letter."""
    assert email_link(text) is None


def test_telephone_numbers() -> None:
    """Their digits, and the plus that begins them."""
    assert phone_link(" +1 (555) 123-4567") == "tel:+15551234567"
    assert phone_link("555 1234;ext=9") == "tel:55512349"
    assert phone_link("٣٤") is None
