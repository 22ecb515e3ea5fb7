"""Where settings come from: built-in defaults < config.toml < .env < credentials < environment."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_origin

from dotenv.parser import parse_stream
from pydantic import ValidationError

from tgbridge.errors import SettingsError
from tgbridge.settings import Settings
from tgbridge.settings.section import Section

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

PREFIX: Final = "TGBRIDGE_"
# Other programs have TELEGRAM_… variables too; none but ours speaks of data centres.
_PREFIXES: Final = (PREFIX, "TELEGRAM_DC_")
_OF_FRONTENDS: Final = frozenset({"TGBRIDGE_URL"})
"""What clients/typescript has of our prefix: one shell may start both, the service and Next.js."""

_CREDENTIALS: Final = (PREFIX, "TELEGRAM_")
# What Kubernetes tells each container of the services beside it, here of one called "tgbridge":
# TGBRIDGE_SERVICE_HOST, TGBRIDGE_SERVICE_PORT, TGBRIDGE_PORT_80_TCP_ADDR, TGBRIDGE_PORT=tcp://10.0.0.1:80
# (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_SERVICE_LINK: Final = re.compile(
    r"[A-Z0-9]+(?:_[A-Z0-9]+)*_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9]+)*"
    r"|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_LINKED_PORT: Final = re.compile(r"(?:tcp|udp|sctp)://")
# Some editors begin a file with a byte order mark.
_ENCODING: Final = "utf-8-sig"

SettingPath = tuple[str, ...]
Tree = Mapping[str, Any]
_NOTHING: Final[Tree] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Given:
    """A value, not yet checked, and how a message names the place where it was given."""

    value: Any
    place: str


@cache
def _known() -> Mapping[SettingPath, FieldInfo]:
    return dict(setting_fields())


@cache
def _sections() -> frozenset[str]:
    return frozenset(path[0] for path in _known() if len(path) > 1)


def setting_fields() -> Iterator[tuple[SettingPath, FieldInfo]]:
    """All settings, by their path in the tree: ``("server", "port")``."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for inner_name, inner in kind.model_fields.items():
                yield (name, inner_name), inner
        else:
            yield (name,), field


def variables(path: SettingPath, field: FieldInfo) -> tuple[str, ...]:
    """The names of a setting in the environment, the one that counts first."""
    systematic = PREFIX + "__".join(path).upper()
    extra = field.json_schema_extra
    special = extra.get("variable") if isinstance(extra, Mapping) else None
    return (str(special), systematic) if special else (systematic,)


def load_settings(
    config: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    defaults: Tree = _NOTHING,
    overrides: Tree = _NOTHING,
) -> Settings:
    """Read and check all settings once.

    ``config`` is read instead of config.toml in ``directory``, by default the working directory; .env
    is read there too, and the files that systemd hands over in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
    ``defaults`` give way to every source and ``overrides`` to none; both are nested as
    config.toml is.

    Raises SettingsError, whose message is one line that names the setting and where it was given.
    """
    directory = Path() if directory is None else directory
    given: dict[SettingPath, _Given] = {}
    given |= _from_tree(defaults, "default")
    given |= _from_toml(config, directory / "config.toml")
    given |= _from_variables(_read_dotenv(directory / ".env"), ".env")
    said = os.environ if environ is None else environ
    given |= _from_variables(_read_credentials(said.get("CREDENTIALS_DIRECTORY", "")), "credential")
    settable = {name: value for name, value in said.items() if not _is_service_link(name, value)}
    given |= _from_variables(settable, "environment")
    given |= _from_tree(overrides, "command line")
    return _checked(given)


def _from_tree(tree: Tree, place: str) -> dict[SettingPath, _Given]:
    flat: dict[SettingPath, _Given] = {}
    for name, value in tree.items():
        if name in _sections() and not isinstance(value, Mapping):
            raise SettingsError(f"{place}: {name}: is a section, which has settings of its own")
        if name in _sections() or (isinstance(value, Mapping) and value):
            flat |= {(name, inner): _Given(leaf, f"{place}: {name}.{inner}") for inner, leaf in value.items()}
        else:
            flat[name,] = _Given(value, f"{place}: {name}")
    for path in flat.keys() - _known().keys():
        suggestion = _suggestion(".".join(path), [".".join(known) for known in _known()])
        raise SettingsError(f"{flat[path].place}: there is no such setting{suggestion}")
    return flat


def _from_toml(config: Path | None, usual: Path) -> dict[SettingPath, _Given]:
    path = usual if config is None else config
    try:
        tree = tomllib.loads(path.read_text(encoding=_ENCODING))
    except FileNotFoundError:
        if config is None:
            return {}
        raise SettingsError(f"{path}: there is no such file") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise SettingsError(f"{path}: is no TOML file: {error}") from error
    return _from_tree(tree, path.name)


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding=_ENCODING) as file:
            lines = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is no UTF-8 text") from error
    for line in lines:
        if line.error:
            raise SettingsError(f"{path}: line {line.original.line} is not of the form NAME=value")
    return {line.key: line.value for line in lines if line.key is not None and line.value is not None}


def _read_credentials(directory: str) -> dict[str, str]:
    """Read the files of a directory that are called as our variables. Others may be anybody's."""
    if not directory:
        return {}
    read: dict[str, str] = {}
    try:
        for path in sorted(Path(directory).iterdir()):
            if path.name.upper().startswith(_CREDENTIALS):
                read[path.name] = path.read_text(encoding=_ENCODING)
    except OSError as error:
        raise SettingsError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is no UTF-8 text") from error
    return read


def _from_variables(environ: Mapping[str, str], place: str) -> dict[SettingPath, _Given]:
    """Find the settings among ``environ``. An empty value is as good as none: templates of .env have them."""
    names = {name for path, field in setting_fields() for name in variables(path, field)}
    for name in sorted(environ.keys() - _OF_FRONTENDS):
        # In small letters it is none of ours either, but was meant to be.
        if name.upper().startswith(_PREFIXES) and name not in names:
            suggestion = _suggestion(name.upper(), names)
            raise SettingsError(f"{place}: {name}: there is no such setting{suggestion}")
    given: dict[SettingPath, _Given] = {}
    for path, field in setting_fields():
        for name in variables(path, field):
            text = environ.get(name, "").strip()
            if text:
                is_list = get_origin(field.annotation) is tuple
                given[path] = _Given(_items(text) if is_list else text, f"{place}: {name}")
                break
    return given


def _is_service_link(name: str, value: str) -> bool:
    """Tell whether a variable is about a service of that name, and no setting though it begins like one."""
    if not name.startswith(_PREFIXES) or "__" in name:
        return False
    return bool(_SERVICE_LINK.fullmatch(name) or (name.endswith("_PORT") and _LINKED_PORT.match(value)))


def _items(text: str) -> list[str]:
    # One a line, as a file of keys has them, will do as well.
    return [item.strip() for item in re.split(r"[,\n]", text) if item.strip()]


def _suggestion(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else ""


def _checked(given: Mapping[SettingPath, _Given]) -> Settings:
    tree: dict[str, Any] = {}
    for path, item in given.items():
        section = tree if len(path) == 1 else tree.setdefault(path[0], {})
        section[path[-1]] = item.value
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        entries = error.errors(include_url=False, include_input=False)
        raise SettingsError(
            "; ".join(dict.fromkeys(_complaint(entry, given) for entry in entries))
        ) from error


def _complaint(entry: ErrorDetails, given: Mapping[SettingPath, _Given]) -> str:
    message = entry["msg"].removeprefix("Value error, ")
    # A list's item is located deeper than its setting; a rule about several settings names them itself.
    location = tuple(str(part) for part in entry["loc"])
    place = next((given[location[:length]].place for length in (2, 1) if location[:length] in given), None)
    return message if place is None else f"{place}: {message}"
