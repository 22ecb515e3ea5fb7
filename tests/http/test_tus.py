"""The header fields of tus, read and written."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.errors import HTTPFailure
from tgbridge.http import tus
from tgbridge.http.tus import Checksum, Continuation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HELLO = hashlib.sha1(b"hello world").digest()
HELLO64 = base64.b64encode(HELLO).decode()


def problem(failure: pytest.ExceptionInfo[HTTPFailure]) -> tuple[int, str | None]:
    return failure.value.status, failure.value.code


def refusal_of(parse: Callable[[Mapping[str, str]], object], said: Mapping[str, str]) -> int | None:
    try:
        parse(said)
    except HTTPFailure as failure:
        return failure.status
    return None


def test_names_are_told_apart() -> None:
    """Each problem has a code of its own."""
    problems = [value for value in vars(tus).values() if isinstance(value, tus.Problem)]
    assert len({each.code for each in problems}) == len(problems)


@pytest.mark.parametrize("said", ["1.0.0", " 1.0.0 "])
def test_version(said: str) -> None:
    """The one version that there is passes."""
    tus.check_version({"tus-resumable": said})


@pytest.mark.parametrize(
    "said", [{}, {"tus-resumable": ""}, {"tus-resumable": "0.2.2"}, {"tus-resumable": "1"}]
)
def test_other_versions(said: Mapping[str, str]) -> None:
    """Any other is a 412 that names the right one."""
    with pytest.raises(HTTPFailure) as failure:
        tus.check_version(said)
    assert problem(failure) == (412, "TUS_VERSION_UNSUPPORTED")
    assert failure.value.headers == {"Tus-Version": "1.0.0"}


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ({"upload-length": "0"}, 0),
        ({"upload-length": "100"}, 100),
        ({"upload-length": " 007 "}, 7),
        ({"upload-length": "9" * 18}, 10**18 - 1),
        ({"upload-defer-length": "1"}, None),
    ],
)
def test_length_of_a_new_upload(said: Mapping[str, str], length: int | None) -> None:
    """A new upload has a length, or says that it will."""
    assert tus.parse_creation(said).length == length


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"upload-length": "1", "upload-defer-length": "1"},
        {"upload-defer-length": "0"},
        {"upload-defer-length": "true"},
        *(
            {"upload-length": text}
            for text in ("", "-1", "+1", "1.0", "1e3", "0x10", "1_000", "٣", "1, 1", "9" * 19)
        ),
    ],
)
def test_malformed_length(said: Mapping[str, str]) -> None:
    """Both, none, and what is no number of bytes are refused."""
    with pytest.raises(HTTPFailure) as failure:
        tus.parse_creation(said)
    assert problem(failure) == (400, "INVALID_UPLOAD_LENGTH")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"upload-offset": "0"}, Continuation(0, None)),
        ({"upload-offset": "70", "upload-length": "100"}, Continuation(70, 100)),
    ],
)
def test_continuation(said: Mapping[str, str], expected: Continuation) -> None:
    """A request says where it goes on, and perhaps the length that was deferred."""
    assert tus.parse_continuation(said) == expected


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "INVALID_UPLOAD_OFFSET"),
        ({"upload-offset": "-1"}, "INVALID_UPLOAD_OFFSET"),
        ({"upload-offset": "1, 1"}, "INVALID_UPLOAD_OFFSET"),
        ({"upload-offset": "1", "upload-length": "x"}, "INVALID_UPLOAD_LENGTH"),
    ],
)
def test_malformed_continuation(said: Mapping[str, str], code: str) -> None:
    """What is no number of bytes is refused."""
    with pytest.raises(HTTPFailure) as failure:
        tus.parse_continuation(said)
    assert problem(failure) == (400, code)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("", {}),
        ("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==", {"filename": b"world_domination_plan.pdf"}),
        ("filename YQ==,is_confidential", {"filename": b"a", "is_confidential": b""}),
        ("empty ,filename YQ==", {"empty": b"", "filename": b"a"}),
        ("filename YQ== , caption Yg==", {"filename": b"a", "caption": b"b"}),
        ("strange!key{} /+8=", {"strange!key{}": b"\xff\xef"}),
    ],
)
def test_metadata(header: str, values: Mapping[str, bytes]) -> None:
    """Pairs are read, and the field is kept as it came."""
    metadata = tus.parse_metadata(header)
    assert (dict(metadata.values), metadata.header) == (values, header)


@pytest.mark.parametrize(
    "header",
    [
        ",",
        "filename YQ==,",
        " ,filename YQ==",
        "a YQ==,a Yg==",
        "filename YQ",
        "filename Y!==",
        "filename YQ==YQ==",
        "filename YQ== x",
        "naïve YQ==",
        "filename ä",
        "key\tYQ==",
    ],
)
def test_malformed_metadata(header: str) -> None:
    """Empty pairs, keys that come twice and what is no Base64 are refused."""
    with pytest.raises(HTTPFailure) as failure:
        tus.parse_metadata(header)
    assert problem(failure) == (400, "INVALID_UPLOAD_METADATA")


def test_text_in_metadata() -> None:
    """The first name that says something counts; what is not said is empty."""
    metadata = tus.parse_metadata("name YQ==,filename ,title w6Q=")
    assert (metadata.text("filename", "name"), metadata.text("title"), metadata.text("x")) == ("a", "ä", "")


def test_bytes_in_metadata() -> None:
    """Text that is no UTF-8 is refused where text is wanted."""
    with pytest.raises(HTTPFailure) as failure:
        tus.parse_metadata("filename /w==").text("filename")
    assert problem(failure) == (400, "INVALID_UPLOAD_METADATA")


keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1)


@given(st.dictionaries(keys, st.binary(), min_size=1))
def test_any_metadata(values: dict[str, bytes]) -> None:
    """What a client writes by the rules is what is read."""
    header = ",".join(f"{key} {base64.b64encode(value).decode()}".rstrip() for key, value in values.items())
    assert dict(tus.parse_metadata(header).values) == values


@given(
    st.dictionaries(
        st.sampled_from(["upload-length", "upload-offset", "upload-metadata", "upload-checksum"]), st.text()
    )
)
def test_nonsense(said: dict[str, str]) -> None:
    """Whatever comes is read, or refused with a status of the protocol's own."""
    parsers = (tus.parse_creation, tus.parse_continuation, tus.parse_checksum)
    assert {refusal_of(parse, said) for parse in parsers} <= {None, 400}


def test_no_checksum() -> None:
    """A request needs none."""
    assert tus.parse_checksum({}) is None


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_checksum(algorithm: str) -> None:
    """The right bytes pass, in any pieces, and others are a 460."""
    digest = hashlib.new(algorithm, b"hello world").digest()
    checksum = tus.parse_checksum({"upload-checksum": f"{algorithm} {base64.b64encode(digest).decode()}"})
    assert checksum == Checksum(algorithm, digest)
    assert checksum.matches([b"hello ", bytearray(b"wor"), memoryview(b"ld")])
    assert not checksum.matches([b"hello World"])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "INVALID_UPLOAD_CHECKSUM"),
        ("sha1", "INVALID_UPLOAD_CHECKSUM"),
        ("sha1 ", "INVALID_UPLOAD_CHECKSUM"),
        (f"sha1 {HELLO64[:-1]}", "INVALID_UPLOAD_CHECKSUM"),
        (f"sha1 {HELLO.hex()}", "INVALID_UPLOAD_CHECKSUM"),
        (f"sha256 {HELLO64}", "INVALID_UPLOAD_CHECKSUM"),
        (f"sha512 {HELLO64}", "CHECKSUM_UNSUPPORTED"),
        (f"SHA1 {HELLO64}", "CHECKSUM_UNSUPPORTED"),
        (f"ä {HELLO64}", "INVALID_UPLOAD_CHECKSUM"),
    ],
)
def test_malformed_checksum(value: str, code: str) -> None:
    """Another algorithm, another length and what is no Base64 are refused."""
    with pytest.raises(HTTPFailure) as failure:
        tus.parse_checksum({"upload-checksum": value})
    assert problem(failure) == (400, code)


@pytest.mark.parametrize("upload_id", ["12345678", "a" * 64, "aZ09-_aZ"])
def test_id(upload_id: str) -> None:
    """8 to 64 letters, digits, hyphens and underscores are an id."""
    tus.check_id(upload_id)


@pytest.mark.parametrize(
    "upload_id", ["", "1234567", "a" * 65, "12345678 ", "1234567\n", "12345678/", "übungübung"]
)
def test_malformed_id(upload_id: str) -> None:
    """Anything else is none."""
    with pytest.raises(HTTPFailure) as failure:
        tus.check_id(upload_id)
    assert problem(failure) == (400, "INVALID_UPLOAD_ID")


def test_description() -> None:
    """What is spoken is told in the protocol's own words."""
    assert tus.describe(1000) == {
        "Tus-Version": "1.0.0",
        "Tus-Extension": (
            "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"
        ),
        "Tus-Max-Size": "1000",
        "Tus-Checksum-Algorithm": "sha1,sha256,md5",
    }
