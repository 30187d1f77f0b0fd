"""Is it alive, and is it well? For supervisors, load balancers and `make run`."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import flask

from routing.store import SqlStore, StoreUnavailable

Answer: TypeAlias = dict[str, str | dict[str, str]]


def health_door(
    store: SqlStore, followers_wellbeing: Callable[[], Mapping[str, bool]]
) -> flask.Blueprint:
    """`/healthz` (the process answers) and `/readyz` (the database and every follower are well)."""
    door = flask.Blueprint("health", __name__)

    @door.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    @door.get("/readyz")
    def ready() -> tuple[Answer, int]:
        followers = {
            name: "well" if is_well else "not well"
            for name, is_well in followers_wellbeing().items()
        }
        try:
            store.ping()
            database = "well"
        except StoreUnavailable:
            database = "not well"
        is_ready = database == "well" and set(followers.values()) <= {"well"}
        answer: Answer = {
            "status": "ready" if is_ready else "not ready",
            "database": database,
            "followers": followers,
        }
        return answer, 200 if is_ready else 503

    return door
