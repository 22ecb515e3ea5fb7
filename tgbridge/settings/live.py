"""The settings that a reload changes while the service runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge.settings.sources import setting_fields

if TYPE_CHECKING:
    from tgbridge.settings import Settings

_OF_SERVER: Final = ("trusted_proxies", "allowed_hosts")


class LiveSettings:
    """The settings as they stand: ``now`` is to be asked each time, and not kept.

    Who may call, how often, and with whose cookies can change: ``secret_keys``, ``cors``, ``limits``,
    ``server.trusted_proxies`` and ``server.allowed_hosts``. Upon all else something is built.
    """

    __slots__ = ("now",)

    def __init__(self, settings: Settings) -> None:
        self.now = settings

    def change(self, settings: Settings) -> tuple[frozenset[str], frozenset[str]]:
        """Take over what can be. Return the names of what was changed, and of what needs a restart."""
        before = self.now
        server = {name: getattr(settings.server, name) for name in _OF_SERVER}
        self.now = before.model_copy(
            update={
                "secret_keys": settings.secret_keys,
                "cors": settings.cors,
                "limits": settings.limits,
                "server": before.server.model_copy(update=server),
            }
        )
        return _differences(before, self.now), _differences(self.now, settings)


def _differences(one: Settings, other: Settings) -> frozenset[str]:
    return frozenset(
        ".".join(path) for path, _ in setting_fields() if _value(one, path) != _value(other, path)
    )


def _value(settings: Settings, path: tuple[str, ...]) -> object:
    value: object = settings
    for name in path:
        value = getattr(value, name)
    return value
