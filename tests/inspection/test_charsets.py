"""Names whose charset nobody has told."""

from __future__ import annotations

import encodings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.inspection.charsets import decoded, readable

NAMES = {
    "utf-8": ("Отчёт.docx|写真.jpg|Résumé.pdf|plain.txt"),
    "cp1251": (
        "Отчёт за май.docx|привет.txt|ДОГОВОР.pdf|фото 2024.jpg|Иванов_резюме.doc|я.txt|"
        "Документ (копия).pdf|«Кот».png|№5.txt|Привіт.txt|ФОТО.JPG|АБ.txt|Ёлка.mp3|"
        "Счет-фактура № 12 от 01.02.2024.xlsx"
    ),
    "cp1252": (
        "Résumé.pdf|Übersicht.txt|café.jpg|señor niño.mp3|Ñandú.txt|à la carte.doc|Größe.txt|"
        "l\u2019été.txt|naïve.txt|ÉTÉ.jpg|Müller & Söhne.pdf|100 €.txt|Ærø.jpg|"
        "Björk \u2013 Jóga.mp3|Ça va.mp3|Données à été.pdf"
    ),
    "gbk": (
        "测试.txt|新建文档.docx|照片 2024.jpg|周杰伦 - 青花瓷.mp3|中国.pdf|简历.doc|我的文件.zip|"
        "合同\uff08最终版\uff09.pdf|你好.txt|北京大学.pdf|微信图片.jpg|发票.pdf"
    ),
    "shift_jis": (
        "テスト.txt|写真.jpg|履歴書.docx|こんにちは.txt|東京.pdf|資料\uff08最終\uff09.pdf|"
        "新しいフォルダー.zip|会議議事録.doc|日本語.txt|スクリーンショット.png|表.txt|請求書.pdf"
    ),
}


@pytest.mark.parametrize("charset", NAMES)
def test_names_of_each_region(charset: str) -> None:
    """What people call their files is read in the charset that it was written in."""
    for name in NAMES[charset].split("|"):
        assert readable(name.encode(charset)) == name


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        (b"R\xe9sum\xe9.txt", "iso-8859-1", "Résumé.txt"),
        (b"100 \x80.txt", "ISO-8859-1", "100 €.txt"),
        (b"\xd2\xe5\xf1\xf2", "windows-1251", "Тест"),
        (b"\xf4\xc5\xd3\xd4", "KOI8-R", "Тест"),
        ("測試".encode("big5"), "Big5", "測試"),
        ("시험".encode("euc-kr"), "EUC-KR", "시험"),
        ("Тест".encode(), "utf-8", "Тест"),
        (b"R\xe9sum\xe9.txt", "utf-8", "Résumé.txt"),
        (b"R\xe9sum\xe9.txt", "x-unheard-of", "Résumé.txt"),
        (b"a+AGI-.txt", "utf-7", "a+AGI-.txt"),
        (b"a.txt", "zlib", "a.txt"),
        (b"a.txt", "iso-8859-12", "a.txt"),
        *((b"a.txt", f"iso-8859-{number}", "a.txt") for number in range(20)),
        *((b"a.txt", f"windows-125{number}", "a.txt") for number in range(10)),
        *(
            (b"a.txt", name, "a.txt")
            for name in ("utf8", "us-ascii", "cp949", "shift-jis", "Shift_JIS", "EUC-JP")
        ),
        (b"a.txt", "\0", "a.txt"),
        (b"a.txt", "x" * 10_000, "a.txt"),
    ],
)
def test_a_charset_that_is_told(raw: bytes, charset: str, text: str) -> None:
    """It counts, if it is one of text and the bytes are text in it."""
    assert decoded(raw, charset) == text


def test_charsets_that_are_none_leave_nothing_behind() -> None:
    """Names that strangers make up are not looked up, since Python would remember each of them."""
    before = len(encodings._cache)
    for number in range(100):
        assert decoded(b"a.txt", f"x-made-up-{number}") == "a.txt"
    assert len(encodings._cache) == before


@given(raw=st.binary(max_size=200), charset=st.text(max_size=20))
def test_any_bytes(raw: bytes, charset: str) -> None:
    """Whatever the bytes are, they are some text."""
    assert isinstance(readable(raw), str)
    assert isinstance(decoded(raw, charset), str)
