"""Cookies of people who are signed in, made as the service makes them: a thousand logins take minutes."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from tgbridge.logins.session_state import SessionState
from tgbridge.settings import SessionSettings
from tgbridge.web.session_cookie import SessionStorage


def cookie_of(secret_key: str, session: str, user_id: int) -> str:
    """Return what a browser sends in its Cookie field."""
    storage = SessionStorage([secret_key], SessionSettings(), secure=False)
    state, answer = SessionState(), web.Response()
    state.signed_in(session, user_id)
    asyncio.run(storage.write(make_mocked_request("GET", "/"), answer, state))
    ((name, morsel),) = answer.cookies.items()
    return f"{name}={morsel.value}"
