"""`POST Tasks`, durably committed, and `GET Task`, beside a trivial view under one gunicorn."""

import argparse
import base64
import itertools
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import requests

from bench import load, servers
from bench.figures import Figure, median

CONNECTIONS = 16
#: More than any server here answers in a second.
REQUESTS_PER_SECOND = 6_000
#: Tasks that are fetched in turn.
TASKS = 200
_AUTH = (servers.ACCOUNT_SID, servers.AUTH_TOKEN)
_HEADERS = {"Authorization": "Basic " + base64.b64encode(":".join(_AUTH).encode()).decode()}
_FORM = {"Attributes": '{"language": "ja", "from": "+15550123456"}', "TaskChannel": "chat"}


def measure(options: argparse.Namespace) -> list[Figure]:
    """Requests a second as a share of the trivial view's."""
    figures = []
    with servers.databases(options.database) as urls, tempfile.TemporaryDirectory() as folder:
        for name, url in urls.items():
            rounds = [_round(url, Path(folder), options.seconds) for _ in range(options.rounds)]
            for place, what, share in ((1, "POST Tasks", 0.35), (2, "GET Task", 0.5)):
                rates = [each[place] for each in rounds]
                bases = [each[0] for each in rounds]
                figures.append(
                    Figure(
                        name=f"{what} to trivial view at concurrency {CONNECTIONS} ({name})",
                        value=median([r / b for r, b in zip(rates, bases, strict=True)]),
                        unit="ratio",
                        at_least=share,
                        beside=f"{median(rates):.0f}/s beside {median(bases):.0f}/s",
                    )
                )
    return figures


def _round(database_url: str, folder: Path, seconds: float) -> tuple[float, float, float]:
    """Requests a second: of the trivial view, of POST Tasks and of GET Task."""
    ports = servers.free_ports(3)
    settings = servers.environment(database_url, ports, folder)
    most = int(seconds * REQUESTS_PER_SECOND)

    def rate(each: list[bytes], status: str) -> float:
        put = itertools.islice(itertools.cycle(each), most)
        found = load.run(ports[0], put, connections=CONNECTIONS, seconds=seconds)
        if set(found.statuses) != {status}:
            raise RuntimeError(f"expected {status} alone: {found.statuses}")
        return found.requests_per_second

    with servers.gunicorn("bench.trivial:app", settings, "/trivial"):
        trivial = rate([load.http_request("/trivial", b"a=1", {})], "200")
    with servers.house(settings) as url:
        tasks = _tasks_path(url)
        fetches = [load.get_request(f"{tasks}/{_made(url, tasks)}", _HEADERS) for _ in range(TASKS)]
        fetched = rate(fetches, "200")
        post = load.http_request(tasks, urlencode(_FORM).encode(), _HEADERS)
        posted = rate([post], "201")
    return trivial, posted, fetched


def _tasks_path(url: str) -> str:
    """The path of the example Workspace's Tasks; nobody is there to take one."""
    found = requests.get(f"{url}/v1/Workspaces", auth=_AUTH, timeout=10).json()["workspaces"]
    workspace = f"/v1/Workspaces/{found[0]['sid']}"
    for worker in requests.get(f"{url}{workspace}/Workers", auth=_AUTH, timeout=10).json()[
        "workers"
    ]:
        form = {"Available": "false"}
        path = f"{url}{workspace}/Workers/{worker['sid']}/Channels/chat"
        requests.post(path, data=form, auth=_AUTH, timeout=10).raise_for_status()
    return f"{workspace}/Tasks"


def _made(url: str, tasks: str) -> str:
    made = requests.post(f"{url}{tasks}", data=_FORM, auth=_AUTH, timeout=10)
    made.raise_for_status()
    return str(made.json()["sid"])
