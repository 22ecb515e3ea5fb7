"""Who is calling, with proxies in between: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).

Anybody can send these fields. A trusted proxy appends what it knows to what it was sent, so that they are
read from the right: each entry is as good as the peer that appended it. What stands to the left of the last
one that counts is not looked at, but for the form of `Forwarded` as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Network: TypeAlias = IPv4Network | IPv6Network

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PORT: Final = re.compile(r":[0-9]{1,5}\Z")
_SCHEMES: Final = frozenset({"http", "https"})
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # noqa: S105 - RFC 9110's token
# Possessive quantifiers: a run that ends wrongly is read once, not once more from each of its characters.
_FORWARDED_PAIR: Final = re.compile(
    rf'[ \t]*+(?:({_TOKEN})=(?:({_TOKEN})|"([^"\\]*+(?:\\.[^"\\]*+)*+)"))?+[ \t]*+([;,]|\Z)'
)
_QUOTED_PAIR: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and as whom it calls us.

    `address` is an IP address, "" where there is none to know. `scheme` and `host`, which may have a port,
    are those of the URL that the caller used.
    """

    address: str
    scheme: str
    host: str

    @property
    def own_origin(self) -> str:
        """The origin that pages of the called host have (RFC 6454, section 6.2)."""
        return f"{self.scheme}://{self.host.lower().removesuffix(_USUAL_PORTS.get(self.scheme, ''))}"

    @property
    def host_name(self) -> str:
        """The called host in lower case, without its port and the dot that may end it."""
        return _PORT.sub("", self.host.lower()).removesuffix(".")


@dataclass(frozen=True, slots=True)
class _Hop:
    """What one proxy says of its peer; None where it says nothing, or nothing sensible."""

    address: str | None
    scheme: str | None
    host: str | None


_NOBODY: Final = _Hop(None, None, None)


def find_caller(peer: Caller, headers: Mapping[str, str], trusted: Sequence[Network]) -> Caller:
    """Find the caller behind `peer`, which is who sent the request, and how.

    `headers` maps lower-case names to values, several field lines joined by ",". Proxies write one of the two
    families of fields and let the other pass as it comes, so that both together are believed only where they
    agree.
    """
    if not _is_trusted(peer.address, trusted):
        return peer
    families = (_x_forwarded(headers), _forwarded(headers.get("forwarded", "")))
    callers = {_walk(peer, hops, trusted) for hops in families if hops is not None}
    return callers.pop() if len(callers) == 1 else peer


@lru_cache(maxsize=1024)
def peer(address: str, scheme: str, host: str) -> Caller:
    """Return a caller that speaks for itself. Most requests are by somebody who has just asked."""
    return Caller(address, scheme, host)


@lru_cache(maxsize=1024)
def is_host(text: str) -> bool:
    """Tell whether `text` is a host with or without a port, as in a Host field (RFC 9110, section 7.2)."""
    return _HOST.fullmatch(text) is not None


def is_address(host_name: str) -> bool:
    """Tell whether a host without a port is an IP address."""
    return _address(host_name) is not None


def _walk(peer: Caller, hops: Iterable[_Hop], trusted: Sequence[Network]) -> Caller:
    """Go from the last proxy, whose hop comes first, to the first address that is none of a trusted one."""
    caller = peer
    for hop in hops:
        caller = replace(caller, scheme=hop.scheme or caller.scheme, host=hop.host or caller.host)
        if hop.address is None:
            break
        caller = replace(caller, address=hop.address)
        if not _is_trusted(hop.address, trusted):
            break
    return caller


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    if not trusted or (known := _address(address)) is None:
        return False
    parsed = ip_address(known)
    return any(parsed in network for network in trusted)


def _x_forwarded(headers: Mapping[str, str]) -> Iterator[_Hop] | None:
    """Read the three fields together: their entries are counted from the right, where proxies append."""
    addresses, schemes, hosts = (
        _entries(headers.get(f"x-forwarded-{name}", "")) for name in ("for", "proto", "host")
    )
    count = max(len(addresses), min(1, len(schemes) + len(hosts)))
    # A proxy that sets one of them only once speaks for the hops behind it as well.
    hops = (
        _Hop(
            _address(addresses[-place]) if place <= len(addresses) else None,
            _scheme(schemes[-min(place, len(schemes))]) if schemes else None,
            _host(hosts[-min(place, len(hosts))]) if hosts else None,
        )
        for place in range(1, count + 1)
    )
    return hops if count else None


def _forwarded(text: str) -> Iterator[_Hop] | None:
    """Read RFC 7239's field. Of one that is malformed, nothing counts: no one can tell who wrote what."""
    elements: list[dict[str, str]] = []
    pairs: dict[str, str] = {}
    place, end = 0, "," if text else ""
    while end:
        match = _FORWARDED_PAIR.match(text, place)
        if match is None:
            return iter([_NOBODY])
        name, plain, quoted, end = match.groups()
        if name is not None:
            pairs[name.lower()] = plain if plain is not None else _QUOTED_PAIR.sub(r"\1", quoted)
        if end != ";" and pairs:  # empty elements of a list are skipped (RFC 9110, section 5.6.1.2)
            elements.append(pairs)
            pairs = {}
        place = match.end()
    if not elements:
        return None
    return (
        _Hop(_address(said.get("for", "")), _scheme(said.get("proto", "")), _host(said.get("host", "")))
        for said in reversed(elements)
    )


def _entries(text: str) -> list[str]:
    return [entry.strip(" \t") for entry in text.split(",")] if text.strip() else []


def _address(text: str) -> str | None:
    """Return an IP address in its usual form, without the port that some proxies add; None if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # As sockets of both families name IPv4 peers. A zone (fe80::1%eth0) is the proxy's affair.
        address = address.ipv4_mapped or IPv6Address(int(address))
    return str(address)


def _scheme(text: str) -> str | None:
    return text.lower() if text.lower() in _SCHEMES else None


def _host(text: str) -> str | None:
    return text if is_host(text) else None
