"""The whole web application on a database of its own, and browsers in front of it.

A browser here has cookies and sends what a page of ours would; whatever a page would not do is said
with each request.
"""

import shutil
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from desk.passwords import hashed
from routing.engine import Engine, tasks, users, workers
from routing.engine.reservations import accept, reserve
from routing.store import SqlStore, open_store
from routing.task import Task
from routing.user import User
from settings import Settings, load
from tests.fakes import ManualClock

HERE = "http://127.0.0.1:8000"
PASSWORD = "an ordinary long password"
#: Hashing takes its time on purpose: once is enough for all tests.
PASSWORD_HASH = hashed(PASSWORD)


class Browser:
    """Cookies, and the CSRF token of the last answer that told one."""

    def __init__(self, client: FlaskClient, base: str) -> None:
        self._client = client
        self._base = base
        self.csrf = ""
        self.told: dict[str, Any] = {}

    def open(self, method: str, path: str, **how: Any) -> TestResponse:
        """A request as it is; the token goes with whatever changes something."""
        headers = dict(how.pop("headers", {}))
        if method != "GET":
            headers = {"X-CSRF-Token": self.csrf} | headers
        headers = {name: value for name, value in headers.items() if value is not None}
        how.setdefault("base_url", self._base)
        how.setdefault("buffered", True)
        return self._client.open(path, method=method, headers=headers, **how)

    def look(self) -> dict[str, Any]:
        """What /desk/session tells."""
        return self._keep(self.open("GET", "/desk/session"))

    def _keep(self, answer: TestResponse) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        self.told = answer.json
        self.csrf = self.told["csrf"]
        return self.told

    def sign_in(self, name: str, password: str = PASSWORD) -> "Browser":
        self.look()
        self._keep(self.try_in(name, password))
        return self

    def try_in(self, name: str, password: str, **how: Any) -> TestResponse:
        return self.open("POST", "/desk/sign-in", json={"name": name, "password": password}, **how)

    def demo(self, name: str) -> "Browser":
        self.look()
        self._keep(self.open("POST", "/desk/demo", json={"name": name}))
        return self

    def rest(self, method: str, path: str, **given: Any) -> TestResponse:
        """The REST door; `{ws}` in the path is the Workspace."""
        path = f"/desk/rest{path.replace('{ws}', '/Workspaces/' + self.told['workspace_sid'])}"
        if method == "POST":
            return self.open(method, path, data=given)
        return self.open(method, path, query_string=given or None)

    @property
    def cookies(self) -> dict[str, str]:
        kept = self._client._cookies or {}
        return {key[2]: cookie.value for key, cookie in kept.items()}


class Front:
    """The application; the simulator stands in, on loopback, unless settings say otherwise."""

    def __init__(self, folder: Path, template: Path, **environment: str) -> None:
        copy = folder / "tandem.sqlite"
        shutil.copyfile(template, copy)
        self.clock = ManualClock()
        self.settings: Settings = load(
            {
                "INSTANCE_PATH": str(folder / "instance"),
                "DATABASE_URL": f"sqlite:///{copy}",
                "TANDEM_SECRET_KEY": "of the tests, long enough",
            }
            | environment
        )
        self.store: SqlStore = open_store(self.settings.database_url, self.clock)
        self.app = create_app(self.settings, clock=self.clock, store=self.store)
        self.engine = Engine(self.store, self.clock)
        self.workspace = self.store.read(lambda work: work.workspaces.find())[0]
        self.everybody = self.store.read(lambda work: work.workers.find(order_by="friendly_name"))
        self._opened = (folder, template)

    def browser(self, base: str = HERE) -> Browser:
        return Browser(self.app.test_client(), base)

    def close(self) -> None:
        self.store.close()

    def worker_sid(self, name: str) -> str:
        return next(each.sid for each in self.everybody if each.friendly_name == name)

    def add_user(self, name: str, role: str, **more: Any) -> User:
        """One with the password of the tests."""
        more.setdefault("password_hash", PASSWORD_HASH)
        return self.engine.perform(users.add, name=name, role=role, **more)

    def task(self, **more: Any) -> Task:
        """One that waits."""
        return self.engine.perform(tasks.create, workspace_sid=self.workspace.sid, **more)

    def offered(self, name: str, **more: Any) -> tuple[Task, str]:
        """One that is offered to the Worker, and the SID of the Reservation."""
        task = self.task(**more)
        reservation = self.engine.perform(
            reserve, task_sid=task.sid, worker_sid=self.worker_sid(name)
        )
        assert reservation is not None
        return task, reservation.sid

    def held(self, name: str, **more: Any) -> Task:
        """One that the Worker has."""
        task, reservation_sid = self.offered(name, **more)
        self.engine.perform(accept, reservation_sid=reservation_sid)
        return task

    def make_room(self, name: str, capacity: int = 1000) -> None:
        """The Worker may have so many Tasks of the default channel at once."""
        self.engine.perform(
            workers.set_channel,
            workspace_sid=self.workspace.sid,
            worker_sid=self.worker_sid(name),
            channel="default",
            capacity=capacity,
        )
