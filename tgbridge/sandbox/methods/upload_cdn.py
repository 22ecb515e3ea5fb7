"""upload.*: what concerns the CDN data centre.

Source: https://core.telegram.org/cdn
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.methods.upload import check_range
from tgbridge.sandbox.world import cdn

if TYPE_CHECKING:
    from tgbridge.sandbox.world.cdn import CdnFile


@method(functions.upload.GetCdnFileRequest)
async def get_cdn_file(call: Call, request: functions.upload.GetCdnFileRequest) -> Any:
    """Give an encrypted part of a file, to anybody, or tell that it has to be handed over first."""
    if call.dc.id != call.sandbox.state.cdn.dc_id:
        raise RpcError(400, "CDN_METHOD_INVALID")
    file = _file(call, request.file_token)
    check_range(request.offset, request.limit, precise=False)
    if not file.stored:
        return types.upload.CdnFileReuploadNeeded(file.request_token)
    return types.upload.CdnFile(file.read(request.offset, request.limit))


@method(functions.upload.ReuploadCdnFileRequest)
async def reupload_cdn_file(
    call: Call, request: functions.upload.ReuploadCdnFileRequest
) -> list[types.FileHash]:
    """Hand a file over to the CDN data centre."""
    file = _file(call, request.file_token)
    if call.account.id != file.file.owner:
        raise RpcError(400, "FILE_TOKEN_INVALID")
    if request.request_token != file.request_token:
        raise RpcError(400, "REQUEST_TOKEN_INVALID")
    file.stored = True
    return cdn.hashes(file.blob, 0)


@method(functions.upload.GetCdnFileHashesRequest)
async def get_cdn_file_hashes(
    call: Call, request: functions.upload.GetCdnFileHashesRequest
) -> list[types.FileHash]:
    """Give hashes of the next pieces of a file, decrypted."""
    file = _file(call, request.file_token)
    if call.account.id != file.file.owner:
        raise RpcError(400, "FILE_TOKEN_INVALID")
    return cdn.hashes(file.blob, request.offset)


def _file(call: Call, token: bytes) -> CdnFile:
    file: CdnFile | None = call.sandbox.state.cdn.get(token)
    if file is None:
        raise RpcError(400, "FILE_TOKEN_INVALID")
    return file
