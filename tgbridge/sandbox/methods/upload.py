"""upload.*: parts of files, in and out.

Source: https://core.telegram.org/api/files
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.world import cdn
from tgbridge.sandbox.world.uploads import MAX_PARTS, MAX_PARTS_PREMIUM

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.files import StoredFile

_SEE_OTHER = 303
_STEP, _PRECISE_STEP = 4096, 1024
MEBIBYTE = 1 << 20


@method(functions.upload.SaveFilePartRequest)
async def save_file_part(call: Call, request: functions.upload.SaveFilePartRequest) -> bool:
    """Keep a part of a file of up to 10 MiB."""
    account: Account = call.account
    call.sandbox.state.uploads.save_small(
        (account.id, call.dc.id, request.file_id), request.file_part, request.bytes, limit=_max_parts(account)
    )
    return True


@method(functions.upload.SaveBigFilePartRequest)
async def save_big_file_part(call: Call, request: functions.upload.SaveBigFilePartRequest) -> bool:
    """Keep a part of a larger file."""
    account: Account = call.account
    call.sandbox.state.uploads.save_big(
        (account.id, call.dc.id, request.file_id),
        request.file_part,
        request.file_total_parts,
        request.bytes,
        limit=_max_parts(account),
    )
    return True


@method(functions.upload.GetFileRequest)
async def get_file(call: Call, request: functions.upload.GetFileRequest) -> Any:
    """Give a part of a file."""
    stored, letter = _locate(call, request.location)
    check_range(request.offset, request.limit, precise=bool(request.precise))
    if stored.cdn and request.cdn_supported and letter == stored.main:
        return call.sandbox.state.cdn.redirect(stored)
    content = stored.blobs[letter].read(request.offset, request.limit)
    return types.upload.File(stored.storage_type(letter), stored.mtime, content)


@method(functions.upload.GetFileHashesRequest)
async def get_file_hashes(call: Call, request: functions.upload.GetFileHashesRequest) -> list[types.FileHash]:
    """Give the SHA-256 of the next pieces of a file."""
    stored, letter = _locate(call, request.location)
    return cdn.hashes(stored.blobs[letter], request.offset)


def check_range(offset: int, limit: int, *, precise: bool) -> None:
    """Hold a request to the rules. Raises RpcError 400 OFFSET_INVALID, LIMIT_INVALID.

    Both are multiples of 4096, the limit divides a mebibyte (``precise``: both are multiples of 1024, the
    limit is a mebibyte at most), and no request crosses a border between mebibytes.
    """
    step = _PRECISE_STEP if precise else _STEP
    if offset < 0 or offset % step:
        raise RpcError(400, "OFFSET_INVALID")
    if not 0 < limit <= MEBIBYTE or limit % step or (MEBIBYTE % limit and not precise):
        raise RpcError(400, "LIMIT_INVALID")
    if offset // MEBIBYTE != (offset + limit - 1) // MEBIBYTE:
        raise RpcError(400, "LIMIT_INVALID")


def _max_parts(account: Account) -> int:
    return MAX_PARTS_PREMIUM if account.premium else MAX_PARTS


def _locate(call: Call, location: Any) -> tuple[StoredFile, str]:
    account: Account = call.account
    files = call.sandbox.state.files
    match location:
        case types.InputDocumentFileLocation():
            kind = "document"
        case types.InputPhotoFileLocation():
            kind = "photo"
        case _:
            raise RpcError(400, "LOCATION_INVALID")
    stored: StoredFile | None = files.find(kind, location.id, location.access_hash, account.id)
    if stored is None:
        raise RpcError(400, "FILE_ID_INVALID")
    if stored.dc_id != call.dc.id:
        raise RpcError(_SEE_OTHER, f"FILE_MIGRATE_{stored.dc_id}")
    files.check_reference(location.id, location.file_reference)
    if location.thumb_size not in stored.blobs:
        raise RpcError(400, "LOCATION_INVALID")
    return stored, location.thumb_size
