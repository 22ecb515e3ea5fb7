"""What clients are told of an upload's errors."""

from __future__ import annotations

from tgbridge.errors import FileTooLarge
from tgbridge.models import ErrorBody
from tgbridge.uploads.errors import TooManyUploads, UploadError
from tgbridge.web.routes.upload_answers import PROBLEMS, error_body


def test_each_has_an_answer() -> None:
    """A new kind of error does not become a bug at the one who meets it first."""
    assert PROBLEMS.keys() == set(UploadError.__subclasses__())


def test_bodies() -> None:
    """As an event they say what an answer would, whatever has failed."""
    assert error_body(TooManyUploads(retry_after=60)) == ErrorBody(
        error="Too many uploads are under way.", code="TOO_MANY_UPLOADS", retry_after=60
    )
    told = error_body(FileTooLarge(10))
    assert (told.error, told.code) == ("The file is too large.", "FILE_TOO_LARGE")
