"""Where the links of a caption lead: to web pages, people, mail and telephones, and nowhere else."""

from __future__ import annotations

import re
from typing import Final

# Browsers leave these out of addresses (https://url.spec.whatwg.org/#url-parsing): they might hide a scheme.
_IGNORED: Final = re.compile("[\t\n\r]")
_EDGES: Final = "".join(map(chr, range(0x21)))
_LEADING_SCHEME: Final = re.compile(r"(?:https?|tg)://|(?:mailto|tel):", re.IGNORECASE)
# Telegram's apps take what has no scheme for a page: "example.org/a", "example.org:8080".
_HOST: Final = re.compile(r"([^\s/?#:@\\<>\"]++)(?::[0-9]{1,5}+)?(?:[/?#].*)?", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_EMAIL: Final = re.compile(r"[^\s@:/?#&%<>\"]+@[^\s@:/?#&%<>\"]+")
_USERNAME: Final = re.compile(r"@([A-Za-z0-9_]{1,64})")
_DIGITS: Final = re.compile(r"[0-9]+")


def safe_link(address: str) -> str | None:
    """Return a link to an http, https, tg, mailto or tel address; None for any other.

    One without a scheme is a page's, if it begins as a host's name does.
    """
    address = _IGNORED.sub("", address).strip(_EDGES)
    if _CONTROL.search(address):
        return None
    if _LEADING_SCHEME.match(address):
        return address
    host = _HOST.fullmatch(address)
    return f"http://{address}" if host and "." in host[1].strip(".") else None


def email_link(text: str) -> str | None:
    """Return what writes to an e-mail address; None where more than an address is hidden in it."""
    return f"mailto:{text}" if _EMAIL.fullmatch(text) and not _CONTROL.search(text) else None


def phone_link(text: str) -> str | None:
    """Return what calls a number, by its digits of ASCII."""
    digits = "".join(_DIGITS.findall(text))
    if not digits:
        return None
    return f"tel:+{digits}" if text.lstrip().startswith("+") else f"tel:{digits}"


def mention_link(text: str) -> str | None:
    """Return the page of a public name such as @durov (https://core.telegram.org/api/links)."""
    name = _USERNAME.fullmatch(text)
    return f"https://t.me/{name[1]}" if name else None


def user_link(user_id: int) -> str:
    """Return what opens a user in Telegram's apps (https://core.telegram.org/api/links#user-profile-links)."""
    return f"tg://user?id={int(user_id)}"
