"""What the machine gives, beside what the settings may take: file descriptors and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge.doctor.findings import Finding, fault, ok, unknown, warning
from tgbridge.machine import descriptor_limit, memory_limit
from tgbridge.uploads.checked import checked_budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.settings import Settings

_MIB: Final = 1 << 20
_OWN_DESCRIPTORS: Final = 64  # listening, log, event loop, what libraries keep
_OWN_BYTES: Final = 120 * _MIB  # Python, its modules, Telethon's schema
_IDLE_CLIENT_BYTES: Final = 50 * 1024
_NEARLY: Final = 0.8


def check_resources(settings: Settings) -> Iterator[Finding]:
    """Look at the limits of a process that is started as this one was."""
    yield _descriptors(settings, descriptor_limit())
    yield _memory(settings, memory_limit())


def _descriptors(settings: Settings, limit: int | None) -> Finding:
    clients = settings.pool.max_clients
    # A client in use has its browser's connection and its own; one that streams, those of a data centre too.
    least = 2 * clients + _OWN_DESCRIPTORS
    most = clients * (2 + settings.files.connections_per_dc) + _OWN_DESCRIPTORS
    remedy = (
        "Raise LimitNOFILE in the unit (or `ulimit -n`), or lower pool.max_clients. What the service's own "
        "unit has counts, not this shell."
    )
    data = {"limit": limit, "least": least, "most": most}
    if limit is None or limit >= most:
        told = "no limit" if limit is None else str(limit)
        return ok("resources.descriptors", f"{told}; {clients} clients that stream need {most}.", **data)
    text = (
        f"RLIMIT_NOFILE is {limit}; {clients} clients (pool.max_clients) need {least}, {most} if all stream."
    )
    make = fault if limit < least else warning
    return make("resources.descriptors", text, remedy, **data)


def _memory(settings: Settings, limit: int | None) -> Finding:
    files, upload = settings.files, settings.upload
    need = (
        _OWN_BYTES
        + files.window_bytes_per_process
        + upload.window_bytes_per_process
        + checked_budget(upload).process_bytes
        + settings.pool.max_clients * _IDLE_CLIENT_BYTES
    )
    data: dict[str, Any] = {"limit_bytes": limit, "need_bytes": need}
    if limit is None:
        return unknown("resources.memory", f"The windows may take {need // _MIB} MiB.", **data)
    text = f"The windows may take {need // _MIB} MiB of {limit // _MIB} MiB."
    if need <= _NEARLY * limit:
        return ok("resources.memory", text, **data)
    make = fault if need > limit else warning
    remedy = "Lower files.window_bytes_per_process and upload.window_bytes_per_process, or give more memory."
    return make("resources.memory", text, remedy, **data)
