"""How gunicorn serves the house: one process, so that SQLite has one writer, and many threads,
none of which is kept by a client that sends half a request.

gunicorn reads the names below; they come from the settings of this environment.
"""

from typing import Any

import settings as house

_settings = house.load()

bind = f"{_settings.host}:{_settings.port}"
worker_class = "commands.web_worker.WebWorker"
workers = 1
threads = _settings.web_threads
# Clients keep connections open, too; ours last longer, so that it is they who close.
keepalive = 75
graceful_timeout = 10
loglevel = "warning"
# The heartbeat file in memory: a slow disk must not look like a dead worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - it is unlinked as soon as it is open
control_socket_disable = True
proc_name = "tandem"


def post_worker_init(worker: Any) -> None:  # gunicorn has no types
    """Streams of events would go on for ever; they end when gunicorn wants to."""
    house_of_app = worker.wsgi.extensions.get("house")  # not every app that we serve has one
    if house_of_app is not None:
        house_of_app.rest_settings.streams.end_when(lambda: not worker.alive)
