"""The example in a real Chromium, driven by Playwright: `make example-test`.

A scenario is a script of node's; what its page cannot do, this side of it does when asked.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from telethon.tl import types

from tests.browser.conftest import binary
from tests.devices import device, scan
from tests.nextjs.conftest import free_port
from tests.nginx.test_nginx import HOST, nginx, sites, write_certificate, write_site
from tests.npm import installed
from tgbridge.sandbox.seeds import IDS
from tgbridge.telegram.saved.saved_media import SavedMedia

if TYPE_CHECKING:
    from tests.conftest import MakeSettings, Serve
    from tests.nextjs.conftest import App
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.example, pytest.mark.timeout(900)]

HERE: Final = Path(__file__).parent
PICTURES: Final = HERE / "pictures"
PHONE: Final = "+9996610001"
UPLOADER: Final = "+9996610003"
GALLERY: Final = 2000
PHOTO_VIDEO: Final = types.InputMessagesFilterPhotoVideo()
PHOTOS: Final = ("photo", "album_1", "forwarded_photo", "album_2", "album_3")


class Stage:
    """Everything beside the page: other devices of the account, files, and what is true at Telegram."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self._sandbox = sandbox
        self._large = directory / "large.bin"

    def fill(self) -> None:
        """Take photos, six a day, for a year."""
        account = self._sandbox.state.account_of(PHONE)
        photos = [photo for name in PHOTOS if (photo := account.history.get(IDS[name]))]
        for number, photo in zip(range(GALLERY), itertools.cycle(photos), strict=False):
            date = photos[0].date + timedelta(hours=4 * (number + 1))
            account.add_message(f"Number {number}", media=photo.media, date=date)

    def _media(self, phone: str = PHONE) -> list[SavedMedia]:
        history = self._sandbox.state.account_of(phone).history
        return [media for message in history if (media := SavedMedia.of(message)) is not None]

    async def extent(self) -> dict[str, Any]:
        """Look how many photos and videos there are at Telegram, and which is the oldest."""
        async with device(self._sandbox, PHONE) as telephone:
            [oldest] = found = await telephone.get_messages("me", limit=1, reverse=True, filter=PHOTO_VIDEO)
        return {"total": found.total, "oldest": oldest.id}

    async def film(self) -> dict[str, Any]:
        return {"id": IDS["video_moov_last"]}

    async def scan(self, url: str) -> dict[str, Any]:
        async with device(self._sandbox, PHONE) as telephone:
            await scan(telephone, url)
        return {}

    async def revoke(self) -> dict[str, Any]:
        account = self._sandbox.state.account_of(PHONE)
        self._sandbox.faults.revoke(account=account.id, error="SESSION_REVOKED")
        return {}

    async def add(self, caption: str, phone: str = PHONE) -> dict[str, Any]:
        async with device(self._sandbox, phone) as telephone:
            [sunset] = await telephone.get_messages("me", ids=[IDS["photo"]])
            message = await telephone.send_file("me", sunset.media, caption=caption)
        return {"id": message.id}

    async def edit(self, message: int, caption: str) -> dict[str, Any]:
        async with device(self._sandbox, PHONE) as telephone:
            await telephone.edit_message("me", message, caption)
        return {}

    async def delete(self, message: int, phone: str = PHONE) -> dict[str, Any]:
        async with device(self._sandbox, phone) as telephone:
            await telephone.delete_messages("me", [message])
        return {}

    async def file(self, size: int) -> dict[str, Any]:
        self._large.write_bytes(random.Random(1).randbytes(size))
        return {"path": str(self._large)}

    async def sent(self) -> dict[str, Any]:
        """Look for the file at Telegram, with another client."""
        async with device(self._sandbox, UPLOADER) as telephone:
            found = [message async for message in telephone.iter_messages("me", search="large.bin")]
            content = await telephone.download_media(found[0], bytes)
        return {"messages": len(found), "same": content == self._large.read_bytes()}

    async def gone(self) -> dict[str, Any]:
        """Wait until nothing by that name is left at Telegram."""
        while any(media.item.name == "large.bin" for media in self._media(UPLOADER)):
            await asyncio.sleep(0.1)
        return {}


async def play(scenario: str, url: str, stage: Stage, directory: Path, *flags: str) -> None:
    """Run a scenario, doing what it asks for. Flags are Chromium's."""
    for script in HERE.glob("*.mjs"):
        (directory / script.name).write_bytes(script.read_bytes())
    (directory / "node_modules").symlink_to(installed(HERE / "package.json") / "node_modules")
    arguments = (str(directory / f"{scenario}.mjs"), url, str(PICTURES), binary(), *flags)
    process = await asyncio.create_subprocess_exec(
        "node",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told: dict[str, Any] = {}
    try:
        async for line in process.stdout:
            told = json.loads(line)
            if "ask" in told:
                answer = await getattr(stage, told.pop("ask"))(**told)
                process.stdin.write(json.dumps(answer).encode() + b"\n")
            elif "note" in told:
                PICTURES.joinpath(f"{scenario}.json").write_text(json.dumps(told["note"]))
    finally:
        if process.returncode is None and not told.get("done"):
            process.kill()  # Playwright takes SIGTERM for its own, and stays
        _, errors = await process.communicate()
    assert told.get("done"), errors.decode()


@pytest.mark.parametrize("scenario", ["login", "gallery", "upload", "kinds"])
async def test_example(
    scenario: str,
    example: App,
    sandbox: Sandbox,
    serve: Serve,
    make_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    """Its own text says what it shows; pictures are in tests/example/pictures."""
    await serve(make_settings(server={"port": example.service_port, "trusted_proxies": ["127.0.0.1"]}))
    stage = Stage(sandbox, tmp_path)
    if scenario == "gallery":
        stage.fill()
    await play(scenario, example.url, stage, tmp_path)


async def test_at_another_port(
    elsewhere: App, sandbox: Sandbox, serve: Serve, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """The page asks the service itself, by CORS and with the cookie."""
    settings = make_settings(
        server={"port": elsewhere.service_port}, cors={"allowed_origins": [elsewhere.url]}
    )
    await serve(settings)
    await play("tour", elsewhere.url, Stage(sandbox, tmp_path), tmp_path)


async def test_behind_nginx(
    example: App, sandbox: Sandbox, serve: Serve, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """One host for pages and service, over https and HTTP/2, with the cookie `__Host-tgbridge`."""
    server = {"port": example.service_port, "trusted_proxies": ["127.0.0.1"]}
    await serve(make_settings(server=server, session={"secure": True}))
    port = free_port()
    pages = example.url.removeprefix("http://localhost:")
    write_certificate(tmp_path)
    write_site(tmp_path, **sites(tmp_path, port, f"127.0.0.1:{example.service_port}", f"127.0.0.1:{pages}"))
    url = f"https://{HOST}:{port}"
    async with nginx(tmp_path, port):
        await play(
            "tour", url, Stage(sandbox, tmp_path), tmp_path, f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
        )


async def test_with_next_15(
    older: App, sandbox: Sandbox, serve: Serve, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """The same pages, with middleware.ts instead of proxy.ts."""
    await serve(make_settings(server={"port": older.service_port, "trusted_proxies": ["127.0.0.1"]}))
    await play("tour", older.url, Stage(sandbox, tmp_path), tmp_path)
