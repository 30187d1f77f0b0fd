"""Webhooks that Twilio did not sign: what it did sign, changed somewhere, or signed by another.

The signature that would be right is worked out by the published rule, not by anybody's library: so
a change that happens to mean the same is no forgery and is left out.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import parse_qsl, urlencode

from tests.chaos.calling import office_of
from tests.chaos.running import Case
from tests.voice.office import PUBLIC_URL, TOKEN, Office
from tests.voice.test_incoming_call import arrival
from tests.voice.test_signature import computed

MUTANTS = 100
_FORM = "application/x-www-form-urlencoded"
PATHS = (
    *("incoming", "waiting", "queue-left", "call-status", "agent-leg", "conference", "menu"),
    *("enqueue", "callback", "voicemail", "outside-leg", "digits", "hold", "conference-left"),
)
_ORIGINS = (
    "http://calls.example.com",
    "https://calls.example.com:444",
    "https://calls.example.com.evil.example",
    "https://example.com",
    "https://user@calls.example.com",
    "https://localhost",
    "https://CALLS.example.com",
    "",
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """As it goes over the wire; `headers` are those beside the signature."""

    target: str
    body: str
    signature: str
    method: str = "POST"
    content_type: str = _FORM
    headers: tuple[tuple[str, str], ...] = ()

    def fields(self) -> dict[str, str | list[str]]:
        found: dict[str, str | list[str]] = {}
        for name, value in parse_qsl(self.body, keep_blank_values=True):
            known = found.get(name, [])
            found[name] = [*known, value]
        return found

    @property
    def is_genuine(self) -> bool:
        """Would Twilio have signed just this?"""
        signed = {} if self.method == "GET" else self.fields()
        right = [computed(TOKEN, origin + self.target, signed) for origin in _OURS]
        is_form = self.method == "GET" or self.content_type == _FORM
        return self.signature in right and is_form


#: Where we are, as Twilio's products write it.
_OURS = (PUBLIC_URL, f"{PUBLIC_URL}:443")


def genuine(chance: Random) -> Request:
    parameters = arrival(CallStatus=chance.choice(["ringing", "in-progress", "completed"]))
    target = f"/voice/{chance.choice(PATHS)}"
    if chance.random() < 0.3:
        target += f"?instruction=IN{chance.randbytes(16).hex()}"
    right = computed(TOKEN, PUBLIC_URL + target, dict(parameters))
    return Request(target=target, body=urlencode(parameters), signature=right)


def _flipped(chance: Random, text: str) -> str:
    """One character is another one, by a bit."""
    if not text:
        return "x"
    place = chance.randrange(len(text))
    other = chr(ord(text[place]) ^ chance.choice([1, 2, 4, 8, 16, 32]))
    return text[:place] + other + text[place + 1 :]


def _bits_of_the_signature(chance: Random, request: Request) -> Request:
    return replace(request, signature=_flipped(chance, request.signature))


def _part_of_the_signature(chance: Random, request: Request) -> Request:
    right = request.signature
    cut = chance.randint(0, len(right))
    wrong = chance.choice(
        [right[:cut], right[:-1], right.lower(), right.rstrip("="), right + "=", "", right * 2]
    )
    return replace(request, signature=wrong)


def _bits_of_the_body(chance: Random, request: Request) -> Request:
    return replace(request, body=_flipped(chance, request.body))


def _a_field(chance: Random, request: Request) -> Request:
    """Left out, trimmed, padded, doubled, renamed, added, or two of them exchanged."""
    pairs = parse_qsl(request.body, keep_blank_values=True)
    place = chance.randrange(len(pairs))
    name, value = pairs[place]
    word = "".join(chance.choices(string.printable, k=chance.randint(1, 6)))
    other, _ = chance.choice(pairs)
    pairs[place : place + 1] = chance.choice(
        [
            [],
            [(name, value[:-1])],
            [(name, value + chance.choice(" \n0\u200b"))],
            [(name, value), (name, value + "x")],
            [(name + "X", value)],
            [(name.swapcase(), value)],
            [(name, value), (word, word)],
            [(other, value)],
            [(name, word)],
        ]
    )
    return replace(request, body=urlencode(pairs))


def _the_address(chance: Random, request: Request) -> Request:
    path, _, query = request.target.partition("?")
    letters = "".join(chance.choices(string.ascii_letters, k=4))
    target = chance.choice(
        [
            f"/voice/{chance.choice(PATHS)}",
            f"{request.target}&{letters}=1" if query else f"{path}?{letters}",
            f"{path}/",
            f"{path}?",
            f"{path}?instruction={letters}",
            path.upper(),
            path.replace("/voice", "//voice"),
            path.replace("voice", "v%6Fice"),
        ]
    )
    return replace(request, target=target)


def _somebody_elses_token(chance: Random, request: Request) -> Request:
    """Another account's, or the one before the last rotation."""
    token = chance.choice([chance.randbytes(16).hex(), TOKEN + " ", TOKEN.upper(), "", TOKEN[:-1]])
    wrong = computed(token, PUBLIC_URL + request.target, request.fields())
    return replace(request, signature=wrong)


def _another_origin(chance: Random, request: Request) -> Request:
    """Signed for another address, which the headers tell of."""
    origin = chance.choice(_ORIGINS)
    wrong = computed(TOKEN, origin + request.target, request.fields())
    host = origin.partition("://")[2] or "evil.example"
    told = (
        ("Host", host),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Proto", "http"),
        ("X-Original-URL", "/"),
        ("X-Twilio-Webhooks-Signature-Settings", "key=,algorithm="),
    )
    headers = tuple(chance.sample(told, chance.randint(0, len(told))))  # fmt: skip
    return replace(request, signature=wrong, headers=headers)


def _another_way(chance: Random, request: Request) -> Request:
    """By another method, or with the fields in another form or place."""
    return chance.choice(
        [
            replace(request, method="GET"),
            replace(request, method="GET", target=f"{request.target.split('?')[0]}?{request.body}"),
            replace(request, method=chance.choice(["PUT", "DELETE", "PATCH"])),
            replace(request, content_type="application/json"),
            replace(request, content_type="text/plain"),
            replace(request, content_type="multipart/form-data; boundary=x"),
            replace(request, headers=(("X-Twilio-Webhooks-Signature-Settings", "key=a"),),
                    signature=request.signature[::-1]),
        ]
    )  # fmt: skip


_WAYS: tuple[Callable[[Random, Request], Request], ...] = (
    _bits_of_the_signature,
    _part_of_the_signature,
    _bits_of_the_body,
    _a_field,
    _a_field,
    _the_address,
    _somebody_elses_token,
    _another_origin,
    _another_way,
)


def send(office: Office, request: Request) -> int:
    """The status of the answer."""
    return office.client.open(
        request.target,
        method=request.method,
        data=request.body.encode("utf-8", "surrogatepass"),
        content_type=request.content_type,
        headers=[
            ("X-Twilio-Signature", request.signature.encode().decode("latin-1")),
            *request.headers,
        ],
        environ_overrides={"RAW_URI": request.target, "REQUEST_URI": request.target},
    ).status_code


def play(case: Case, mutants: int = MUTANTS) -> None:
    """No mutant is believed, and none leaves a trace; what it was made from is believed."""
    with office_of(case) as office:
        before = (office.centre.picture(), _calls(office))
        for _ in range(mutants):
            original = genuine(case.chance)
            mutant = case.chance.choice(_WAYS)(case.chance, original)
            if case.chance.random() < 0.2:
                mutant = case.chance.choice(_WAYS)(case.chance, mutant)
            if mutant.is_genuine:
                case.counts["changes that mean the same"] += 1
                continue
            status = send(office, mutant)
            nowhere = status == 404 and not mutant.target.startswith("/voice/")
            assert status == 403 or nowhere, (status, mutant)
            case.counts[f"refused with {status}"] += 1
        assert (office.centre.picture(), _calls(office)) == before
        for _ in range(3):
            known = genuine(case.chance)
            assert send(office, known) in {200, 204, 400}, known  # 400: believed, but not enough
            case.counts["believed"] += 1


def _calls(office: Office) -> list[object]:
    return list(office.centre.engine.read(lambda work: work.calls.find()))
