"""What can be set about being called: where the service listens, who may call, from where, and how often."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from tgbridge.settings.section import Section, setting

_YEAR: Final = 31_536_000
# As browsers serialise it (RFC 6454, section 6.2): lower case, no path, no port that the scheme has anyway.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_HOST_NAME: Final = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}


def _origin(value: str) -> str:
    scheme = value.partition("://")[0]
    if not _ORIGIN.fullmatch(value) or value.endswith(_USUAL_PORTS.get(scheme, "/")):
        raise ValueError(
            "must be as browsers write it, such as https://app.example.com: in lower case, no path"
        )
    return value


def _host_name(value: str) -> str:
    if not _HOST_NAME.fullmatch(value):
        raise ValueError("must be a host name such as tg.example.com, in lower case and without a port")
    return value


def _network(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ip_network(value)
    except ValueError as error:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from error


Origin = Annotated[str, AfterValidator(_origin)]
HostName = Annotated[str, AfterValidator(_host_name)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class ServerSettings(Section):
    """Where the service listens, and how it ends."""

    host: str = setting(
        "127.0.0.1",
        "host name or IP address",
        "Loopback: a reverse proxy that speaks https belongs in front.",
        min_length=1,
    )
    port: int = setting(8080, "TCP port; 0 takes a free one", "Usual for a local service.", ge=0, le=65535)
    drain_seconds: float = setting(
        30.0,
        "seconds",
        "How long transfers may still run once the service was told to stop.",
        ge=0,
        le=3600,
    )
    body_timeout_seconds: float = setting(
        30.0,
        "seconds",
        "How long a JSON body may take to arrive; it is small.",
        gt=0,
        le=3600,
    )
    head_timeout_seconds: float = setting(
        30.0,
        "seconds",
        "How long the rest of a request's head may take once its first bytes are there; it is mostly in one "
        "packet. A 408 then.",
        gt=0,
        le=3600,
    )
    keep_alive_seconds: float = setting(
        3630.0,
        "seconds",
        "How long a connection is kept on which nothing is asked: longer than any proxy keeps it (an hour, "
        "Envoy), since who closes it first may lose a request. Where there are too many, those that have "
        "waited longest go before.",
        gt=0,
        le=86400,
    )
    send_timeout_seconds: float = setting(
        120.0,
        "seconds",
        "How long a caller may take nothing of its answer, as of a list: it is cut off then. Not of a file: "
        "see files.stall_seconds.",
        gt=0,
        le=3600,
    )
    max_connections: int = setting(
        10_000,
        "connections",
        "Open at the same time: 6 KB each. Fewer where file descriptors run out (RLIMIT_NOFILE). More are "
        "told 503.",
        ge=1,
        le=1_000_000,
    )
    max_requests: int = setting(
        5000,
        "requests",
        "In work at the same time, event streams and paused videos among them. More are told 503.",
        ge=1,
        le=1_000_000,
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        "list of IP addresses or networks",
        "Whose X-Forwarded-For, -Proto and -Host, or Forwarded, are believed. Anybody else could write what "
        "they like into them. Needed behind a proxy that speaks https: without it, all callers have its "
        "address, and the service's own origin begins with http.",
    )
    allowed_hosts: tuple[HostName, ...] = setting(
        (),
        "list of host names",
        "The names that the service may be called by; any where none is given. A page whose own name points "
        "here (DNS rebinding) is then refused. /healthz, /readyz and /metrics answer by any address as well.",
    )
    hsts_seconds: int = setting(
        _YEAR,
        "seconds; 0 sends none",
        "For how long browsers that came by https come by nothing else; only where the cookie is secure.",
        ge=0,
        le=10 * _YEAR,
    )


class MetricsSettings(Section):
    """What Prometheus is told, at /metrics."""

    allowed_addresses: tuple[Network, ...] = setting(
        (),
        "list of IP addresses or networks",
        "Who may read them, beside this machine: never what came through a proxy. Others get a 404.",
    )


class DocsSettings(Section):
    """The page of the API, to read and to try, at /docs."""

    enabled: bool = setting(
        True, "true or false", "Whether there is one. It tells no more than /openapi.json does."
    )
    example_phone: str | None = setting(
        None,
        "phone number",
        "Of an account that anybody may sign in to by a button on the page. Set in the sandbox.",
        pattern=r"^\+[0-9]{7,15}$",
    )
    example_code: str | None = setting(
        None,
        "text",
        "That account's login code, always the same. Without it there is no button.",
        min_length=1,
    )


class CorsSettings(Section):
    """Pages of other origins: which of them may call, with the user's cookie."""

    allowed_origins: tuple[Origin, ...] = setting(
        (),
        "list of origins",
        "Exactly these, beside the service's own. Whoever is in it can do all that the user can.",
    )
    max_age_seconds: int = setting(
        7200, "seconds", "How long a browser remembers a preflight; Chromium's own limit.", ge=0, le=86400
    )


class LimitsSettings(Section):
    """How often is too often. Telegram has limits of its own, and makes the whole application pay."""

    enabled: bool | None = setting(
        None, "true or false", "Whether there are any. Unset: true, but false in the sandbox."
    )
    window_seconds: int = setting(600, "seconds", "What all of the following are counted in.", ge=1, le=86400)
    send_code_per_address: int = setting(
        30,
        "requests",
        "/send-code and /resend-code together; an office behind one address. IPv6: each /64, twice as many "
        "each /56, four times as many each /48.",
        ge=1,
        le=100_000,
    )
    send_code_per_number: int = setting(
        10, "requests", "/send-code and /resend-code together: nobody is pestered.", ge=1, le=100_000
    )
    send_code_per_process: int = setting(
        300,
        "requests",
        "/send-code and /resend-code together, of everybody: a flood from many addresses would cost the "
        "application its standing at Telegram. When it is reached, the log says so.",
        ge=1,
        le=1_000_000,
    )
    sign_in_per_number: int = setting(
        20, "requests", "/sign-in: a code of five digits stays a secret.", ge=1, le=100_000
    )
    sign_in_password_per_login: int = setting(
        10, "requests", "/sign-in-password, and passwords given to /sign-in.", ge=1, le=100_000
    )
    qr_login_per_address: int = setting(
        30,
        "requests",
        "/qr-login, each of which holds a connection to Telegram. IPv6: as send_code_per_address.",
        ge=1,
        le=100_000,
    )
    qr_streams_per_address: int = setting(
        8,
        "open streams",
        "/qr-login, at the same time: of pool.max_qr_logins there must be some for others. IPv6: as "
        "send_code_per_address.",
        ge=1,
        le=100_000,
    )
    requests_per_session: int = setting(
        30_000,
        "requests",
        "All of a signed-in browser's: fifty a second, for pages of thumbnails and players that seek.",
        ge=1,
        le=10_000_000,
    )
    requests_per_ticket: int = setting(
        10_000,
        "requests",
        "All that come with one ticket: whoever it is passed on to. They do not count for the session.",
        ge=1,
        le=10_000_000,
    )
    tickets_per_session: int = setting(
        6000, "tickets", "/media/{id}/ticket: ten a second, for pages that embed them.", ge=1, le=10_000_000
    )
    requests_at_once_per_account: int = setting(
        512,
        "requests",
        "In work at the same time, streams and pages that listen among them: of server.max_requests there "
        "must be some for others. With tickets half of it.",
        ge=1,
        le=1_000_000,
    )
    counters: int = setting(
        16_384,
        "counters, of each of these limits, and of each width of IPv6 network",
        "Callers are assigned to them by a secret hash, so that memory is bounded however many addresses "
        "and numbers somebody invents. Two that meet in one share it.",
        ge=1,
        le=1_048_576,
    )
