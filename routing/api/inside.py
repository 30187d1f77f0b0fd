"""The REST door from within: a request that another door has let in, in somebody's name.

It runs through the app as any request does, guard and all, but for its credentials: what stands in
for them is a value of the WSGI environment, which no client can send. Its events tell who it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from flask import Flask, Request, Response
from werkzeug.test import EnvironBuilder

from routing.api.parameters import FORM

#: The name in the environment of whoever is let in.
ACTOR: Final = "tandem.actor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is asked of the REST door."""

    method: str
    #: Below /v1, with a slash before it.
    path: str
    query: str
    body: bytes
    content_type: str = FORM
    if_match: str | None = None
    #: As an Event's actor.
    actor: Mapping[str, str]


def run_inside(app: Flask, asked: Inside) -> Response:
    """The REST door's answer, refusals included."""
    headers = [] if asked.if_match is None else [("If-Match", asked.if_match)]
    builder = EnvironBuilder(
        method=asked.method,
        query_string=asked.query,
        input_stream=BytesIO(asked.body),
        content_type=asked.content_type if asked.body else None,
        content_length=len(asked.body),
        headers=headers,
        environ_overrides={"REMOTE_ADDR": asked.actor.get("source_ip_address", "")},
    )
    environ = builder.get_environ()
    builder.close()
    environ["PATH_INFO"] = f"/v1{asked.path}"  # as it is: nothing in it is read as a query
    environ[ACTOR] = asked.actor
    with app.request_context(environ):
        return app.full_dispatch_request()


def actor_of(request: Request) -> Mapping[str, str] | None:
    """Whoever was let in from within; None for everybody who has to show credentials."""
    actor: Mapping[str, str] | None = request.environ.get(ACTOR)
    return actor
