"""Who may speak to the voice door: Twilio, and nobody else."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import flask
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.voice.exchange import Parameters
from tests.voice.office import NUMBER, PUBLIC_URL, TOKEN, Office, signature
from tests.voice.test_incoming_call import RECORDINGS, arrival, number_of_tasks
from voice.signature import Parameters as Fields
from voice.signature import Signatures

PATH = "/voice/incoming"


def computed(token: str, url: str, fields: Mapping[str, str | list[str]]) -> str:
    """The signature by the published rule, not by anybody's library."""
    text = url
    for name in sorted(fields):
        given = fields[name]
        for value in sorted(set(given if isinstance(given, list) else [given])):
            text += name + value
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def fields(parameters: Mapping[str, str | list[str]]) -> Fields:
    return Fields(
        {name: value if isinstance(value, list) else [value] for name, value in parameters.items()}
    )


VECTORS: list[tuple[str, dict[str, str | list[str]]]] = [
    ("/a?foo=1&bar=2", {"CallSid": "CA1", "From": "+1415", "Digits": "1 2 ", "To": "+1800"}),
    ("/a", {"ReasonConferenceEnded": "test", "Reason": "Participant"}),
    ("/a?foo=1", {}),
    ("/a", {"A": ["2", "1", "1"], "B": [""]}),
    ("/a", {"city": "Zürich", "a b": "c+d", "emoji": "\U0001f4de"}),
    ("/a?x=%2B1&y=a%20b+c", {"Z": "%2B"}),
    ("/a/?", {"Z": ""}),
]


@pytest.mark.parametrize(("target", "parameters"), VECTORS)
@pytest.mark.parametrize(
    ("public_url", "signed_origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com:8443", "https://example.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]"),
        ("https://example.com/prefix/", "https://example.com/prefix"),
    ],
)
def test_twilios_signatures_are_right_with_and_without_port(
    public_url: str, signed_origin: str, target: str, parameters: dict[str, str | list[str]]
) -> None:
    signatures = Signatures(public_url=public_url, auth_tokens=("12345",))
    right = computed("12345", signed_origin + target, parameters)
    assert signatures.are_right(target, fields(parameters), right)
    assert not signatures.are_right(target + "x", fields(parameters), right)
    assert not signatures.are_right(target, fields({**parameters, "more": ""}), right)


def test_two_tokens_are_accepted_during_rotation_and_the_old_one_not_after_it() -> None:
    both = Signatures(public_url=PUBLIC_URL, auth_tokens=("new", "old"))
    one = Signatures(public_url=PUBLIC_URL, auth_tokens=("new",))
    for token in ("new", "old"):
        right = computed(token, PUBLIC_URL + PATH, {"A": "1"})
        assert both.are_right(PATH, fields({"A": "1"}), right)
        assert one.are_right(PATH, fields({"A": "1"}), right) == (token == "new")


def test_every_route_of_the_door_asks_for_a_signature(small_office: Office) -> None:
    rules = [rule for rule in small_office.app.url_map.iter_rules() if rule.endpoint != "static"]
    assert len(rules) == 16
    for rule in rules:
        assert rule.rule.startswith("/voice/")
        for method in rule.methods or ():
            answer = small_office.client.open(rule.rule, method=method)
            assert answer.status_code == 403, (method, rule.rule)


@pytest.mark.parametrize("given_signature", [None, "", "x", "ü", "A" * 28, "=" * 28])
def test_an_unsigned_call_leaves_no_trace(office: Office, given_signature: str | None) -> None:
    headers = {} if given_signature is None else {"X-Twilio-Signature": given_signature}
    answer = office.client.post(PATH, data=arrival(), headers=headers)
    assert answer.status_code == 403
    assert number_of_tasks(office) == 0
    assert office.centre.engine.read(lambda work: work.calls.find()) == []


def test_the_public_url_counts_behind_a_proxy(small_office: Office) -> None:
    parameters = arrival()
    answer = small_office.client.post(
        PATH,
        data=parameters,
        base_url="http://10.0.0.7:8000",
        headers={
            "X-Twilio-Signature": signature(PATH, parameters),
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "http",
        },
    )
    assert answer.status_code == 200


def test_a_forwarded_host_proves_nothing(small_office: Office) -> None:
    parameters = arrival()
    evil = computed(TOKEN, f"https://evil.example{PATH}", parameters)
    answer = small_office.client.post(
        PATH,
        data=parameters,
        base_url="https://evil.example",
        headers={
            "X-Twilio-Signature": evil,
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "Forwarded": "host=evil.example;proto=https",
        },
    )
    assert answer.status_code == 403


def test_the_raw_query_counts(small_office: Office) -> None:
    parameters = arrival()
    for query in ("?a=%7E", "?a=~", "?b=1&a=2", "?a", "?a=%2b"):
        right = signature(PATH + query, parameters)
        headers = {"X-Twilio-Signature": right}
        environ = {"RAW_URI": PATH + query, "REQUEST_URI": PATH + query}
        genuine = small_office.client.post(
            PATH + query, data=parameters, headers=headers, environ_overrides=environ
        )
        assert genuine.status_code == 200, query
        other = {"RAW_URI": PATH + query + "&", "REQUEST_URI": PATH + query + "&"}
        forged = small_office.client.post(
            PATH + query, data=parameters, headers=headers, environ_overrides=other
        )
        assert forged.status_code == 403, query


@pytest.mark.parametrize(
    "raw", ["http://calls.example.com/voice/incoming", "//x", "/voice/incoming#", "/a b", "/\t"]
)
def test_request_lines_that_twilio_never_writes_are_refused(small_office: Office, raw: str) -> None:
    parameters = arrival()
    answer = small_office.client.post(
        PATH,
        data=parameters,
        headers={"X-Twilio-Signature": signature(PATH, parameters)},
        environ_overrides={"RAW_URI": raw, "REQUEST_URI": raw},
    )
    assert answer.status_code == 403


def test_a_server_that_keeps_no_request_line_serves_as_well(small_office: Office) -> None:
    parameters = arrival()
    answer = small_office.client.post(
        PATH,
        data=parameters,
        headers={"X-Twilio-Signature": signature(PATH, parameters)},
        environ_overrides={"RAW_URI": "", "REQUEST_URI": ""},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"From=%ff", b"From=\xff", b"From=%ed%a0%80", b"&" * 70_000])
def test_bodies_that_twilio_never_sends_are_refused(small_office: Office, body: bytes) -> None:
    for content_type in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
        answer = small_office.client.post(
            PATH,
            data=body,
            content_type=content_type,
            headers={"X-Twilio-Signature": signature(PATH, {})},
        )
        assert answer.status_code in {403, 413}


def test_a_field_that_comes_twice_means_the_same_in_any_order(small_office: Office) -> None:
    parameters = arrival()
    del parameters["From"]
    for order in (("+2", "+1"), ("+1", "+2")):
        call = parameters | {"CallSid": arrival()["CallSid"]}
        right = computed(TOKEN, PUBLIC_URL + PATH, {**call, "From": list(order)})
        body = urlencode([*call.items(), *(("From", value) for value in order)])
        answer = small_office.client.post(
            PATH,
            data=body,
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": right},
        )
        assert answer.status_code == 200
    calls = small_office.centre.engine.read(lambda work: work.calls.find())
    assert [call.from_address for call in calls] == ["+1", "+1"]


# ---- forgeries -----------------------------------------------------------------------------------


def _changed_body(draw: st.DrawFn, parameters: Parameters) -> Parameters:
    name = draw(st.sampled_from(sorted(parameters)))
    value = parameters[name]
    change = draw(st.sampled_from(["drop", "trim", "flip", "pad", "add", "rename", "case"]))
    changed = dict(parameters)
    if change == "drop":
        del changed[name]
    elif change == "trim":
        changed[name] = value[:-1]
    elif change == "pad":
        changed[name] = value + draw(st.sampled_from([" ", "\n", "0", "\u200b"]))
    elif change == "flip" and value:
        place = draw(st.integers(0, len(value) - 1))
        changed[name] = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
    elif change == "add":
        changed[draw(st.text(st.characters(codec="ascii"), min_size=1))] = draw(st.text())
    elif change == "rename":
        changed[name + "X"] = changed.pop(name)
    elif change == "case":
        changed[name.lower()] = changed.pop(name)
    return changed


def _text(url: str, parameters: Parameters) -> str:
    return url + "".join(name + parameters[name] for name in sorted(parameters))


@st.composite
def forgeries(draw: st.DrawFn) -> tuple[str, Parameters, str]:
    """(path, parameters, signature) of a request that Twilio did not make."""
    parameters = arrival()
    right = signature(PATH, parameters)
    kind = draw(st.sampled_from(["body", "query", "signature", "token", "origin"]))
    if kind == "body":
        changed = _changed_body(draw, parameters)
        if _text(PATH, changed) != _text(PATH, parameters):
            return PATH, changed, right
        kind = "token"
    if kind == "query":
        return f"{PATH}?{quote(draw(st.text(min_size=1, max_size=8)))}", parameters, right
    if kind == "signature":
        place = draw(st.integers(0, len(right) - 1))
        flipped = chr(ord(right[place]) ^ draw(st.sampled_from([1, 2, 4, 32])))
        return PATH, parameters, right[:place] + flipped + right[place + 1 :]
    if kind == "token":
        token = draw(st.text(min_size=1).filter(lambda text: text != TOKEN))
        return PATH, parameters, computed(token, PUBLIC_URL + PATH, parameters)
    origin = draw(
        st.sampled_from(
            [
                "http://calls.example.com",
                "https://calls.example.com:444",
                "https://calls.example.com.evil.example",
                "https://example.com",
                "https://user@calls.example.com",
                "https://localhost",
            ]
        )
    )
    return PATH, parameters, computed(TOKEN, origin + PATH, parameters)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(forgery=forgeries())
def test_no_forgery_is_taken_for_genuine(
    small_office: Office, forgery: tuple[str, Parameters, str]
) -> None:
    path, parameters, forged = forgery
    headers = {"X-Twilio-Signature": forged.encode().decode("latin-1")}
    answer = small_office.client.post(path, data=parameters, headers=headers)
    assert answer.status_code == 403
    assert number_of_tasks(small_office) == 0


signed_values = st.text(max_size=40)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(
        ["incoming", "waiting", "queue-left", "call-status", "agent-leg", "conference"]
    ),
    instruction=signed_values,
    changes=st.dictionaries(
        st.sampled_from(
            [
                "CallSid",
                "CallStatus",
                "From",
                "To",
                "QueueResult",
                "QueuePosition",
                "SequenceNumber",
                "StatusCallbackEvent",
                "ConferenceSid",
            ]
        ),
        signed_values,
    ),
)
def test_whatever_is_signed_the_door_does_not_break(
    small_office: Office, path: str, instruction: str, changes: dict[str, str]
) -> None:
    target = f"/voice/{path}?instruction={quote(instruction)}"
    parameters = arrival(**changes)
    raw = {"RAW_URI": target, "REQUEST_URI": target}
    answer = small_office.client.post(
        target,
        data=parameters,
        headers={"X-Twilio-Signature": signature(target, parameters)},
        environ_overrides=raw,
    )
    assert answer.status_code < 500
    assert answer.status_code != 403


@pytest.mark.skipif(not RECORDINGS.exists(), reason=f"NO RECORDED VECTORS at {RECORDINGS}")
def test_every_recorded_vector_is_right() -> None:
    recorded = flask.json.loads((RECORDINGS / "signature-vectors.json").read_text())
    for vector in recorded["vectors"]:
        origin, slash, target = vector["url"].rpartition(".com/")
        signatures = Signatures(public_url=f"{origin}.com", auth_tokens=(recorded["auth_token"],))
        target = slash.removeprefix(".com") + target
        assert signatures.are_right(target, fields(vector["params"]), vector["signature"])
        assert not signatures.are_right(
            target, fields({**vector["params"], "x": NUMBER}), vector["signature"]
        )


def test_the_recordings_are_looked_for_beside_the_checkout() -> None:
    assert Path(__file__).parents[2].joinpath("voice").is_dir()
    assert RECORDINGS.parts[-3:] == ("shared", "reference", "webhooks")
