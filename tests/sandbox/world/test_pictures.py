"""What is made of pictures and videos: with Pillow, and that all goes on without it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from telethon import types, utils

from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.world import pictures
from tgbridge.sandbox.world.images import probe

if TYPE_CHECKING:
    from tests.sandbox.conftest import SignIn

EXIF_ORIENTATION, LEFT = 0x0112, 6


def whole(source: Any) -> bytes:
    content: bytes = source.read(0, source.size)
    return content


def encoded(kind: str, mode: str, size: tuple[int, int], **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **options)
    return out.getvalue()


def made_of(content: bytes) -> pictures.Made:
    probed = probe(content)
    assert probed is not None
    made = pictures.of_photo(content, probed)
    assert made is not None
    return made


def check(made: pictures.Made) -> list[tuple[str, int, int]]:
    """Each is a JPEG of its stated extent; the preview becomes one as well."""
    for size in made.sizes:
        assert isinstance(size.source, bytes)
        with Image.open(io.BytesIO(size.source)) as image:
            assert (image.format, image.size) == ("JPEG", (size.width, size.height))
    assert made.stripped is not None
    with Image.open(io.BytesIO(utils.stripped_photo_to_jpg(made.stripped))) as image:
        assert image.size == (made.stripped[2], made.stripped[1])
        assert max(image.size) <= 40
        image.load()
    return [(size.letter, size.width, size.height) for size in made.sizes]


def test_sizes_of_a_photo() -> None:
    """All that are smaller, and the photo itself, byte for byte."""
    content = whole(PHOTOS["noon"].largest.source)
    made = made_of(content)
    assert check(made) == [("s", 100, 56), ("m", 320, 180), ("x", 800, 450), ("y", 1280, 720)]
    assert made.sizes[-1].source == content


def test_too_large_a_picture_is_none() -> None:
    """What says of itself that it is larger than anybody could decode is no picture."""
    content = b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff" * 6
    probed = probe(content)
    assert probed is not None
    assert pictures.of_photo(content, probed) is None


@pytest.mark.parametrize(
    ("content", "sizes"),
    [
        (encoded("PNG", "RGBA", (300, 200)), [("s", 100, 67), ("m", 300, 200)]),
        (encoded("PNG", "1", (90, 40)), [("s", 90, 40)]),
        (encoded("PNG", "P", (90, 40), transparency=0), [("s", 90, 40)]),
        (encoded("PNG", "I;16", (90, 40)), [("s", 90, 40)]),
        (encoded("WEBP", "RGBA", (90, 40)), [("s", 90, 40)]),
        (encoded("GIF", "P", (90, 40)), [("s", 90, 40)]),
        (encoded("JPEG", "CMYK", (90, 40)), [("s", 90, 40)]),
    ],
    ids=["alpha", "bits", "palette", "deep", "webp", "gif", "cmyk"],
)
def test_other_pictures_become_jpegs(content: bytes, sizes: list[tuple[str, int, int]]) -> None:
    """As Telegram makes of each photo, whatever it was."""
    assert check(made_of(content)) == sizes


def test_the_largest_size() -> None:
    """No photo is larger than 2560 pixels, whatever was sent."""
    assert check(made_of(encoded("JPEG", "L", (4000, 1000))))[-1] == ("w", 2560, 640)


def test_a_photo_that_lies_on_its_side() -> None:
    """Is turned upright, in all sizes alike."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = LEFT
    assert check(made_of(encoded("JPEG", "RGB", (400, 300), exif=exif))) == [
        ("s", 75, 100),
        ("m", 240, 320),
        ("x", 300, 400),
    ]


def test_what_cannot_be_read() -> None:
    """Nothing is made of it, and nothing is raised."""
    content = whole(PHOTOS["noon"].largest.source)
    probed = probe(content)
    assert probed is not None
    for broken in (b"", b"no picture", content[:300]):
        assert pictures.of_photo(broken, probed) is None
        assert pictures.of_file(broken) == pictures.Made()
        assert pictures.preview(broken) is None


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (1920, 1080, (320, 180)),
        (240, 240, (320, 320)),
        (0, 0, (320, 180)),
        (-5, 9, (320, 180)),
        (1, 5000, (1, 320)),
    ],
)
def test_posters(width: int, height: int, size: tuple[int, int]) -> None:
    """A picture of the video's proportions; another one for another video, and the same each time."""
    made = pictures.poster(width, height, b"one")
    assert check(made) == [("m", *size)]
    assert made == pictures.poster(width, height, b"one")


async def send(client: Any, content: bytes, name: str, *attributes: Any, **options: Any) -> Any:
    file = io.BytesIO(content)
    file.name = name
    return await client.send_file("me", file, attributes=list(attributes), **options)


async def test_what_a_client_is_given(sign_in: SignIn) -> None:
    """Photos have sizes, pictures and videos a thumbnail, all of them a preview; other files have none."""
    client = await sign_in()
    jpeg = whole(PHOTOS["noon"].largest.source)
    photo = (await send(client, jpeg, "a.jpg")).photo
    assert [size.type for size in photo.sizes] == ["i", "s", "m", "x", "y"]
    picture = await send(client, jpeg, "a.jpg", force_document=True)
    assert [(size.type, size.w, size.h) for size in picture.document.thumbs[1:]] == [("m", 320, 180)]
    film = await send(client, b"film", "a.mp4", types.DocumentAttributeVideo(5, 640, 480))
    stripped, thumb = film.document.thumbs
    assert isinstance(stripped, types.PhotoStrippedSize)
    assert (thumb.w, thumb.h) == (320, 240)
    assert (await client.download_media(film, bytes, thumb=1)).startswith(b"\xff\xd8\xff")
    assert (await send(client, b"text", "a.txt")).document.thumbs is None


async def test_without_pillow(monkeypatch: pytest.MonkeyPatch, sign_in: SignIn) -> None:
    """A photo keeps its bytes as its only size, files have no thumbnail, and everything else is as it was."""
    monkeypatch.setattr(pictures, "available", lambda: False)
    client = await sign_in()
    jpeg = whole(PHOTOS["noon"].largest.source)
    sent = await send(client, jpeg, "a.jpg")
    assert [(size.type, size.w, size.h) for size in sent.photo.sizes] == [("y", 1280, 720)]
    assert await client.download_media(sent, bytes) == jpeg
    film = await send(client, whole(DOCUMENTS["dots"].blob), "a.mp4", types.DocumentAttributeVideo(5, 64, 48))
    assert film.document.thumbs is None
    picture = await send(
        client, jpeg, "a.jpg", force_document=True, thumb=whole(PHOTOS["noon"].sizes[1].source)
    )
    (thumb,) = picture.document.thumbs
    assert (thumb.type, thumb.w, thumb.h) == ("m", 320, 180)
