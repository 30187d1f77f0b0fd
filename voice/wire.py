"""How requests to Twilio travel: with timeouts, a session per thread, and to which base URL."""

import threading
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from twilio.http.response import Response

CONNECT_TIMEOUT_SECONDS: Final = 3.05
READ_TIMEOUT_SECONDS: Final = 8.0


class Wire:
    """Carries the library's requests: with timeouts, one session per thread, to a base URL of ours.

    The library itself has no setting for the base URL (only for edge and region), and its own
    client logs telephone numbers.
    """

    is_async = False

    def __init__(self, api_url: str | None) -> None:
        self._base = urlsplit(api_url.rstrip("/")) if api_url else None
        self._threads = threading.local()

    def request(  # noqa: PLR0917 - the library passes these by place
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        answer = self._session().request(
            method.upper(),
            self._redirected(uri),
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=(CONNECT_TIMEOUT_SECONDS, timeout or READ_TIMEOUT_SECONDS),
            allow_redirects=allow_redirects,
        )
        return Response(answer.status_code, answer.text, answer.headers)

    def _redirected(self, uri: str) -> str:
        if self._base is None:
            return uri
        asked = urlsplit(uri)
        path = self._base.path + asked.path
        return asked._replace(
            scheme=self._base.scheme, netloc=self._base.netloc, path=path
        ).geturl()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = requests.Session()
            # What answers on this machine is not behind the proxy that the environment may name.
            local = self._base is not None and self._base.hostname in {"127.0.0.1", "localhost"}
            session.trust_env = not local
            self._threads.session = session
        return session
