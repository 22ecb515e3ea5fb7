"""What can be set: one tree of frozen values, each with unit, default, bounds and reason, and where from."""

from tgbridge.settings.files import MIB, FilesSettings, UploadSettings
from tgbridge.settings.login import QrLoginSettings, SessionSettings
from tgbridge.settings.server import CorsSettings, LimitsSettings, ServerSettings
from tgbridge.settings.tree import LogSettings, PoolSettings, Settings, TelegramSettings

__all__ = (
    "MIB",
    "CorsSettings",
    "FilesSettings",
    "LimitsSettings",
    "LogSettings",
    "PoolSettings",
    "QrLoginSettings",
    "ServerSettings",
    "SessionSettings",
    "Settings",
    "TelegramSettings",
    "UploadSettings",
)
