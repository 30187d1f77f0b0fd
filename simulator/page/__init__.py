"""The page at the simulator's own address: a telephone, the phones it rings, and what goes on.

Five files, served as they are: no build, nobody else's code. The page speaks to the control door
and to nothing else. Its policy lets the browser run only these files, so that a name or a text
that a caller or a program has set stays a text. It must never render anything on the server.
"""

from importlib import resources

from flask import Blueprint, Response

#: path -> (file, content type)
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/sound.js": ("sound.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src http: https:; "  # a <Play> may name any address
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def routes() -> Blueprint:
    made = Blueprint("page", __name__)
    for path, (name, kind) in FILES.items():
        made.add_url_rule(path, endpoint=name.replace(".", "-"), view_func=_serve(name, kind))
    return made


def _serve(name: str, kind: str) -> "_View":
    return _View((resources.files(__name__) / name).read_bytes(), kind)


class _View:
    """One file, read once."""

    def __init__(self, content: bytes, kind: str) -> None:
        self._content = content
        self._kind = kind

    def __call__(self) -> Response:
        return Response(self._content, content_type=self._kind, headers=HEADERS)
