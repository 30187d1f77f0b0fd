"""The event bridge on a fresh database, beside the REST door, and tokens to show it."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant
from werkzeug.test import TestResponse

from routing.api.operations import RestSettings
from routing.clock import SECOND
from routing.realtime.bridge import Bridge, bridge_door
from routing.reservation import Reservation
from routing.store import SqlStore
from tests.api.service import PUBLIC_URL, Centre, Service, open_centre, open_service
from tests.fakes import ManualClock

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
KEY_SID, SECRET = "SK" + "0" * 32, "the secret of the key that signs them"
#: Long enough for the helper libraries, which otherwise complain.
AUTH_TOKEN = "a token nobody knows"


class Keys:
    """One API key."""

    def secret(self, key_sid: str) -> str | None:
        return SECRET if key_sid == KEY_SID else None


class Office:
    """A centre with two Workers, Alice (who is there) and Bob, and what the SDK would send."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.centre: Centre = open_centre(service)
        self.alice = self.centre.worker_sid
        self.bob = str(
            self.centre.workspace.workers.create(
                friendly_name="Bob", activity_sid=self.centre.available_sid
            ).sid
        )
        self.base = f"Workspaces/{self.centre.workspace_sid}"

    def token(
        self,
        worker_sid: str | None = None,
        role: str = "worker",
        *,
        seconds: int = 3600,
        **other: Any,
    ) -> str:
        """An access token of the official helper library, dated by the test's clock."""
        now = self.service.clock.now() // SECOND
        grant = TaskRouterGrant(
            workspace_sid=other.get("workspace_sid", self.centre.workspace_sid),
            worker_sid=worker_sid,
            role=role,
        )
        made = AccessToken(
            other.get("account_sid", ACCOUNT_SID),
            KEY_SID,
            other.get("secret", SECRET),
            grants=[grant],
            nbf=other.get("begin", now),
            valid_until=now + seconds,
        )
        return str(made.to_jwt())

    def ask(
        self,
        token: str,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        *,
        path: str = "/v1/wschannels",
        **headers: str,
    ) -> TestResponse:
        """A request as the SDK makes it, wrong Content-Type included."""
        body = {"url": url, "method": method, "params": params or {}, "token": token}
        return self.service.app.test_client().post(
            path,
            data=msgspec.json.encode(body),
            headers={"Content-Type": "text/plain;charset=UTF-8", "apiVersion": "v1", **headers},
        )

    def payload(self, *asked: Any, **how: Any) -> Any:
        answer = self.ask(*asked, **how)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return answer.json["payload"]

    def offer(self, worker_sid: str | None = None, **task: Any) -> Reservation:
        """A Task, offered to the Worker (Alice)."""
        made = self.centre.workspace.tasks.create(
            workflow_sid=self.centre.workflow_sid, **({"attributes": "{}"} | task)
        )
        return self.service.reserve(str(made.sid), worker_sid or self.alice)


@pytest.fixture
def office(sqlite_url: str) -> Iterator[Office]:
    service = open_service(sqlite_url, ManualClock())
    settings = RestSettings(
        account_sid=ACCOUNT_SID, auth_tokens=(AUTH_TOKEN,), public_url=PUBLIC_URL
    )
    service.app.register_blueprint(bridge_door(Bridge(service.engine, settings, Keys())))
    yield Office(service)
    store = service.engine.store
    assert isinstance(store, SqlStore)
    store.close()
