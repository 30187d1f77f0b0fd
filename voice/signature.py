"""Every webhook proves that it comes from Twilio, or it is turned away and leaves no trace.

Twilio signs the URL it was given plus the form's fields with the account's token. What we were
asked for is taken from the configured public URL and the request line exactly as it came: never
from Host or X-Forwarded-*, which anybody may write. This room looks at nothing but the proof; there
is no switch that turns it off.

The signed text joins names and values without a mark between them (Twilio, "Webhooks security"), so
it cannot tell repeated values from one, nor their order. Whoever reads the parameters therefore
gets one value per name that depends only on what was signed.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_plus, urlsplit

import flask
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator

SIGNATURE_HEADER = "X-Twilio-Signature"
#: Names the shared key and the algorithm of a signature that is not made with the account's token.
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"

#: Bytes of a form; Twilio's own are a few kilobytes, with speech and add-ons some tens.
MAX_BODY_BYTES = 65_536
#: Fields of a form or query; Twilio's largest have some forty.
MAX_FIELDS = 300

_FORM = "application/x-www-form-urlencoded"
_DEFAULT_PORTS = {"https": 443, "http": 80}


class Parameters(dict[str, list[str]]):
    """The fields of a form, each with all its values, in the shape that RequestValidator reads."""

    def getall(self, name: str) -> list[str]:
        return self[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A request that Twilio made."""

    #: What Twilio tells: one value for each name.
    parameters: Mapping[str, str]
    #: What we wrote into the URL when we gave it to Twilio.
    query: Mapping[str, str]

    def get(self, name: str) -> str:
        """The parameter's value, empty where Twilio did not send it."""
        return self.parameters.get(name, "")


class Signatures:
    """Knows the secrets, and where Twilio believes that it calls."""

    def __init__(
        self,
        *,
        public_url: str,
        auth_tokens: tuple[str, ...],
        account_tokens: Mapping[str, str] | None = None,
        shared_keys: Mapping[str, str] | None = None,
    ) -> None:
        """`account_tokens` are those of sub-accounts by AccountSid, `shared_keys` secrets by key.

        A sub-account's webhooks are signed with its own token and no other; a request that names a
        shared key with that key's secret and no other.
        """
        self._validators = [RequestValidator(token) for token in auth_tokens]
        self._of_accounts = {
            sid: RequestValidator(token) for sid, token in (account_tokens or {}).items()
        }
        self._of_keys = {
            key: RequestValidator(secret) for key, secret in (shared_keys or {}).items()
        }
        self._origins = tuple(_origins(public_url.rstrip("/")))

    def are_right(
        self,
        target: str,
        parameters: Parameters,
        signature: str,
        *,
        account_sid: str = "",
        key_settings: str = "",
    ) -> bool:
        """Was `signature` made with one of our secrets for this request?

        `account_sid` is what the request says of itself, `key_settings` the header of a shared key
        (`key=...,algorithm=...`): both only choose the secret that must have been used. `target` is
        path and query as they came. The library's own `validate` rewrites the URL and compares
        character by character, so only its computation is used here.
        """
        given = signature.encode()
        validators, algorithm = self._validators, HMAC_SHA1
        if key_settings:
            named = dict(_settings(key_settings))
            own = self._of_keys.get(named.get("key", ""))
            validators = [] if own is None else [own]
            algorithm = named.get("algorithm", HMAC_SHA1)
        elif account_sid in self._of_accounts:
            validators = [self._of_accounts[account_sid]]
        if algorithm not in {HMAC_SHA1, HMAC_SHA256}:
            return False
        return any(
            hmac.compare_digest(
                validator.compute_signature(origin + target, parameters, algorithm).encode(), given
            )
            for origin in self._origins
            for validator in validators
        )


def _settings(header: str) -> Iterator[tuple[str, str]]:
    for pair in header.split(","):
        name, _, value = pair.partition("=")
        yield name.strip(), value.strip()


def _origins(public_url: str) -> Iterator[str]:
    """The public URL with and without its port: Twilio's products differ in what they sign."""
    yield public_url
    parts = urlsplit(public_url)
    if parts.port is None:
        netloc = f"{parts.netloc}:{_DEFAULT_PORTS[parts.scheme]}"
    else:
        netloc = parts.netloc.removesuffix(f":{parts.port}")
    yield parts._replace(netloc=netloc).geturl()


#: Why a webhook is refused; whoever sent it is told nothing of that.
NOT_SIGNED: Final = "it has no signature"
NO_FORM: Final = "it is no form"
DOES_NOT_FIT: Final = "its signature fits neither PUBLIC_URL nor the auth token"


def require(signatures: Signatures, request: flask.Request) -> Webhook:
    """The webhook, if it is genuine; otherwise the request ends here with 403 (413 if too long)."""
    request.max_content_length = MAX_BODY_BYTES
    target = _target(request.environ)
    given = request.headers.get(SIGNATURE_HEADER, "")
    if target is None or not given:
        flask.abort(403, NOT_SIGNED)
    query = fields_of(target.partition("?")[2].encode())
    signed = _signed_fields(request)
    if query is None or signed is None:
        flask.abort(403, NO_FORM)
    told = _one_each(query if request.method in {"GET", "HEAD"} else signed)
    if not signatures.are_right(
        target,
        signed,
        given,
        account_sid=told.get("AccountSid", ""),
        key_settings=request.headers.get(SETTINGS_HEADER, ""),
    ):
        flask.abort(403, DOES_NOT_FIT)
    return Webhook(parameters=told, query=_one_each(query))


def _signed_fields(request: flask.Request) -> Parameters | None:
    """What the signature covers beside the URL; None for a body that Twilio never sends."""
    if request.method in {"GET", "HEAD"}:
        return Parameters()
    if request.mimetype != _FORM:
        return None
    return fields_of(request.get_data(cache=False))


def fields_of(form: bytes) -> Parameters | None:
    """The fields of an urlencoded form; None when it is none, or not UTF-8 throughout.

    Frameworks put a replacement for bytes that are not UTF-8, and so let two forms look alike.
    """
    fields = Parameters()
    if form.count(b"&") >= MAX_FIELDS:
        return None
    try:
        for pair in form.decode().split("&"):
            if not pair:
                continue
            name, _, value = pair.partition("=")
            # Most of what Twilio sends is written as it is, and need not be taken apart.
            if "%" in pair or "+" in pair:
                name, value = _unquoted(name), _unquoted(value)
            fields.setdefault(name, []).append(value)
    except UnicodeDecodeError:
        return None
    return fields


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


def _one_each(fields: Parameters) -> dict[str, str]:
    return {name: values[0] if len(values) == 1 else min(values) for name, values in fields.items()}


def _target(environ: Mapping[str, object]) -> str | None:
    """Path and query as they were asked for; None for a request line that Twilio never writes."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not isinstance(raw, str) or not raw:
        # A server that keeps no raw request line: Twilio's own quoting is the plain one.
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".encode("latin-1")
        query = environ.get("QUERY_STRING", "")
        raw = quote(path) + (f"?{query}" if query else "")
    plain = raw.startswith("/") and raw.isascii() and raw.isprintable() and "#" not in raw
    return raw if plain else None
