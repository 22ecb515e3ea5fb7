"""Settings: their sources, their bounds, and the one line that a wrong one is worth."""

from __future__ import annotations

import json
import re
import textwrap
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from tgbridge.errors import SettingsError
from tgbridge.settings import MIB, Settings
from tgbridge.settings.public_keys import read_public_keys
from tgbridge.settings.sources import load_settings, setting_fields, variables

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parent.parent.parent
KEYS = [Fernet.generate_key().decode() for _ in range(2)]
# 1024 bits, since making longer ones takes its time; their length is not what is tested.
RSA_KEYS = [rsa.generate_private_key(65537, 1024).public_key() for _ in range(2)]


def pem(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, form: PublicFormat = PublicFormat.PKCS1) -> bytes:
    return key.public_bytes(Encoding.PEM, form)


def load(tmp_path: Path, environ: dict[str, str] | None = None, **options: Any) -> Settings:
    return load_settings(environ=environ or {}, directory=tmp_path, **options)


def config_toml() -> str:
    """The config.toml that the settings make: each with unit, default and reason."""
    lines = [
        "# The settings of tgbridge, with their defaults. This file is optional, and so is each line of it.",
        "# .env overrides it, and the environment overrides .env: TGBRIDGE_SERVER__PORT=9000, or the name",
        "# that is given here. Lists in them are comma-separated. Sizes are numbers of bytes, or text such",
        '# as "1 MiB". A reload (SIGHUP) reads secret_keys, cors, limits, server.trusted_proxies and',
        "# server.allowed_hosts anew; the rest needs a restart.",
    ]
    section = ""
    # A key outside any section has to come first in TOML.
    for path, field in sorted(setting_fields(), key=lambda item: len(item[0]) > 1):
        if len(path) > 1 and path[0] != section:
            section = path[0]
            title = Settings.model_fields[section].annotation.__doc__
            lines += ["", "", f"# {title}", f"[{section}]"]
        lines += ["", *described(path, field)]
    return "\n".join(lines) + "\n"


def described(path: tuple[str, ...], field: FieldInfo) -> list[str]:
    name = variables(path, field)[0]
    by_name = f" In the environment: {name}." if not name.startswith("TGBRIDGE_") or len(path) == 1 else ""
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    unit = extra["unit"]
    comment = textwrap.wrap(f"{field.description} Unit: {unit}.{by_name}", 108)
    # TOML has no value for "unset", and an empty list of keys would hide that one is needed.
    unset = field.default is None or field.default == ()
    value = f"# {path[-1]} = …" if unset else f"{path[-1]} = {toml(field.default)}"
    return [*(f"# {line}" for line in comment), value]


def toml(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1024 and type(value) is not int:
        return f'"{value // MIB} MiB"' if value % MIB == 0 else f'"{value // 1024} KiB"'
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def test_shipped_file_says_what_the_settings_say() -> None:
    """config.toml has each setting with unit, default and reason, as settings.py declares them."""
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == config_toml()


def test_shipped_file_equals_defaults(tmp_path: Path) -> None:
    """Without a config.toml the service runs with the very same values."""
    assert load_settings(ROOT / "config.toml", environ={}, directory=tmp_path) == Settings()


def test_later_sources_win(tmp_path: Path) -> None:
    """Defaults, config.toml, .env, environment and command line override each other in this order."""
    (tmp_path / "config.toml").write_text(
        "[server]\nhost = 'toml'\nport = 1\ndrain_seconds = 1\nbody_timeout_seconds = 1"
    )
    (tmp_path / ".env").write_text(
        "TGBRIDGE_SERVER__PORT=2\nTGBRIDGE_SERVER__DRAIN_SECONDS=2\nTGBRIDGE_SERVER__BODY_TIMEOUT_SECONDS=2"
    )
    settings = load(
        tmp_path,
        {"TGBRIDGE_SERVER__DRAIN_SECONDS": "3", "TGBRIDGE_SERVER__BODY_TIMEOUT_SECONDS": "3"},
        defaults={"server": {"host": "default"}, "pool": {"max_clients": 7}},
        overrides={"server": {"body_timeout_seconds": 4}},
    )
    server = settings.server
    assert (server.host, server.port, server.drain_seconds, server.body_timeout_seconds) == ("toml", 2, 3, 4)
    assert settings.pool.max_clients == 7


def credentials(tmp_path: Path, **files: str) -> dict[str, str]:
    """A directory as systemd makes one, and the environment that names it."""
    directory = tmp_path / "credentials"
    directory.mkdir()
    for name, content in files.items():
        (directory / name).write_text(content)
    return {"CREDENTIALS_DIRECTORY": str(directory)}


def test_credentials(tmp_path: Path) -> None:
    """systemd's credentials go by our variables' names, override .env, and give way to the environment."""
    (tmp_path / ".env").write_text("TELEGRAM_API_ID=1\nTELEGRAM_API_HASH=dotenv\nTGBRIDGE_SERVER__PORT=1")
    environ = credentials(
        tmp_path,
        TELEGRAM_API_ID="2\n",
        TELEGRAM_API_HASH="credential\n",
        TGBRIDGE_SECRET_KEYS="\n".join(KEYS) + "\n",
        **{"somebody.elses": "\0"},
    )
    settings = load(tmp_path, environ | {"TELEGRAM_API_ID": "3"})
    assert settings.telegram.api_id == 3
    assert settings.telegram.api_hash == SecretStr("credential")
    assert [key.get_secret_value() for key in settings.secret_keys] == KEYS
    assert settings.server.port == 1


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"TGBRIDGE_SECRET_KEY": KEYS[0]}, "credential: TGBRIDGE_SECRET_KEY: there is no such setting"),
        ({"TELEGRAM_API_ID": "secret"}, "credential: TELEGRAM_API_ID: "),
    ],
)
def test_wrong_credentials(tmp_path: Path, files: dict[str, str], told: str) -> None:
    """A credential that cannot be right is named, and not repeated."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, credentials(tmp_path, **files))
    assert str(caught.value).startswith(told)
    assert not any(value in str(caught.value) for value in files.values())


def test_credentials_that_cannot_be_read(tmp_path: Path) -> None:
    """What is no text, no file, or not there is told by its path."""
    environ = credentials(tmp_path)
    path = Path(environ["CREDENTIALS_DIRECTORY"]) / "TELEGRAM_API_HASH"
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="TELEGRAM_API_HASH: is no UTF-8 text"):
        load(tmp_path, environ)
    path.unlink()
    path.mkdir()
    with pytest.raises(SettingsError, match="TELEGRAM_API_HASH: cannot be read: "):
        load(tmp_path, environ)
    with pytest.raises(SettingsError, match="elsewhere: cannot be read: "):
        load(tmp_path, {"CREDENTIALS_DIRECTORY": str(tmp_path / "elsewhere")})


def test_config_elsewhere(tmp_path: Path) -> None:
    """--config is read instead of the config.toml in the working directory."""
    (tmp_path / "config.toml").write_text("[server]\nport = 1")
    other = tmp_path / "other.toml"
    other.write_text("[server]\nhost = 'other'")
    settings = load(tmp_path, config=other)
    assert (settings.server.host, settings.server.port) == ("other", 8080)


def test_lists_and_telegram_names(tmp_path: Path) -> None:
    """Lists are comma-separated, Telegram's credentials come by the names that all use, empty is unset."""
    settings = load(
        tmp_path,
        {
            "TGBRIDGE_SECRET_KEYS": f" {KEYS[0]}, {KEYS[1]},",
            "TGBRIDGE_UPLOAD__ALLOWED_TYPES": "image/*,video/mp4",
            "TELEGRAM_API_ID": "12345",
            "TELEGRAM_API_HASH": "0123456789abcdef",
            "TELEGRAM_DC_HOST": "",
            "TELEGRAM_BOT_TOKEN": "of another program",
        },
    )
    assert [key.get_secret_value() for key in settings.secret_keys] == KEYS
    assert settings.upload.allowed_types == ("image/*", "video/mp4")
    assert settings.telegram.api_id == 12345
    assert settings.telegram.api_hash == SecretStr("0123456789abcdef")
    assert settings.telegram.dc_host is None
    assert settings.telegram.has_credentials


def test_dotenv_takes_values_as_they_are(tmp_path: Path) -> None:
    """Quotes, export and comments work in .env; a dollar sign is no variable."""
    (tmp_path / ".env").write_text(
        "# mine\nexport TELEGRAM_API_HASH='a$HOME${X}b'\nTGBRIDGE_LOG__LEVEL=debug # chatty\n"
    )
    settings = load(tmp_path)
    assert settings.telegram.api_hash == SecretStr("a$HOME${X}b")
    assert settings.log.level == "debug"


def test_files_as_other_systems_write_them(tmp_path: Path) -> None:
    """A byte order mark and carriage returns are no part of the settings."""
    (tmp_path / ".env").write_bytes(
        "\ufeffTGBRIDGE_SERVER__PORT=2\r\nTGBRIDGE_LOG__LEVEL=WARNING\r\n".encode()
    )
    (tmp_path / "config.toml").write_bytes("\ufeff[server]\r\nhost = 'toml'\r\n".encode())
    settings = load(tmp_path)
    assert (settings.server.host, settings.server.port, settings.log.level) == ("toml", 2, "warning")


def test_secrets_are_masked(tmp_path: Path) -> None:
    """No way of printing settings shows a secret."""
    settings = load(tmp_path, {"TGBRIDGE_SECRET_KEYS": KEYS[0], "TELEGRAM_API_HASH": "topsecret"})
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings.model_dump()}"):
        assert "topsecret" not in shown
        assert KEYS[0] not in shown


def test_settings_do_not_change(tmp_path: Path) -> None:
    """A setting cannot be assigned."""
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path).server.port = 1


def test_who_may_call(tmp_path: Path) -> None:
    """Origins, hosts and proxies are lists of what they are called; nobody may, where nothing is said."""
    settings = load(
        tmp_path,
        {
            "TGBRIDGE_CORS__ALLOWED_ORIGINS": "https://app.example.com, http://localhost:3000,tauri://localhost",
            "TGBRIDGE_SERVER__ALLOWED_HOSTS": "tg.example.com,[::1]",
            "TGBRIDGE_SERVER__TRUSTED_PROXIES": "127.0.0.1,fd00::/8",
        },
    )
    assert settings.cors.allowed_origins == (
        "https://app.example.com",
        "http://localhost:3000",
        "tauri://localhost",
    )
    assert settings.server.allowed_hosts == ("tg.example.com", "[::1]")
    assert settings.server.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("fd00::/8"))
    nothing = load(tmp_path)
    assert (nothing.cors.allowed_origins, nothing.server.trusted_proxies) == ((), ())


def test_what_a_frontend_has_of_our_prefix(tmp_path: Path) -> None:
    """One shell may start the service and a Next.js that is told where it is."""
    assert load(tmp_path, {"TGBRIDGE_URL": "http://127.0.0.1:8080"}) == load(tmp_path)


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo])
def test_data_centre_of_ones_own(tmp_path: Path, form: PublicFormat) -> None:
    """A data centre needs a host; port and id have defaults; all keys in the file are taken."""
    path = tmp_path / "keys.pem"
    path.write_bytes(b"Two keys:\n" + b"\n".join(pem(key, form) for key in RSA_KEYS))
    telegram = load(tmp_path, {"TELEGRAM_DC_HOST": "::1", "TELEGRAM_DC_PUBLIC_KEY": str(path)}).telegram
    assert (telegram.dc_host, telegram.dc_port, telegram.dc_id, telegram.dc_public_key) == (
        "::1",
        443,
        2,
        path,
    )
    numbers = [key.public_numbers() for key in read_public_keys(path)]
    assert numbers == [key.public_numbers() for key in RSA_KEYS]


WRONG = {
    "out of range": ({"TGBRIDGE_SERVER__PORT": "65536"}, "environment: TGBRIDGE_SERVER__PORT: "),
    "no number": ({"TGBRIDGE_POOL__MAX_CLIENTS": "many"}, "environment: TGBRIDGE_POOL__MAX_CLIENTS: "),
    "not finite": ({"TGBRIDGE_POOL__IDLE_SECONDS": "nan"}, "environment: TGBRIDGE_POOL__IDLE_SECONDS: "),
    "no choice": ({"TGBRIDGE_LOG__LEVEL": "loud"}, "environment: TGBRIDGE_LOG__LEVEL: "),
    "unknown": (
        {"TGBRIDGE_SERVER__PROT": "1"},
        "there is no such setting; did you mean TGBRIDGE_SERVER__PORT?",
    ),
    "unknown section": ({"TGBRIDGE_NOTHING": "1"}, "environment: TGBRIDGE_NOTHING: there is no such setting"),
    "in small letters": (
        {"tgbridge_server__port": "1"},
        "tgbridge_server__port: there is no such setting; did you mean TGBRIDGE_SERVER__PORT?",
    ),
    "unknown of a data centre": (
        {"TELEGRAM_DC_HOTS": "x"},
        "environment: TELEGRAM_DC_HOTS: there is no such setting; did you mean TELEGRAM_DC_HOST?",
    ),
    "no Fernet key": (
        {"TGBRIDGE_SECRET_KEYS": f"{KEYS[0]},abc"},
        "environment: TGBRIDGE_SECRET_KEYS: is no Fernet key",
    ),
    "key not Latin": (
        {"TGBRIDGE_SECRET_KEYS": "ключ"},
        "environment: TGBRIDGE_SECRET_KEYS: is no Fernet key",
    ),
    "no id": ({"TELEGRAM_API_ID": "abc"}, "environment: TELEGRAM_API_ID: "),
    "port alone": (
        {"TELEGRAM_DC_PORT": "443"},
        "TELEGRAM_DC_HOST is missing, without which TELEGRAM_DC_PORT",
    ),
    "no such key file": (
        {"TELEGRAM_DC_HOST": "x", "TELEGRAM_DC_PUBLIC_KEY": "/no/such/file"},
        "environment: TELEGRAM_DC_PUBLIC_KEY: cannot read the file: No such file",
    ),
    "part size": (
        {"TGBRIDGE_FILES__PART_BYTES": "12 KiB"},
        "TGBRIDGE_FILES__PART_BYTES: must be a multiple of 4096",
    ),
    "windows": (
        {"TGBRIDGE_FILES__WINDOW_BYTES_PER_STREAM": "64 MiB"},
        "files.window_bytes_per_stream must not be greater than files.window_bytes_per_account",
    ),
    "hashes of more than a part": (
        {"TGBRIDGE_FILES__VERIFY_HASHES": "true", "TGBRIDGE_FILES__FIRST_PART_BYTES": "64 KiB"},
        "files.verify_hashes needs files.first_part_bytes of 128 KiB at least",
    ),
    "idle and lifetime": (
        {"TGBRIDGE_SESSION__LIFETIME_SECONDS": "3600"},
        "session.idle_seconds must not be greater than session.lifetime_seconds",
    ),
    "domain with a dot before it": (
        {"TGBRIDGE_SESSION__DOMAIN": ".example.com"},
        "environment: TGBRIDGE_SESSION__DOMAIN: must be a domain name",
    ),
    "domain of one label": ({"TGBRIDGE_SESSION__DOMAIN": "localhost"}, "TGBRIDGE_SESSION__DOMAIN: must be"),
    "domain in capitals": ({"TGBRIDGE_SESSION__DOMAIN": "Example.com"}, "TGBRIDGE_SESSION__DOMAIN: must be"),
    "domain with an attribute": (
        {"TGBRIDGE_SESSION__DOMAIN": "a.com; x"},
        "TGBRIDGE_SESSION__DOMAIN: must be",
    ),
    "address as a domain": ({"TGBRIDGE_SESSION__DOMAIN": "127.0.0.1"}, "TGBRIDGE_SESSION__DOMAIN: must be"),
    "upload part": (
        {"TGBRIDGE_UPLOAD__PART_BYTES": "3 KiB"},
        "environment: TGBRIDGE_UPLOAD__PART_BYTES: must be",
    ),
    "any origin": (
        {"TGBRIDGE_CORS__ALLOWED_ORIGINS": "https://app.example.com,*"},
        "environment: TGBRIDGE_CORS__ALLOWED_ORIGINS: must be as browsers write it",
    ),
    "no origin": ({"TGBRIDGE_CORS__ALLOWED_ORIGINS": "null"}, "TGBRIDGE_CORS__ALLOWED_ORIGINS: must be"),
    "origin with a path": (
        {"TGBRIDGE_CORS__ALLOWED_ORIGINS": "https://app.example.com/"},
        "TGBRIDGE_CORS__ALLOWED_ORIGINS: must be",
    ),
    "origin with its usual port": (
        {"TGBRIDGE_CORS__ALLOWED_ORIGINS": "https://app.example.com:443"},
        "TGBRIDGE_CORS__ALLOWED_ORIGINS: must be",
    ),
    "host with a port": (
        {"TGBRIDGE_SERVER__ALLOWED_HOSTS": "tg.example.com:443"},
        "environment: TGBRIDGE_SERVER__ALLOWED_HOSTS: must be a host name",
    ),
    "no network": (
        {"TGBRIDGE_SERVER__TRUSTED_PROXIES": "10.0.0.0/8,proxy.example.com"},
        "environment: TGBRIDGE_SERVER__TRUSTED_PROXIES: must be an IP address or a network",
    ),
    "half a network": (
        {"TGBRIDGE_SERVER__TRUSTED_PROXIES": "10.0.0.1/8"},
        "environment: TGBRIDGE_SERVER__TRUSTED_PROXIES: must be an IP address or a network",
    ),
    "media type": (
        {"TGBRIDGE_UPLOAD__ALLOWED_TYPES": "image"},
        "environment: TGBRIDGE_UPLOAD__ALLOWED_TYPES: ",
    ),
}


SERVICE_LINKS = {
    "TGBRIDGE_SERVICE_HOST": "10.0.0.1",
    "TGBRIDGE_SERVICE_PORT": "8080",
    "TGBRIDGE_SERVICE_PORT_HTTP": "8080",
    "TGBRIDGE_PORT": "tcp://10.0.0.1:8080",
    "TGBRIDGE_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "TGBRIDGE_PORT_8080_TCP_PROTO": "tcp",
    "TGBRIDGE_PORT_8080_TCP_PORT": "8080",
    "TGBRIDGE_PORT_8080_TCP_ADDR": "10.0.0.1",
    "TGBRIDGE_SANDBOX_SERVICE_PORT_METRICS_HTTP": "9000",
    "TGBRIDGE_SANDBOX_PORT": "udp://[fd00::1]:9000",
    "TGBRIDGE_SANDBOX_PORT_9000_UDP_ADDR": "fd00::1",
    "TELEGRAM_DC_PORT": "tcp://10.0.0.2:443",
    "TELEGRAM_DC_SERVICE_HOST": "10.0.0.2",
}


def test_service_links(tmp_path: Path) -> None:
    """What Kubernetes says of services that are called as we are is no setting, and stops no start."""
    assert load(tmp_path, SERVICE_LINKS) == load(tmp_path)
    set_beside = SERVICE_LINKS | {"TGBRIDGE_SERVER__PORT": "9"}
    assert load(tmp_path, set_beside).server.port == 9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TGBRIDGE_PORT", "8080"),
        ("TGBRIDGE_SERVER__PORT", "tcp://10.0.0.1:80"),
        ("TGBRIDGE_SERVER__SERVICE_HOST", "10.0.0.1"),
        ("TGBRIDGE_SERVICE_HOSTS", "10.0.0.1"),
        ("TGBRIDGE_PORT_HTTP_TCP", "tcp://10.0.0.1:80"),
        ("tgbridge_service_host", "10.0.0.1"),
    ],
)
def test_no_service_link(tmp_path: Path, name: str, value: str) -> None:
    """What only resembles them is a mistake, and told as one."""
    with pytest.raises(SettingsError, match=f"environment: {name}: "):
        load(tmp_path, {name: value})


@pytest.mark.parametrize(("environ", "told"), WRONG.values(), ids=WRONG.keys())
def test_wrong_variable(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    """A wrong or unknown variable is named in one line, which does not repeat its value."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, environ)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEYS[0] not in str(caught.value)


FILES = {
    "unknown": (
        "config.toml",
        "[server]\nprot = 1",
        "config.toml: server.prot: there is no such setting; did you mean",
    ),
    "unknown section": (
        "config.toml",
        "[sever]\nport = 1",
        "config.toml: sever.port: there is no such setting",
    ),
    "no section": ("config.toml", "port = 1", "config.toml: port: there is no such setting"),
    "section as value": ("config.toml", "server = 1", "config.toml: server: is a section, which has"),
    "several sections": (
        "config.toml",
        "[[server]]\nport = 1",
        "config.toml: server: is a section, which has",
    ),
    "unknown empty section": ("config.toml", "[sever]\n", "config.toml: sever: there is no such setting"),
    "value as section": ("config.toml", "[server.port]\nx = 1", "config.toml: server.port: Input should be"),
    "true as number": (
        "config.toml",
        "[server]\nport = true",
        "config.toml: server.port: Input should not be true or false",
    ),
    "wrong type": (
        "config.toml",
        "[server]\nhost = 1",
        "config.toml: server.host: Input should be a valid string",
    ),
    "no TOML": ("config.toml", "[server", "config.toml: is no TOML file: "),
    "no UTF-8": ("config.toml", "# \udcff", "config.toml: is no TOML file: "),
    "wrong in .env": (".env", "TGBRIDGE_SERVER__PORT=x", ".env: TGBRIDGE_SERVER__PORT: "),
    "no assignment": (".env", "TGBRIDGE_SERVER__PORT=1\n=2\n", ".env: line 2 is not of the form NAME=value"),
    ".env no UTF-8": (".env", "A='\udcff'", ".env: is no UTF-8 text"),
}


@pytest.mark.parametrize(("name", "content", "told"), FILES.values(), ids=FILES.keys())
def test_wrong_file(tmp_path: Path, name: str, content: str, told: str) -> None:
    """What is wrong in a file is told with the file's name, in one line."""
    (tmp_path / name).write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["missing.toml", "."])
def test_config_that_cannot_be_read(tmp_path: Path, path: str) -> None:
    """A --config that is missing, or a directory, is told with its path."""
    with pytest.raises(SettingsError, match=r"there is no such file|cannot be read"):
        load(tmp_path, config=tmp_path / path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        pem(RSA_KEYS[0]).replace(b"MI", b"!!", 1),
        pem(ec.generate_private_key(ec.SECP256R1()).public_key(), PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["empty", "text", "damaged", "elliptic"],
)
def test_wrong_public_key(tmp_path: Path, content: bytes) -> None:
    """A key file without a readable RSA key is refused at the start."""
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="environment: TELEGRAM_DC_PUBLIC_KEY: "):
        load(tmp_path, {"TELEGRAM_DC_HOST": "127.0.0.1", "TELEGRAM_DC_PUBLIC_KEY": str(path)})


def test_documents_name_settings_that_exist(tmp_path: Path) -> None:
    """README and .env.example name no unknown variable; the example is valid as it is."""
    known = {name for path, field in setting_fields() for name in variables(path, field)}
    for document in ("README.md", ".env.example"):
        named = re.findall(r"TGBRIDGE_[A-Z_]+[A-Z]", (ROOT / document).read_text(encoding="utf-8"))
        assert set(named) <= known
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    assert load(tmp_path) == Settings()
