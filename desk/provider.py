"""An OpenID Connect provider, as a relying party sees it: where one is sent, and who comes back.

The authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636). The
provider's description and keys are fetched when they are first needed, and again after a while or
when a token is signed with a key that is not known yet.
"""

import threading
from dataclasses import dataclass
from typing import Any, Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from desk.settings import OpenIdSettings
from routing.clock import SECOND, Clock, Instant
from routing.errors import InvalidParameter
from routing.json_text import JSONObject, read_object

#: Seconds for each answer of the provider.
TIMEOUT_SECONDS: Final = 10
#: Seconds that description and keys are believed.
FRESH_SECONDS: Final = 3600
#: Seconds by which the provider's clock may differ from ours.
LEEWAY_SECONDS: Final = 60
MAX_ANSWER_CHARACTERS: Final = 1_000_000
#: Signed with a key that the provider alone has: no token is made with the client's secret.
_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)


class ProviderFailed(Exception):
    """It does not answer, or not as it should; the message is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    description: JSONObject
    keys: KeySet
    fetched_at: Instant


class Provider:
    def __init__(self, settings: OpenIdSettings, redirect_uri: str, clock: Clock) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._lock = threading.Lock()
        self._known: _Known | None = None

    def address(self, *, state: str, nonce: str, code_verifier: str) -> str:
        """Where the browser is sent. Raises ProviderFailed."""
        endpoint = _text(self._look().description, "authorization_endpoint")
        with self._session() as session:
            url, _ = session.create_authorization_url(
                endpoint, state=state, nonce=nonce, code_verifier=code_verifier
            )
        return str(url)

    def claims(self, *, code: str, nonce: str, code_verifier: str) -> dict[str, Any]:
        """What the provider says of whoever comes back with this code. Raises ProviderFailed."""
        endpoint = _text(self._look().description, "token_endpoint")
        try:
            with self._session() as session:
                token = session.fetch_token(
                    endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                    redirect_uri=self._redirect_uri,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
        except (AuthlibBaseError, requests.RequestException, ValueError) as error:
            raise ProviderFailed(f"the code was not taken: {type(error).__name__}") from error
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str):
            raise ProviderFailed("expected an id_token")
        return self._checked(id_token, access_token, nonce)

    def _checked(self, id_token: str, access_token: object, nonce: str) -> dict[str, Any]:
        """Core 3.1.3.7: signature, issuer, audience, times, nonce, hash of the access token."""
        try:
            try:
                known = self._look()
                decoded = jwt.decode(id_token, known.keys, algorithms=list(_ALGORITHMS))
            except InvalidKeyIdError:
                known = self._look(anew=True)
                decoded = jwt.decode(id_token, known.keys, algorithms=list(_ALGORITHMS))
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": known.description["issuer"]},
                    "aud": {"essential": True, "value": self._settings.client_id},
                    "sub": {"essential": True},
                },
                {
                    "nonce": nonce,
                    "client_id": self._settings.client_id,
                    "access_token": access_token,
                },
            )
            claims.validate(now=self._clock.now() // SECOND, leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError) as error:
            raise ProviderFailed(f"the id_token is not right: {error}") from error
        return dict(claims)

    def _session(self) -> Any:
        return OAuth2Session(
            self._settings.client_id,
            self._settings.client_secret,
            scope=self._settings.scopes,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_SECONDS,
        )

    def _look(self, *, anew: bool = False) -> _Known:
        now = self._clock.now()
        with self._lock:
            known = self._known
            if anew or known is None or now - known.fetched_at >= FRESH_SECONDS * SECOND:
                known = self._known = self._fetched(now)
            return known

    def _fetched(self, now: Instant) -> _Known:
        issuer = self._settings.issuer
        description = _get(f"{issuer}/.well-known/openid-configuration")
        if _text(description, "issuer").rstrip("/") != issuer:
            raise ProviderFailed("its description is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _text(description, name)  # what is of no use is not believed for an hour
        try:
            keys = KeySet.import_key_set(_get(_text(description, "jwks_uri")))  # type: ignore[arg-type]  # what it is, is looked at there
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ProviderFailed("its keys cannot be read") from error
        return _Known(description=description, keys=keys, fetched_at=now)


def _get(url: str) -> JSONObject:
    try:
        answered = requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        if answered.status_code != requests.codes.ok:
            raise ProviderFailed(f"{url} answered {answered.status_code}")
        return read_object(answered.content, parameter=url, limit=MAX_ANSWER_CHARACTERS)
    except (requests.RequestException, InvalidParameter) as error:
        raise ProviderFailed(f"{url} cannot be read: {type(error).__name__}") from error


def _text(description: JSONObject, name: str) -> str:
    value = description.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderFailed(f"expected {name} in its description")
    return value
