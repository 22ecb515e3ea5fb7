"""How files are read from Telegram, and sent to it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ByteSize, Field, field_validator, model_validator

from tgbridge.settings.section import Section, ascending, setting

KIB: Final = 1024
MIB: Final = 1024 * KIB
HASHED_BYTES: Final = 128 * KIB
"""How long the blocks are of which Telegram tells the hashes (https://core.telegram.org/constructor/fileHash)."""

_DAY: Final = 86400.0
_SHARED_WINDOWS: Final = ("window_bytes_per_account", "window_bytes_per_process")


def _telegram_part_size(value: int) -> int:
    # upload.getFile: offset and limit are multiples of 4096, and the limit divides 1 MiB
    # (https://core.telegram.org/api/files#downloading-files).
    if value % 4096 or MIB % value:
        raise ValueError("must be a multiple of 4096 bytes that divides 1 MiB")
    return value


FilePartSize = Annotated[ByteSize, Field(ge=4096, le=MIB), AfterValidator(_telegram_part_size)]


class FilesSettings(Section):
    """Reading files from Telegram's data centres."""

    connections_per_dc: int = setting(
        4, "connections", "Per account, as Telegram's own apps open for downloads.", ge=1, le=16
    )
    pacing: Literal["adaptive", "tdlib"] = setting(
        "adaptive",
        "adaptive or tdlib",
        "adaptive: as fast as it goes; what Telegram makes wait learns to be slower, for a while. "
        "tdlib: never more in flight than Telegram's own apps have.",
    )
    part_bytes: FilePartSize = setting(
        ByteSize(MIB), "bytes", "The largest that upload.getFile answers: the fewest round trips."
    )
    first_part_bytes: FilePartSize = setting(
        ByteSize(128 * KIB), "bytes", "Small, so that the first byte comes soon."
    )
    window_bytes_per_stream: ByteSize = setting(
        ByteSize(24 * MIB), "bytes", "In flight or unread: 300 MB/s at 80 ms round trip.", ge=MIB
    )
    window_bytes_per_account: ByteSize = setting(
        ByteSize(32 * MIB), "bytes", "For all streams of an account together.", ge=MIB
    )
    window_bytes_per_process: ByteSize = setting(
        ByteSize(128 * MIB), "bytes", "For all streams together: what the memory has to hold.", ge=MIB
    )
    cache_bytes_per_account: ByteSize = setting(
        ByteSize(8 * MIB), "bytes; 0 keeps nothing", "Players ask for the same range again.", ge=0
    )
    messages_per_account: int = setting(
        10_000,
        "messages",
        "What they hold is known without asking, if it was listed or read: 1 KB each.",
        ge=0,
        le=1_000_000,
    )
    messages_per_process: int = setting(
        50_000, "messages", "For all accounts together: what the memory has to hold.", ge=0, le=10_000_000
    )
    thumbnail_bytes_per_account: ByteSize = setting(
        ByteSize(8 * MIB), "bytes; 0 keeps nothing", "A page that is looked at again asks for 3 MiB.", ge=0
    )
    thumbnail_bytes_per_process: ByteSize = setting(
        ByteSize(64 * MIB), "bytes", "For all accounts together: what the memory has to hold.", ge=0
    )
    idle_seconds: float = setting(
        60.0,
        "seconds",
        "How long a connection for files is kept on which nothing is asked: another one costs a round trip.",
        gt=0,
        le=_DAY,
    )
    stall_seconds: float = setting(
        10.0,
        "seconds",
        "After so long a reader that takes nothing (a paused video) lends memory and client to others.",
        gt=0,
        le=_DAY,
    )
    abandon_seconds: float = setting(
        300.0,
        "seconds",
        "After so long more it is cut off, if others wait for memory: a player asks anew where it was.",
        gt=0,
        le=_DAY,
    )
    min_bytes_per_second: int = setting(
        0,
        "bytes per second; 0 asks for none",
        "Who is over a minute behind a reader of a file at this rate is cut off. A paused video takes "
        "nothing, and costs little more than its connection.",
        ge=0,
        le=1_073_741_824,
    )
    verify_hashes: bool = setting(
        False,
        "true or false",
        "Whether to check parts by upload.getFileHashes too: more requests."
        " The hashes are of blocks of 128 KiB, of which no part may be smaller.",
    )

    @model_validator(mode="after")
    def _windows_nest(self) -> Self:
        ascending(
            "files", self, "first_part_bytes", "part_bytes", "window_bytes_per_stream", *_SHARED_WINDOWS
        )
        return self

    @model_validator(mode="after")
    def _parts_hold_whole_blocks(self) -> Self:
        if self.verify_hashes and self.first_part_bytes < HASHED_BYTES:
            raise ValueError("files.verify_hashes needs files.first_part_bytes of 128 KiB at least")
        return self


class UploadSettings(Section):
    """Sending files to Saved Messages."""

    max_bytes: ByteSize = setting(
        ByteSize(4000 * MIB),
        "bytes",
        "Telegram's own limit with Premium: 8000 parts of 512 KiB. Without Premium it takes 2000 MiB.",
        ge=1,
        le=4000 * MIB,
    )
    allowed_types: tuple[Annotated[str, Field(pattern=r"^[^\s/,]+/[^\s/,]+$")], ...] = setting(
        ("*/*",), "list of media types, * for any", "Telegram stores any file.", min_length=1
    )
    part_bytes: ByteSize = setting(
        ByteSize(512 * KIB), "bytes", "The largest that Telegram takes: the fewest round trips.", ge=KIB
    )
    idle_seconds: float = setting(
        60.0, "seconds", "How long a browser may be silent within a file: a phone in a tunnel.", gt=0, le=3600
    )
    min_bytes_per_second: int = setting(
        1024,
        "bytes per second; 0 asks for none",
        "Who sends less on average makes room for others: half of what a telephone reaches on its oldest "
        "network (GPRS). Silence of idle_seconds is no offence of one that has sent enough before.",
        ge=0,
        le=MIB,
    )
    uploads_per_account: int = setting(
        32,
        "uploads",
        "How many may be sending at the same time, each of which keeps room for a part; more wait for it.",
        ge=1,
        le=10_000,
    )
    window_bytes_per_upload: ByteSize = setting(
        ByteSize(16 * MIB), "bytes", "In memory and not yet confirmed: 200 MB/s at 80 ms round trip.", ge=MIB
    )
    window_bytes_per_account: ByteSize = setting(
        ByteSize(32 * MIB), "bytes", "For all uploads of an account together.", ge=MIB
    )
    window_bytes_per_process: ByteSize = setting(
        ByteSize(128 * MIB), "bytes", "For all uploads together: what the memory has to hold.", ge=MIB
    )

    resume_seconds: float = setting(
        6 * 3600.0,
        "seconds",
        "How long a resumable upload waits for its client; Telegram does not keep parts for ever.",
        gt=0,
        le=_DAY,
    )

    @field_validator("part_bytes")
    @classmethod
    def _valid_part(cls, value: int) -> int:
        # https://core.telegram.org/api/files#uploading-files
        if value % KIB or 512 * KIB % value:
            raise ValueError("must be a multiple of 1 KiB that divides 512 KiB")
        return value

    @model_validator(mode="after")
    def _windows_nest(self) -> Self:
        ascending("upload", self, "window_bytes_per_upload", *_SHARED_WINDOWS)
        return self
