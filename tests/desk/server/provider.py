"""An OpenID Connect provider on loopback, of which a test says what it tells and does wrong."""

import base64
import hashlib
import threading
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import flask
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.serving import make_server

from routing.clock import SECOND, Clock

CLIENT_ID, CLIENT_SECRET = "tandem", "the secret of the client"


class Provider:
    """Discovery, keys, authorization and token endpoint, over real HTTP."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.key: RSAKey | ECKey = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        #: What it says of whoever signs in, besides what every token has.
        self.claims: dict[str, Any] = {}
        #: What a test changes about the next token: claims, key, algorithm.
        self.wrong: dict[str, Any] = {}
        self.signs_with: Any = None
        self.algorithm = "RS256"
        #: Fields of the discovery document that are told instead.
        self.description: dict[str, Any] = {}
        #: Of each code that was given: what it was asked for with.
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def authorize(self, url: str) -> str:
        """The browser comes with this URL, and the person agrees: where it is sent back to."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _app(self) -> flask.Flask:
        app = flask.Flask("provider")

        @app.get("/.well-known/openid-configuration")
        def describe() -> dict[str, Any]:
            self.asked.append("description")
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.description

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            self.asked.append("keys")
            return {"keys": [self.key.as_dict(private=False)]}

        @app.post("/token")
        def token() -> tuple[dict[str, Any], int]:
            self.asked.append("token")
            given = flask.request.authorization
            form = flask.request.form
            asked = self.codes.pop(form["code"], None)
            if given is None or (given.username, given.password) != (CLIENT_ID, CLIENT_SECRET):
                return {"error": "invalid_client"}, 401
            if asked is None or not _fits(form.get("code_verifier", ""), asked):
                return {"error": "invalid_grant"}, 400
            return {
                "access_token": "opaque",
                "token_type": "Bearer",
                "id_token": self._id_token(asked["nonce"]),
            }, 200

        return app

    def _id_token(self, nonce: str) -> str:
        now = self._clock.now() // SECOND
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
        }
        claims |= self.claims | self.wrong
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.signs_with or self.key
        header = {"alg": self.algorithm, "kid": key.kid or "first"}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


def _fits(code_verifier: str, asked: dict[str, str]) -> bool:
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]


def another_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


def elliptic_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})


def secret_key() -> OctKey:
    """What whoever knows the client's secret could sign with."""
    return OctKey.import_key(CLIENT_SECRET, {"kid": "first"})
