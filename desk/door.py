"""The door itself: pages, and JSON below /desk/, behind one guard and with one way to refuse."""

from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from desk import refusals
from desk.access_tokens import AccessTokens, MakeToken, MakeVoiceToken
from desk.connection import Connection, Outside
from desk.demo import Demo
from desk.refusals import Refused
from desk.rest import METHODS, AskRest, Rest
from desk.sessions import Visitors
from desk.settings import DeskSettings
from desk.shells import add_pages
from desk.sign_in import SignIn
from routing.engine import Engine
from routing.errors import RoutingError, Unavailable

PREFIX: Final = "/desk/"
_EVERY_METHOD: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def desk_door(
    engine: Engine,
    settings: DeskSettings,
    *,
    make_token: MakeToken,
    make_voice_token: MakeVoiceToken | None,
    ask_rest: AskRest,
    outside: Outside,
) -> Blueprint:
    """The pages and what they need, for the composition root to register on its app.

    Whatever changes something comes from a page of ours, and shows the CSRF token of its cookie.
    """
    blueprint = Blueprint("desk", __name__)
    visitors = Visitors(engine, settings)
    sign_in = SignIn(engine, settings, visitors)
    tokens = AccessTokens(engine, visitors, make_token, make_voice_token)
    rest = Rest(engine, visitors, ask_rest)
    connection = Connection(engine.clock, settings, visitors, sign_in, outside)
    demo = Demo(sign_in, tokens, ask_rest)
    add_pages(blueprint, settings, visitors)
    for path, view, method in (
        ("session", sign_in.session, "GET"),
        ("users", sign_in.users, "GET"),
        ("connection", connection.tell, "GET"),
        ("sign-in", sign_in.sign_in, "POST"),
        ("sign-out", sign_in.sign_out, "POST"),
        ("demo", sign_in.demo, "POST"),
        ("demo/tokens", demo.tokens, "POST"),
        ("demo/explanation", demo.explanation, "GET"),
        ("token", tokens.token, "POST"),
        ("pull", rest.pull, "POST"),
    ):
        blueprint.add_url_rule(PREFIX + path, path, view, methods=[method])

    if settings.open_id is not None:
        # So that a start without a provider, which most are, does not wait for its libraries.
        from desk.open_id import PATH, OpenId  # noqa: PLC0415

        open_id = OpenId(engine, settings, settings.open_id, sign_in)
        blueprint.add_url_rule(PATH, "open-id", open_id.leave)
        blueprint.add_url_rule(f"{PATH}/callback", "open-id-callback", open_id.come_back)
    blueprint.add_url_rule(f"{PREFIX}rest/<path:path>", "rest", rest.forward, methods=METHODS)

    # Otherwise a path that there is not would be the framework's to tell of.
    blueprint.add_url_rule(f"{PREFIX}<path:path>", "nowhere", _nowhere, methods=_EVERY_METHOD)

    @blueprint.before_request
    def guard() -> None:
        if request.method not in _HARMLESS:
            visitors.check_origin(request, visitors.of(request))

    @blueprint.after_request
    def keep_to_ourselves(response: Response) -> Response:
        if request.path.startswith(PREFIX):
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return visitors.remember(response)

    blueprint.register_error_handler(Refused, refusals.of_refused)
    blueprint.register_error_handler(RoutingError, refusals.of_routing_error)
    blueprint.register_error_handler(HTTPException, refusals.of_http_error)
    blueprint.register_error_handler(Unavailable, refusals.of_unavailable)
    blueprint.register_error_handler(Exception, refusals.of_unexpected)
    return blueprint


def _nowhere(path: str) -> Response:
    raise NotFound(f"The requested resource /desk/{path} was not found")
