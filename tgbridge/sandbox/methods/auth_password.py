"""The two-step password: account.getPassword, auth.checkPassword.

Source: https://core.telegram.org/api/srp
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.world import srp

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Authorization


@method(functions.account.GetPasswordRequest)
async def get_password(call: Call, _request: functions.account.GetPasswordRequest) -> types.account.Password:
    """Give what a client needs to prove that it knows the password, or to set one."""
    account = _pending(call).account
    state = call.sandbox.state
    answer = types.account.Password(
        new_algo=types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            secrets.token_bytes(8), secrets.token_bytes(16), srp.GENERATOR, srp.PRIME.to_bytes(256, "big")
        ),
        new_secure_algo=types.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000(secrets.token_bytes(8)),
        secure_random=secrets.token_bytes(256),
        has_password=account.password is not None,
    )
    if account.password is not None:
        # Half a second of CPU time on a slow machine, which would hold up everybody else.
        verifier = await asyncio.to_thread(srp.make_verifier, account.password, *state.password_salts)
        challenge = await asyncio.to_thread(srp.Challenge, verifier)
        state.logins.challenges[call.auth_key.id] = challenge, account.password
        answer.current_algo = verifier.algorithm
        answer.srp_B, answer.srp_id = challenge.public, challenge.id
        answer.hint = account.password_hint
    return answer


@method(functions.auth.CheckPasswordRequest)
async def check_password(
    call: Call, request: functions.auth.CheckPasswordRequest
) -> types.auth.Authorization:
    """Complete a login that lacked its password."""
    pending = _pending(call)
    logins = call.sandbox.state.logins
    proof = request.password
    if pending.account.password is None or not isinstance(proof, types.InputCheckPasswordSRP):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    challenge, password = logins.challenges.pop(call.auth_key.id, (None, None))
    if challenge is None or challenge.id != proof.srp_id:
        raise RpcError(400, "SRP_ID_INVALID")
    if password != pending.account.password:
        raise RpcError(400, "SRP_PASSWORD_CHANGED")
    if not await asyncio.to_thread(challenge.accepts, proof.A, proof.M1):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    logins.passwords.pop(call.auth_key.id, None)
    call.sandbox.state.authorize(pending, call.auth_key)
    return types.auth.Authorization(pending.account.user())


def _pending(call: Call) -> Authorization:
    pending: Authorization | None = call.sandbox.state.logins.passwords.get(call.auth_key.id)
    if pending is not None:
        return pending
    current: Authorization = call.authorization
    return current
