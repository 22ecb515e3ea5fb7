"""Who is calling behind proxies: what is believed, and of whom."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http import forwarded
from tgbridge.http.forwarded import Caller, find_caller, is_host

PROXY: Final = Caller("10.0.0.1", "http", "internal:8080")
TRUSTED: Final = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
FAR: Final = "203.0.113.7"


def found(peer: Caller = PROXY, **fields: str) -> Caller:
    return find_caller(peer, {name.replace("_", "-"): value for name, value in fields.items()}, TRUSTED)


def test_nothing_said() -> None:
    """Without such fields the caller is the peer, trusted or not."""
    assert found() == PROXY
    stranger = Caller(FAR, "https", "tg.example.com")
    assert find_caller(stranger, {}, TRUSTED) == stranger


@pytest.mark.parametrize("address", [FAR, "11.0.0.1", "", "unix:", "::1"])
def test_strangers_are_not_believed(address: str) -> None:
    """What a peer says that is no trusted proxy counts for nothing, of whatever family."""
    stranger = Caller(address, "http", "tg.example.com")
    said = {"x_forwarded_for": "1.2.3.4", "x_forwarded_proto": "https", "x_forwarded_host": "evil.example"}
    assert found(stranger, **said) == stranger
    assert found(stranger, forwarded="for=1.2.3.4;proto=https;host=evil.example") == stranger
    assert find_caller(PROXY, {"x-forwarded-for": "1.2.3.4"}, []) == PROXY


ADDRESSES = {
    "one": ("203.0.113.7", FAR),
    "forged before": ("1.2.3.4, 203.0.113.7", FAR),
    "a proxy of ours between": ("203.0.113.7, 10.1.2.3", FAR),
    "forged trusted address": ("10.9.9.9, 203.0.113.7, 10.1.2.3", FAR),
    "all are ours": ("10.0.0.9, 10.1.2.3", "10.0.0.9"),
    "with port": ("203.0.113.7:4711", FAR),
    "IPv6": ("2001:DB8::1", "2001:db8::1"),
    "IPv6 with port": ("[2001:db8::1]:4711", "2001:db8::1"),
    "IPv6 with zone": ("fe80::1%eth0", "fe80::1"),
    "IPv4 within IPv6": ("::ffff:203.0.113.7", FAR),
    "trusted IPv4 within IPv6": ("203.0.113.7, ::ffff:10.0.0.2", FAR),
    "no spaces": ("1.2.3.4,203.0.113.7", FAR),
    "unknown": ("1.2.3.4, unknown", "10.0.0.1"),
    "garbage behind a proxy of ours": ("<script>, 10.1.2.3", "10.1.2.3"),
    "empty entry": ("1.2.3.4, ", "10.0.0.1"),
    "empty": ("", "10.0.0.1"),
}


@pytest.mark.parametrize(("said", "address"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_x_forwarded_for(said: str, address: str) -> None:
    """The caller is the last address that is none of a trusted proxy; what it said itself stands before."""
    assert found(x_forwarded_for=said).address == address


def test_peer_within_ipv6() -> None:
    """A socket of both families names an IPv4 proxy by an IPv6 address."""
    peer = Caller("::ffff:10.0.0.1", "http", "x")
    assert found(peer, x_forwarded_for=FAR).address == FAR


SCHEMES_AND_HOSTS = {
    "both": (FAR, "https", "tg.example.com", ("https", "tg.example.com")),
    "neither": (FAR, "", "", ("http", "internal:8080")),
    "scheme alone": ("", "https", "", ("https", "internal:8080")),
    "host alone": ("", "", "tg.example.com:8443", ("http", "tg.example.com:8443")),
    "in capitals": (FAR, "HTTPS", "TG.example.com", ("https", "TG.example.com")),
    "forged before": (
        f"1.2.3.4, {FAR}",
        "https, http",
        "evil.example, tg.example.com",
        ("http", "tg.example.com"),
    ),
    "of the hop that counts": (
        f"{FAR}, 10.0.0.2",
        "https, http",
        "a.example, b.example",
        ("https", "a.example"),
    ),
    "set once for all": (f"{FAR}, 10.0.0.2", "https", "a.example", ("https", "a.example")),
    "no scheme": (FAR, "gopher", "", ("http", "internal:8080")),
    "no host": (FAR, "", "evil.example/path", ("http", "internal:8080")),
    "user and host": (FAR, "", "tg@evil.example", ("http", "internal:8080")),
    "line end": (FAR, "", "a\r\nb", ("http", "internal:8080")),
}


@pytest.mark.parametrize(
    ("addresses", "schemes", "hosts", "told"), SCHEMES_AND_HOSTS.values(), ids=SCHEMES_AND_HOSTS.keys()
)
def test_scheme_and_host(addresses: str, schemes: str, hosts: str, told: tuple[str, str]) -> None:
    """Scheme and host are those that the same proxy tells, counted from the right as well."""
    caller = found(x_forwarded_for=addresses, x_forwarded_proto=schemes, x_forwarded_host=hosts)
    assert (caller.scheme, caller.host) == told


FORWARDED = {
    "all": ("for=203.0.113.7;proto=https;host=tg.example.com", Caller(FAR, "https", "tg.example.com")),
    "quoted": ('For="203.0.113.7:80"; Proto=HTTPS ;by=10.0.0.1', Caller(FAR, "https", PROXY.host)),
    "IPv6": ('for="[2001:db8::1]:80"', Caller("2001:db8::1", "http", PROXY.host)),
    "quoted pair": ('for="203.0\\.113.7"', Caller(FAR, "http", PROXY.host)),
    "forged before": ("for=1.2.3.4;host=evil.example, for=203.0.113.7", Caller(FAR, "http", PROXY.host)),
    "chain": ("for=203.0.113.7;proto=https, for=10.0.0.2;proto=http", Caller(FAR, "https", PROXY.host)),
    "several lines": ("for=203.0.113.7,for=10.0.0.2", Caller(FAR, "http", PROXY.host)),
    "hidden": ("for=_hidden;proto=https", Caller(PROXY.address, "https", PROXY.host)),
    "unknown": ("for=1.2.3.4, for=unknown", PROXY),
    "comma in quotes": ('for="1.2.3.4, for=203.0.113.7"', PROXY),
    "open quotes": ('for="1.2.3.4, for=203.0.113.7', PROXY),
    "malformed before": ("for=[;;, for=203.0.113.7", PROXY),
    "unquoted port": ("for=203.0.113.7:80", PROXY),
    "nothing": (" , ;", PROXY),
    "ends in a semicolon": ("for=1.2.3.4, for=203.0.113.7;", Caller(FAR, "http", PROXY.host)),
    "empty elements": ("for=1.2.3.4, for=203.0.113.7,, ,", Caller(FAR, "http", PROXY.host)),
    "blanks": ("for=203.0.113.7;" + " " * 8000 + "x", PROXY),
}


@pytest.mark.parametrize(("said", "caller"), FORWARDED.values(), ids=FORWARDED.keys())
def test_forwarded(said: str, caller: Caller) -> None:
    """RFC 7239's field says the same in one line; of a malformed one nothing is believed."""
    assert found(forwarded=said) == caller


def test_both_families() -> None:
    """A proxy writes one and lets the other pass: what contradicts it may come from the caller."""
    assert found(x_forwarded_for=FAR, forwarded=f"for={FAR}").address == FAR
    assert found(x_forwarded_for=FAR, forwarded="for=1.2.3.4") == PROXY
    assert found(x_forwarded_for=FAR, forwarded=f"for={FAR};host=evil.example") == PROXY


def test_read_lazily(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many entries a caller has made up, those to the left of the last that counts are not read."""
    read: list[str] = []
    address = forwarded._address

    def counted(text: str) -> str | None:
        read.append(text)
        return address(text)

    monkeypatch.setattr(forwarded, "_address", counted)
    made_up = ["10.0.0.2"] * 500
    assert found(x_forwarded_for=", ".join([*made_up, FAR])).address == FAR
    assert found(forwarded=", ".join([*(f"for={each}" for each in made_up), f"for={FAR}"])).address == FAR
    assert set(read) == {PROXY.address, FAR}


ORIGINS = {
    "no port": (Caller("", "https", "tg.example.com"), "https://tg.example.com"),
    "usual port": (Caller("", "https", "tg.example.com:443"), "https://tg.example.com"),
    "other port": (Caller("", "http", "tg.example.com:443"), "http://tg.example.com:443"),
    "capitals": (Caller("", "http", "TG.Example.com:80"), "http://tg.example.com"),
    "IPv6": (Caller("", "http", "[::1]:8080"), "http://[::1]:8080"),
}


@pytest.mark.parametrize(("caller", "origin"), ORIGINS.values(), ids=ORIGINS.keys())
def test_own_origin(caller: Caller, origin: str) -> None:
    """The own origin is written as browsers write it."""
    assert caller.own_origin == origin


@pytest.mark.parametrize(
    ("host", "name"),
    [("TG.example.com:80", "tg.example.com"), ("tg.example.com.", "tg.example.com"), ("[::1]:80", "[::1]")],
)
def test_host_name(host: str, name: str) -> None:
    """A host's name is without its port, and without the dot of the root."""
    assert Caller("", "http", host).host_name == name


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", "a:b", "a:", "[::1", "a\n", "ä", "a,b"])
def test_no_host(host: str) -> None:
    """What is no host is not taken for one."""
    assert not is_host(host)


@given(st.text(max_size=60), st.text(max_size=60))
def test_anything(one: str, two: str) -> None:
    """Whatever the fields hold: no error, and an address that is one."""
    for caller in (found(x_forwarded_for=one, x_forwarded_host=two), found(forwarded=f"{one},{two}")):
        assert is_host(caller.host)
        assert ":" in caller.address or caller.address.count(".") == 3
