"""Sub-accounts and shared keys sign, too; what there is no view for is told without a page."""

import flask
import pytest
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from tests.voice.office import PUBLIC_URL, TOKEN, Office
from voice.door import voice_door
from voice.settings import VoiceSettings

SUB_ACCOUNT = "AC" + "6" * 32
SUB_TOKEN = "the sub-account's token"
KEY = "webhooks_sharedkey_1"
KEY_SECRET = "the shared key's secret"
PATH = "/voice/call-status"
TOLD = {"CallSid": "CA" + "1" * 32, "CallStatus": "ringing"}


class Door:
    def __init__(self, office: Office) -> None:
        settings = VoiceSettings(
            public_url=PUBLIC_URL,
            auth_tokens=(TOKEN, "the token before"),
            account_tokens={SUB_ACCOUNT: SUB_TOKEN},
            shared_keys={KEY: KEY_SECRET},
        )
        app = flask.Flask("door")
        door = voice_door(office.centre.engine, settings, office.flow)
        app.register_blueprint(door, url_prefix="/voice")
        self.client = app.test_client()

    def post(
        self,
        secret: str,
        *,
        account: str = "AC" + "5" * 32,
        settings: str | None = None,
        signed_by: str = "HMAC_SHA1",
    ) -> int:
        told = TOLD | {"AccountSid": account}
        signed = RequestValidator(secret).compute_signature(PUBLIC_URL + PATH, told, signed_by)
        headers = {"X-Twilio-Signature": signed}
        if settings is not None:
            headers["X-Twilio-Webhooks-Signature-Settings"] = settings
        return self.client.post(PATH, data=told, headers=headers).status_code

    def ask(self, method: str, path: str, token: str = TOKEN) -> TestResponse:
        signed = RequestValidator(token).compute_signature(PUBLIC_URL + path, TOLD)
        if method == "GET":
            signed = RequestValidator(token).compute_signature(PUBLIC_URL + path, {})
            return self.client.get(path, headers={"X-Twilio-Signature": signed})
        headers = {"X-Twilio-Signature": signed}
        return self.client.open(path, method=method, data=TOLD, headers=headers)


@pytest.fixture
def door(small_office: Office) -> Door:
    return Door(small_office)


def test_two_tokens_are_good_while_one_replaces_the_other(door: Door) -> None:
    assert door.post(TOKEN) == door.post("the token before") == 204
    assert door.post("a token of nobody's") == 403


def test_a_sub_account_signs_with_its_own_token_and_no_other(door: Door) -> None:
    assert door.post(SUB_TOKEN, account=SUB_ACCOUNT) == 204
    assert door.post(TOKEN, account=SUB_ACCOUNT) == 403
    assert door.post(SUB_TOKEN) == 403


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_a_shared_key_signs_with_its_own_secret(door: Door, algorithm: str) -> None:
    settings = f"key={KEY},algorithm={algorithm}"
    assert door.post(KEY_SECRET, settings=settings, signed_by=algorithm) == 204
    assert door.post(TOKEN, settings=settings, signed_by=algorithm) == 403
    assert door.post(KEY_SECRET, signed_by=algorithm) == 403


@pytest.mark.parametrize(
    "settings",
    [
        f"key={KEY}2,algorithm=HMAC_SHA256",
        f"key={KEY},algorithm=HMAC_MD5",
        f"key={KEY},algorithm=none",
        "algorithm=HMAC_SHA256",
        "nonsense",
    ],
)
def test_a_key_or_an_algorithm_that_we_do_not_know_opens_nothing(door: Door, settings: str) -> None:
    assert door.post(KEY_SECRET, settings=settings, signed_by="HMAC_SHA256") == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/voice/nowhere", 404),
        ("GET", "/voice/", 404),
        ("PUT", "/voice/incoming", 405),
        ("POST", "/voice/incoming", 400),
    ],
)
def test_what_cannot_be_answered_is_told_without_a_page(
    door: Door, method: str, path: str, status: int
) -> None:
    if path == "/voice/incoming" and method == "POST":
        wrong = {"CallSid": "CA1"}
        signed = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + path, wrong)
        answer = door.client.post(path, data=wrong, headers={"X-Twilio-Signature": signed})
    else:
        answer = door.ask(method, path)
    assert (answer.status_code, answer.data) == (status, b"")
    assert answer.mimetype == "text/plain"
    unsigned = door.client.open(path, method=method)
    assert (unsigned.status_code, unsigned.data) == (403, b"")
