"""Signing in and out, as stock Telethon does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import errors, functions, types
from telethon.password import compute_check

if TYPE_CHECKING:
    from tests.sandbox.conftest import SignIn, Telegram
    from tgbridge.sandbox import Sandbox

PHONE = "+9996620001"
CODE = "22222"


async def test_a_number_signs_in_with_its_code(sign_in: SignIn) -> None:
    """Any number of the scheme is an account, on its first sign-in too."""
    client = await sign_in(PHONE)
    me = await client.get_me()
    assert (me.id, me.phone, me.is_self) == (770_020_001, "9996620001", True)
    assert await client.is_user_authorized()


async def test_signed_out_nobody_is_there(telegram: Telegram) -> None:
    """A new key is nobody's."""
    client = await telegram()
    assert not await client.is_user_authorized()
    assert await client.get_me() is None
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(functions.messages.GetHistoryRequest("me", 0, None, 0, 1, 0, 0, 0))


async def test_a_login_moves_to_the_numbers_home(telegram: Telegram) -> None:
    """PHONE_MIGRATE is followed by Telethon without being told."""
    client = await telegram(2)
    await client.send_code_request("+9996610001")
    assert client.session.dc_id == 1
    assert (await client.sign_in("+9996610001", "11111")).phone == "9996610001"


@pytest.mark.parametrize(
    ("phone", "error"),
    [
        ("", errors.PhoneNumberInvalidError),
        ("+15551234567", errors.PhoneNumberInvalidError),
        ("+9996640001", errors.PhoneNumberInvalidError),
        ("+99966200011", errors.PhoneNumberInvalidError),
        ("+9996629001", errors.PhoneNumberBannedError),
        ("+9996629002", errors.PhoneNumberFloodError),
        ("+9996629004", errors.PhonePasswordFloodError),
    ],
)
async def test_numbers_that_get_no_code(telegram: Telegram, phone: str, error: type[Exception]) -> None:
    """What is no number, is banned or has asked too often is refused by Telegram's names."""
    client = await telegram()
    with pytest.raises(error):
        await client(functions.auth.SendCodeRequest(phone, 1, "hash", types.CodeSettings()))


async def test_an_application_needs_a_number(telegram: Telegram) -> None:
    """API_ID_INVALID for what no application can have."""
    client = await telegram()
    with pytest.raises(errors.ApiIdInvalidError):
        await client(functions.auth.SendCodeRequest(PHONE, 0, "hash", types.CodeSettings()))


async def test_a_wrong_code_can_be_corrected_until_there_were_too_many(telegram: Telegram) -> None:
    """Four wrong codes do no harm, after the fifth the code is void."""
    client = await telegram()
    sent = await client.send_code_request(PHONE)

    async def enter(code: str) -> object:
        return await client(functions.auth.SignInRequest(PHONE, sent.phone_code_hash, code))

    for _ in range(5):
        with pytest.raises(errors.PhoneCodeInvalidError):
            await enter("00000")
    with pytest.raises(errors.PhoneCodeExpiredError):
        await enter(CODE)
    await client.send_code_request(PHONE)
    sent = await client.send_code_request(PHONE)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await enter("00000")
    assert isinstance(await enter(CODE), types.auth.Authorization)


async def test_codes_and_hashes_that_are_none(telegram: Telegram) -> None:
    """An empty code, an empty hash and a hash that was never given have errors of their own."""
    client = await telegram()
    sent = await client.send_code_request(PHONE)
    for phone_code_hash, code, error in (
        (sent.phone_code_hash, "", errors.PhoneCodeEmptyError),
        ("", CODE, errors.PhoneCodeHashEmptyError),
        ("0" * 18, CODE, errors.PhoneCodeExpiredError),
    ):
        with pytest.raises(error):
            await client(functions.auth.SignInRequest(PHONE, phone_code_hash, code))


async def test_a_code_belongs_to_its_number_and_key(telegram: Telegram) -> None:
    """Neither another number nor another key can use the hash."""
    client, stranger = await telegram(), await telegram()
    sent = await client.send_code_request(PHONE)
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client(functions.auth.SignInRequest("+9996620002", sent.phone_code_hash, CODE))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await stranger(functions.auth.SignInRequest(PHONE, sent.phone_code_hash, CODE))


async def test_a_code_expires(telegram: Telegram, sandbox: Sandbox) -> None:
    """By the server's clock, and when the sandbox is told so."""
    client = await telegram()
    await client.send_code_request(PHONE)
    sandbox.state.logins.code_lifetime = 0.0
    late = await telegram()
    await late.send_code_request(PHONE)
    with pytest.raises(errors.PhoneCodeExpiredError):
        await late.sign_in(PHONE, CODE)
    sandbox.state.expire_codes()
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(PHONE, CODE)


async def test_a_cancelled_code_is_void(telegram: Telegram) -> None:
    """auth.cancelCode makes a code useless."""
    client = await telegram()
    sent = await client.send_code_request(PHONE)
    assert await client(functions.auth.CancelCodeRequest(PHONE, sent.phone_code_hash))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(PHONE, CODE)


@pytest.mark.parametrize(
    ("phone", "ways"),
    [
        (PHONE, [("SentCodeTypeSms", "CodeTypeCall"), ("SentCodeTypeCall", None)]),
        ("+9996629005", [("SentCodeTypeEmailCode", "CodeTypeSms"), ("SentCodeTypeSms", None)]),
        ("+9996629006", [("SentCodeTypeCall", None)]),
        ("+9996629007", [("SentCodeTypeFragmentSms", "CodeTypeSms"), ("SentCodeTypeSms", None)]),
        ("+9996629011", [("SentCodeTypeFlashCall", "CodeTypeSms"), ("SentCodeTypeSms", None)]),
        ("+9996629012", [("SentCodeTypeMissedCall", "CodeTypeSms"), ("SentCodeTypeSms", None)]),
        ("+9996629014", [("SentCodeTypeSmsWord", "CodeTypeSms"), ("SentCodeTypeSms", None)]),
        ("+9996629015", [("SentCodeTypeSmsPhrase", "CodeTypeSms"), ("SentCodeTypeSms", None)]),
        ("+9996629016", [("SentCodeTypeFirebaseSms", "CodeTypeCall"), ("SentCodeTypeCall", None)]),
    ],
)
async def test_the_ways_of_a_code(telegram: Telegram, phone: str, ways: list[tuple[str, str | None]]) -> None:
    """Each number has its ways; when they are used up, SEND_CODE_UNAVAILABLE."""
    client = await telegram()
    sent = await client(functions.auth.SendCodeRequest(phone, 1, "hash", types.CodeSettings()))
    resend = functions.auth.ResendCodeRequest(phone, sent.phone_code_hash)
    seen = [sent, *[await client(resend) for _ in ways[1:]]]
    assert [
        (type(code.type).__name__, code.next_type and type(code.next_type).__name__) for code in seen
    ] == ways
    assert [code.timeout for code in seen] == [60 if following else None for _, following in ways]
    with pytest.raises(errors.SendCodeUnavailableError):
        await client(functions.auth.ResendCodeRequest(phone, sent.phone_code_hash))


async def test_a_code_comes_by_the_app_where_there_is_one(telegram: Telegram, sign_in: SignIn) -> None:
    """An account that is signed in somewhere gets its code there."""
    await sign_in(PHONE)
    sent = await (await telegram()).send_code_request(PHONE)
    assert sent.type == types.auth.SentCodeTypeApp(5)


async def test_a_code_by_email_is_no_phone_code(telegram: Telegram) -> None:
    """It is taken as an e-mail verification only, https://core.telegram.org/api/auth#email-verification."""
    client = await telegram()
    sent = await client.send_code_request("+9996629005")
    with pytest.raises(errors.CodeInvalidError):
        await client(functions.auth.SignInRequest("+9996629005", sent.phone_code_hash, CODE))
    answer = await client(
        functions.auth.SignInRequest(
            "+9996629005", sent.phone_code_hash, email_verification=types.EmailVerificationCode(CODE)
        )
    )
    assert answer.user.phone == "9996629005"


async def test_a_code_by_email_expires_by_its_own_name(telegram: Telegram, sandbox: Sandbox) -> None:
    """EMAIL_VERIFY_EXPIRED, https://core.telegram.org/method/account.verifyEmail."""
    client = await telegram()
    sent = await client.send_code_request("+9996629005")
    sandbox.faults.expire_codes()
    verification = types.EmailVerificationCode(CODE)
    with pytest.raises(errors.EmailVerifyExpiredError):
        await client(
            functions.auth.SignInRequest("+9996629005", sent.phone_code_hash, email_verification=verification)
        )


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("+9996629011", "9996622222"),
        ("+9996629014", "tangerine"),
        ("+9996629015", "seven quiet rivers meet"),
    ],
)
async def test_codes_that_are_no_five_digits(telegram: Telegram, phone: str, code: str) -> None:
    """A flash call's number, a word and a phrase are what is to be entered, and five digits are not."""
    client = await telegram()
    await client.send_code_request(phone)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(phone, CODE)
    assert (await client.sign_in(phone, code)).phone == phone[1:]


async def test_a_paid_code(telegram: Telegram) -> None:
    """No code is sent before it is paid for, https://core.telegram.org/api/auth#paid-auth."""
    client = await telegram()
    answer = await client(functions.auth.SendCodeRequest("+9996629017", 1, "hash", types.CodeSettings()))
    assert isinstance(answer, types.auth.SentCodePaymentRequired)


async def test_a_number_without_an_account_can_make_one(telegram: Telegram, sign_in: SignIn) -> None:
    """The right code is answered by the offer to sign up."""
    client = await telegram()
    phone = "+9996629003"
    sent = await client.send_code_request(phone)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client(functions.auth.SignUpRequest(phone, sent.phone_code_hash, "Ada", ""))
    answer = await client(functions.auth.SignInRequest(phone, sent.phone_code_hash, CODE))
    assert isinstance(answer, types.auth.AuthorizationSignUpRequired)
    answer = await client(functions.auth.SignUpRequest(phone, sent.phone_code_hash, "Ada", "Harbour"))
    assert (answer.user.first_name, answer.user.last_name) == ("Ada", "Harbour")
    assert (await sign_in(phone)).is_connected()


async def test_a_deactivated_account_stays_out(sign_in: SignIn) -> None:
    """USER_DEACTIVATED at the right code."""
    with pytest.raises(errors.UserDeactivatedError):
        await sign_in("+9996629008")


async def test_premium_is_told(sign_in: SignIn) -> None:
    """One number has Telegram Premium."""
    client = await sign_in("+9996629009")
    assert (await client.get_me()).premium


async def test_signing_out_ends_the_key(telegram: Telegram, sign_in: SignIn) -> None:
    """After auth.logOut the key is nobody's, and the account's other devices go on."""
    client, other = await sign_in(PHONE), await sign_in(PHONE)
    session = client.session.save()
    assert await client.log_out()
    assert not await (await telegram(session=session)).is_user_authorized()
    assert await other.is_user_authorized()


async def test_devices_are_listed_and_ended(sign_in: SignIn) -> None:
    """account.getAuthorizations tells what the clients said of themselves; the others can be ended."""
    client = await sign_in(PHONE, device_model="bridge", app_version="7", system_version="Linux 6")
    other = await sign_in(PHONE, device_model="telephone")
    third = await sign_in(PHONE, device_model="tablet")
    found = (await client(functions.account.GetAuthorizationsRequest())).authorizations
    assert [(item.device_model, item.current) for item in found[:1]] == [("bridge", True)]
    assert {item.device_model for item in found[1:]} == {"telephone", "tablet"}
    assert (found[0].app_version, found[0].platform, found[0].api_id) == ("7", "Linux", 1)
    assert found[0].hash == 0
    telephone = next(item for item in found if item.device_model == "telephone")
    assert await client(functions.account.ResetAuthorizationRequest(telephone.hash))
    with pytest.raises(errors.SessionRevokedError):
        await other(functions.updates.GetStateRequest())
    with pytest.raises(errors.HashInvalidError):
        await client(functions.account.ResetAuthorizationRequest(telephone.hash))
    assert await client(functions.auth.ResetAuthorizationsRequest())
    with pytest.raises(errors.SessionRevokedError):
        await third(functions.updates.GetStateRequest())
    assert await client.is_user_authorized()


async def test_a_device_can_only_end_those_of_its_own_account(sign_in: SignIn) -> None:
    """Another account's hash is no hash."""
    client, stranger = await sign_in(PHONE), await sign_in("+9996620002")
    await sign_in(PHONE)
    found = (await client(functions.account.GetAuthorizationsRequest())).authorizations
    with pytest.raises(errors.HashInvalidError):
        await stranger(functions.account.ResetAuthorizationRequest(found[1].hash))


async def test_an_authorization_is_exported_once_to_one_data_centre(
    telegram: Telegram, sign_in: SignIn
) -> None:
    """The bytes are good once, at that data centre, for that user; what was imported ends with the device."""
    client = await sign_in(PHONE)

    async def export(dc_id: int) -> types.auth.ExportedAuthorization:
        return await client(functions.auth.ExportAuthorizationRequest(dc_id))

    for dc_id in (0, 2, 9):
        with pytest.raises(errors.DcIdInvalidError):
            await export(dc_id)
    elsewhere = await telegram(3)
    exported = await export(1)
    with pytest.raises(errors.AuthBytesInvalidError):
        await elsewhere(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    exported = await export(3)
    with pytest.raises(errors.AuthBytesInvalidError):
        await elsewhere(functions.auth.ImportAuthorizationRequest(exported.id + 1, exported.bytes))
    exported = await export(3)
    answer = await elsewhere(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    assert answer.user.id == 770_020_001
    with pytest.raises(errors.AuthBytesInvalidError):
        await elsewhere(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    assert len((await client(functions.account.GetAuthorizationsRequest())).authorizations) == 1
    await client.log_out()
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await elsewhere(functions.account.GetAuthorizationsRequest())


async def test_two_step_password(telegram: Telegram) -> None:
    """Real SRP: a wrong password is refused, the right one completes the login."""
    client = await telegram(1)
    phone = "+9996612345"
    await client.send_code_request(phone)
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(phone, "11111")
    asked = await client(functions.account.GetPasswordRequest())
    assert (asked.has_password, asked.hint) == (True, "name of this project")
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="wrong")
    with pytest.raises(errors.SrpIdInvalidError):
        await client(
            functions.auth.CheckPasswordRequest(types.InputCheckPasswordSRP(1, bytes(256), bytes(32)))
        )
    assert (await client.sign_in(password="tgbridge")).phone == "9996612345"
    assert await client.is_user_authorized()


async def test_a_password_that_changes(telegram: Telegram, sandbox: Sandbox) -> None:
    """A proof is good for the password that its parameters were made for."""
    client = await telegram(1)
    phone = "+9996612345"
    await client.send_code_request(phone)
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(phone, "11111")
    parameters = await client(functions.account.GetPasswordRequest())
    assert sandbox.faults.change_password(770_012_345, "another")
    assert not sandbox.faults.change_password(1, "another")
    proof = compute_check(parameters, "tgbridge")
    for error in (errors.SrpPasswordChangedError, errors.SrpIdInvalidError):
        with pytest.raises(error):
            await client(functions.auth.CheckPasswordRequest(proof))
    assert (await client.sign_in(password="another")).phone == "9996612345"
