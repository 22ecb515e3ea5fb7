"""help.*: what clients ask before anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import method
from tgbridge.sandbox.methods.messages import MAX_CAPTION, MAX_CAPTION_PREMIUM, MAX_TEXT
from tgbridge.sandbox.world.uploads import MAX_PARTS, MAX_PARTS_PREMIUM

if TYPE_CHECKING:
    from tgbridge.sandbox.dispatch import Call

_EXPIRES = timedelta(hours=1)
_MINUTE_MS = 60_000
# https://core.telegram.org/api/config#client-configuration
_APP_CONFIG = {
    "caption_length_limit_default": MAX_CAPTION,
    "caption_length_limit_premium": MAX_CAPTION_PREMIUM,
    "upload_max_fileparts_default": MAX_PARTS,
    "upload_max_fileparts_premium": MAX_PARTS_PREMIUM,
}
_APP_CONFIG_HASH = 1


@method(functions.help.GetConfigRequest)
async def get_config(call: Call, _request: functions.help.GetConfigRequest) -> types.Config:
    """List the data centres and Telegram's limits, https://core.telegram.org/method/help.getConfig."""
    now = datetime.fromtimestamp(int(call.sandbox.now()), UTC)
    options = []
    for centre in call.sandbox.data_centres.values():
        ipv6 = ":" in centre.address.host
        host, port = centre.address
        options.append(types.DcOption(centre.id, host, port, ipv6=ipv6, static=True))
        host, port = centre.media_address
        options.append(types.DcOption(centre.id, host, port, ipv6=ipv6, media_only=True))
    cdn = call.sandbox.cdn
    host, port = cdn.address
    options.append(types.DcOption(cdn.id, host, port, ipv6=":" in host, cdn=True))
    return types.Config(
        date=now,
        expires=now + _EXPIRES,
        test_mode=True,
        this_dc=call.dc.id,
        dc_options=options,
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=2 * _MINUTE_MS,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=_MINUTE_MS,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2_147_483_647,
        revoke_pm_time_limit=2_147_483_647,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=MAX_CAPTION,
        message_length_max=MAX_TEXT,
        webfile_dc_id=call.dc.id,
    )


@method(functions.help.GetAppConfigRequest)
async def get_app_config(
    _call: Call, request: functions.help.GetAppConfigRequest
) -> types.help.AppConfig | types.help.AppConfigNotModified:
    """Give what apps are to know of limits, https://core.telegram.org/method/help.getAppConfig."""
    if request.hash == _APP_CONFIG_HASH:
        return types.help.AppConfigNotModified()
    values = [types.JsonObjectValue(name, types.JsonNumber(value)) for name, value in _APP_CONFIG.items()]
    return types.help.AppConfig(_APP_CONFIG_HASH, types.JsonObject(values))


@method(functions.help.GetNearestDcRequest)
async def get_nearest_dc(call: Call, _request: functions.help.GetNearestDcRequest) -> types.NearestDc:
    """Name the data centre that was asked as the nearest."""
    return types.NearestDc(country="DE", this_dc=call.dc.id, nearest_dc=call.dc.id)


@method(functions.help.GetCdnConfigRequest)
async def get_cdn_config(call: Call, _request: functions.help.GetCdnConfigRequest) -> types.CdnConfig:
    """Give the public key of the CDN's data centre, https://core.telegram.org/method/help.getCdnConfig."""
    cdn = call.sandbox.cdn
    return types.CdnConfig([types.CdnPublicKey(cdn.id, cdn.server_key.public_pem)])
