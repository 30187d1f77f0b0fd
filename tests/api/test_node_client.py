"""The official Node client does whatever can be done to each resource, over a real socket."""

import socket
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from routing.api.door import OPERATIONS
from routing.store import SqlStore
from tests.api.service import ACCOUNT_SID, AUTH_TOKEN, Centre, Service, open_app
from tests.node import programs


@pytest.fixture
def address(service_on_each: Service) -> Iterator[str]:
    """Where the service listens; its links and pages lead there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        store = service_on_each.engine.store
        assert isinstance(store, SqlStore)
        app = open_app(store, service_on_each.clock, public_url=url).app
        server = make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield url
        server.shutdown()
        serving.join(timeout=10)


def test_the_official_node_client_finds_all_it_knows(centre_on_each: Centre, address: str) -> None:
    centre = centre_on_each
    offered = []
    for channel in ("voice", "video"):
        task = centre.workspace.tasks.create(task_channel=channel)
        reservation = centre.service.reserve(task.sid, centre.worker_sid)
        offered.append({"sid": reservation.sid, "taskSid": task.sid})
    done = programs.run(
        "operations.js",
        {
            "baseUrl": address,
            "accountSid": ACCOUNT_SID,
            "authToken": AUTH_TOKEN,
            "workspaceSid": centre.workspace_sid,
            "queueSid": centre.queue_sid,
            "workerSid": centre.worker_sid,
            "reservations": offered,
        },
    )
    assert isinstance(done, list)
    statistics = {op.name for op in OPERATIONS if "Statistics" in op.name}
    assert set(done) == {operation.name for operation in OPERATIONS} - statistics
