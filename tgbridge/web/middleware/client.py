"""Innermost: who is asking (401), and that person's Telegram client, lent for the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from tgbridge.errors import (
    NOT_AUTHENTICATED,
    NOT_AUTHENTICATED_CODE,
    HTTPFailure,
    SessionEnded,
    TelegramUnavailable,
)
from tgbridge.telegram.loan import Loan
from tgbridge.web import keys
from tgbridge.web.routing import check_query
from tgbridge.web.tickets import expired

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware


def lending(app: web.Application) -> Middleware:
    """Return the middleware that lends the client to endpoints declared ``signed_in``.

    It takes leave of a session that has ended.
    """
    shares = app[keys.SHARES]

    @web.middleware
    async def client_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        endpoint = request[keys.EXCHANGE].endpoint
        if endpoint is None or not (endpoint.signed_in or endpoint.ticket):
            return await handler(request)
        state, pool, by_ticket = request[keys.SESSION], app[keys.POOL], endpoint.ticket is not None
        if (telegram := state.telegram) is None or (account := state.user_id) is None:
            if by_ticket:
                raise expired()
            raise HTTPFailure(401, NOT_AUTHENTICATED, code=state.ended_by or NOT_AUTHENTICATED_CODE)
        check_query(request, endpoint)
        shares.take(account, by_ticket=by_ticket)
        try:
            try:
                async with Loan(pool, telegram, account=account) as loan:
                    request[keys.LOAN] = loan
                    if endpoint.borrows:
                        request[keys.CLIENT] = await loan.client()
                    return await handler(request)
            finally:
                shares.give_back(account, by_ticket=by_ticket)
        except SessionEnded as error:
            if pool.ended.reason(telegram) is None:
                # Another one of the account's, which was at work on the same upload: this one may try again.
                raise TelegramUnavailable("a session that was at work on this has ended") from error
            state.signed_out(error.name)
            await pool.drop(telegram)
            if by_ticket:
                raise expired() from error
            raise

    return client_middleware
