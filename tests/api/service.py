"""A service to talk to: the door on a fresh database, and clients that need no network."""

import dataclasses
from typing import Any

import requests
from flask import Flask, Response, request
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug.test import TestResponse

from routing.api.door import rest_door
from routing.api.operations import RestSettings
from routing.api.streams import Streams
from routing.engine import Engine, reservations
from routing.reservation import Reservation
from routing.store import SqlStore, open_store
from tests.fakes import ManualClock
from tests.openapi import taskrouter

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "a token nobody knows"
NEXT_AUTH_TOKEN = "the token that replaces it"
PUBLIC_URL = "https://tandem.example"


class _IntoTheApp(BaseAdapter):
    """Carries what `requests` has prepared into the app, as a server would.

    Whatever comes back is held against Twilio's own description, where that is at hand.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(self, prepared: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        answered = self._app.test_client().open(
            path=prepared.path_url,
            method=prepared.method,
            headers=list(prepared.headers.items()),
            data=prepared.body or b"",
            base_url=PUBLIC_URL,
        )
        assert prepared.method is not None
        assert not taskrouter.faults(
            prepared.method,
            prepared.path_url.partition("?")[0],
            answered.status_code,
            answered.data,
        )
        response = requests.Response()
        response.status_code = answered.status_code
        response.headers.update(dict(answered.headers))
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response._content = answered.data
        response.url = str(prepared.url)
        return response

    def close(self) -> None:
        pass


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answered:
    """A request that was answered: which view it came to, and how it ended."""

    method: str
    endpoint: str | None
    status: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service:
    engine: Engine
    clock: ManualClock
    app: Flask
    answered: list[Answered]

    def client(self, sid: str = ACCOUNT_SID, token: str = AUTH_TOKEN) -> Client:
        """The official client, unmodified; only its base URL is another."""
        http = TwilioHttpClient()
        http.session.mount(PUBLIC_URL, _IntoTheApp(self.app))
        client = Client(sid, token, http_client=http)
        client.taskrouter.base_url = PUBLIC_URL
        return client

    def raw(self) -> FlaskClient:
        return self.app.test_client()

    def ask(self, method: str, path: str, **how: Any) -> TestResponse:
        """A request with the right credentials, for what the official client would never send."""
        how.setdefault("auth", (ACCOUNT_SID, AUTH_TOKEN))
        return self.app.test_client().open(path, method=method, **how)

    def reserve(self, task_sid: str, worker_sid: str) -> Reservation:
        """What the router does when it has found the Worker for the Task."""
        reservation = self.engine.perform(
            reservations.reserve, task_sid=task_sid, worker_sid=worker_sid
        )
        assert reservation is not None
        return reservation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Centre:
    """A workspace with a queue of everybody, a workflow into it and one worker who is there."""

    service: Service
    workspace: Any  # the client's own context; it has no types
    workspace_sid: str
    workflow_sid: str
    queue_sid: str
    worker_sid: str
    available_sid: str
    offline_sid: str

    @property
    def path(self) -> str:
        return f"/v1/Workspaces/{self.workspace_sid}"


def open_service(database_url: str, clock: ManualClock) -> Service:
    store = open_store(database_url, clock)
    store.migrate()
    return open_app(store, clock)


def open_app(store: SqlStore, clock: ManualClock, **more: Any) -> Service:
    """The door on a store that is open; `more` are further settings of it."""
    engine = Engine(store, clock)
    app = Flask("tandem")
    streams = Streams(limit=2)
    streams.end_when(lambda: True)  # a client that waits for the end of an answer gets one
    told: dict[str, Any] = {
        "account_sid": ACCOUNT_SID,
        "auth_tokens": (AUTH_TOKEN, NEXT_AUTH_TOKEN),
        "public_url": PUBLIC_URL,
        "streams": streams,
    }
    settings = RestSettings(**(told | more))
    app.register_blueprint(rest_door(engine, settings))
    answered: list[Answered] = []

    @app.after_request
    def remember(response: Response) -> Response:
        seen = Answered(
            method=request.method, endpoint=request.endpoint, status=response.status_code
        )
        answered.append(seen)
        return response

    return Service(engine=engine, clock=clock, app=app, answered=answered)


def open_centre(service: Service) -> Centre:
    """Set up through the official client, as a program would."""
    workspaces = service.client().taskrouter.v1.workspaces
    made = workspaces.create(friendly_name="Support", template="FIFO")
    workspace = workspaces(made.sid)
    activities = {activity.friendly_name: activity.sid for activity in workspace.activities.list()}
    worker = workspace.workers.create(
        friendly_name="Alice",
        activity_sid=activities["Available"],
        attributes='{"languages": ["en", "es"]}',
    )
    return Centre(
        service=service,
        workspace=workspace,
        workspace_sid=str(made.sid),
        workflow_sid=str(workspace.workflows.list()[0].sid),
        queue_sid=str(workspace.task_queues.list()[0].sid),
        worker_sid=str(worker.sid),
        available_sid=activities["Available"],
        offline_sid=activities["Offline"],
    )
