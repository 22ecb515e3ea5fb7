"""Which requests are sent again when the connection, and with it perhaps their answer, was lost.

Nearly all are, since they change nothing, or come to the same a second time. A login's steps do not: Telegram
calls a code expired that has just signed in, a proof of the password is good once, a number gets about five
codes a day, and a QR code that was redeemed is gone. Such a request fails with ``AnswerLost`` once it may
have been written, and whoever asked finds out what came of it (``login.until_known``).

auth.logOut and auth.cancelCode may be repeated: that they have been done already is as good an answer.
"""

from __future__ import annotations

from typing import Any, Final

from telethon.tl.functions import auth

_ONCE: Final = (
    auth.SendCodeRequest,
    auth.ResendCodeRequest,
    auth.SignInRequest,
    auth.CheckPasswordRequest,
    auth.ExportLoginTokenRequest,
    auth.ImportLoginTokenRequest,
)


def may_be_repeated(request: Any) -> bool:
    """Tell whether ``request``, however it is wrapped, may be sent again although it may have been done."""
    return not isinstance(innermost(request), _ONCE)


def innermost(request: Any) -> Any:
    """Return the request inside invokeWithLayer, initConnection and their like."""
    while hasattr(request, "query"):
        request = request.query
    return request
