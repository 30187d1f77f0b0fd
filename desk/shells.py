"""The pages, the files that were built for them, and what a browser may load and reach for them.

A page is a shell: its file has no script and no style in it, so the policy needs no exception. What
is built has a name with a digest in it where others refer to it, and is kept for ever; the rest is
asked for anew and answered with 304.
"""

import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Request, Response, request, send_file
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from desk.places import Places
from desk.sessions import Visitors
from desk.settings import DeskSettings
from routing.user import AGENT

#: {path: page}. The last two are for those who have signed in.
PAGES: Final = {"/": "home", "/sign-in": "sign-in", "/desk": "desk", "/wall": "wall"}
_SIGNED_IN: Final = frozenset({"desk", "wall"})
#: esbuild's way: NAME-DIGEST.js, with eight letters and digits.
_HASHED: Final = re.compile(r"-[A-Z0-9]{8}\.\w+$")
_FOR_EVER: Final = 31_536_000
#: What Twilio's Voice SDK talks to and plays (Voice JavaScript SDK, "Content Security Policy").
_TWILIO_MEDIA: Final = "https://media.twiliocdn.com https://sdk.twilio.com"
_TWILIO_HOSTS: Final = f"https://eventgw.twilio.com wss://*.twilio.com {_TWILIO_MEDIA}"
_NOT_BUILT: Final = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tandem</title>
<h1>The pages are not built yet</h1>
<p><code>make run</code> builds them, with this machine's Node or one from a wheel, and starts
Tandem. Everything else runs: the REST API, the webhooks and the realtime server.</p>
</html>
"""


def add_pages(blueprint: Blueprint, settings: DeskSettings, visitors: Visitors) -> None:
    shells = _Pages(settings, visitors)
    for path, name in PAGES.items():
        blueprint.add_url_rule(
            path, f"page_{name}", shells.view(name), provide_automatic_options=False
        )
    blueprint.add_url_rule("/assets/<path:path>", "asset", shells.asset)


class _Pages:
    def __init__(self, settings: DeskSettings, visitors: Visitors) -> None:
        self._settings = settings
        self._visitors = visitors
        self._places = Places(settings)

    def view(self, name: str) -> Callable[[], Response]:
        def show() -> Response:
            return self._page(name)

        return show

    def _page(self, name: str) -> Response:
        status = 200
        if name in _SIGNED_IN:
            signed_in = self._visitors.of(request).signed_in
            if signed_in is None:
                where = urlencode({"next": request.path})
                return self._guarded(
                    Response(status=302, headers={"Location": f"/sign-in?{where}"})
                )
            if name == "wall" and signed_in.user.role == AGENT:
                status = 403  # and the page says so
        path = self._settings.pages / f"{name}.html"
        if not path.is_file() or not self._settings.built.is_dir():
            page = Response(_NOT_BUILT, status=503, mimetype="text/html")
        else:
            page = Response(path.read_bytes(), status=status, mimetype="text/html")
        page.headers["Cache-Control"] = "no-store"
        return self._guarded(page)

    def _guarded(self, page: Response) -> Response:
        page.headers["Content-Security-Policy"] = policy(self._places, request)
        page.headers["X-Content-Type-Options"] = "nosniff"
        page.headers["Referrer-Policy"] = "same-origin"
        page.headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
        page.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return page

    def asset(self, path: str) -> Response:
        found = safe_join(str(self._settings.built), path)
        if found is None or not Path(found).is_file() or path.endswith(".gz"):
            raise NotFound
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        packed = Path(f"{found}.gz")
        takes_packed = request.accept_encodings["gzip"] > 0 and packed.is_file()
        response = send_file(
            packed if takes_packed else found,
            mimetype=kind,
            conditional=True,
            etag=True,
            max_age=_FOR_EVER if _HASHED.search(path) else 0,
        )
        if takes_packed:
            response.headers["Content-Encoding"] = "gzip"
        if _HASHED.search(path):
            response.cache_control.immutable = True
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def policy(places: Places, asked: Request) -> str:
    """The Content-Security-Policy of a page: its own files, and the servers that it talks to."""
    simulator = places.simulator(asked)
    elsewhere = simulator if simulator is not None else _TWILIO_HOSTS
    media = simulator if simulator is not None else f"mediastream: {_TWILIO_MEDIA}"
    realtime = f"{places.realtime(asked)} {places.sockets(asked)}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"media-src 'self' {media}",
            f"connect-src 'self' {realtime} {elsewhere}",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            # Whatever becomes markup goes through lit's own templates.
            "require-trusted-types-for 'script'",
            "trusted-types lit-html",
        )
    )
