"""What is written under a file: as Telegram is given it, and how long Telegram lets it be.

Sources: https://core.telegram.org/api/config#caption-length-limit-default, #caption-length-limit-premium
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import SessionEnded, TelegramRefused
from tgbridge.telegram.account.login import get_me

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.telegram.client import BridgeClient

CAPTION_TOO_LONG: Final = "MEDIA_CAPTION_TOO_LONG"

# UTF-16 code units. What Telegram's documentation names, where its configuration does not.
_LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {"caption_length_limit_default": 1024, "caption_length_limit_premium": 4096}
)


def normalised(text: str) -> str:
    """Return a caption as Telegram is given it: a line break is one character, LF.

    Browsers make CRLF of it in forms (https://html.spec.whatwg.org/#multipart-form-data), and nowhere else.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def caption_length(caption: str) -> int:
    """Return the UTF-16 code units that count: Telegram cuts off white space at both ends."""
    return len(caption.strip().encode("utf-16-le")) // 2


async def check_caption(client: BridgeClient, caption: str) -> None:
    """Raise TelegramRefused MEDIA_CAPTION_TOO_LONG for one that Telegram will refuse from this account.

    Telegram is asked for its limit only where a caption is beyond what everybody may write. Raises other
    TelegramFailure kinds too.
    """
    length = caption_length(caption)
    if length > min(_LIMITS.values()) and length > await _longest(client):
        raise TelegramRefused(CAPTION_TOO_LONG)


async def _longest(client: BridgeClient) -> int:
    user = await get_me(client)
    name = "caption_length_limit_premium" if user.is_premium else "caption_length_limit_default"
    return (await _configured(client)).get(name, _LIMITS[name])


async def _configured(client: BridgeClient) -> Mapping[str, int]:
    """Return the numbers of the client configuration (https://core.telegram.org/method/help.getAppConfig)."""
    try:
        answer = await client.patiently(functions.help.GetAppConfigRequest(hash=0))
    except SessionEnded:
        raise
    except TelegramRefused:
        return {}  # what is documented will do
    entries: list[Any] = getattr(getattr(answer, "config", None), "value", [])
    return {
        entry.key: int(entry.value.value) for entry in entries if isinstance(entry.value, types.JsonNumber)
    }
