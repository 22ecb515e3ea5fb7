"""A video whose index stands at its end, played by a real browser: `make browser-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from yarl import URL

from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from tests.browser.conftest import Page
    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

_PLAY = """
(async () => {
    const video = document.createElement("video");
    const seen = [];
    const happens = (name) => new Promise((resolve, reject) => {
        video.addEventListener(name, () => { seen.push(name); resolve(); }, {once: true});
        video.addEventListener("error", () => reject(new Error(video.error.message)), {once: true});
    });
    video.muted = true;
    video.src = "%s";
    document.body.append(video);
    await happens("loadedmetadata");
    await video.play();
    await happens("timeupdate");
    const seek = async (to) => {
        const sought = happens("seeked");
        video.currentTime = to;
        await sought;
        await happens("timeupdate");
        return video.currentTime >= to;
    };
    const forward = await seek(video.duration - 5);
    const back = await seek(3);
    const last = happens("ended");
    video.currentTime = video.duration - 1;
    await last;
    return {seen, forward, back, duration: video.duration, at: video.currentTime,
            width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames};
})()
"""


async def test_a_video_with_its_index_at_the_end_starts_seeks_and_ends(
    page: Page,
    frontend: str,
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    sign_in: SignIn,
) -> None:
    """Chromium finds the moov atom by ranges, plays, seeks both ways, and comes to the end."""
    # The page is of another origin than the service, which has to allow it.
    service = await serve(make_settings(cors={"allowed_origins": [frontend.rstrip("/")]}))
    signed_in = new_browser(service)
    await sign_in(signed_in)
    # By name: for Chromium, two ports of one address are not the same site.
    url = str(URL(service.url).with_host("localhost").origin())
    for cookie in signed_in.cookie_jar:
        await page.call("Network.setCookie", name=cookie.key, value=cookie.coded_value, url=url, path="/")
    message_id = IDS["video_moov_last"]

    played: dict[str, Any] = await page.evaluate(_PLAY % f"{url}/stream_media/{message_id}")

    assert played["forward"]
    assert played["back"]
    assert played["at"] == pytest.approx(played["duration"], abs=0.5)
    assert played["frames"] > 0
    answers = [
        answer for answer in page.responses if urlsplit(answer["url"]).path.startswith("/stream_media")
    ]
    assert {answer["status"] for answer in answers} == {206}
    starts = [int(answer["headers"]["Content-Range"].split()[1].partition("-")[0]) for answer in answers]
    # The file's 24 MB do not have to come for the index behind them, nor for a seek.
    assert any(start > 20_000_000 for start in starts)
