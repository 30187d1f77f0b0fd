"""Workers who are put offline when their application has gone (setWorkerOfflineIfDisconnected)."""

from collections.abc import Iterable

from routing import sids
from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine.moves import move_worker
from routing.errors import InvalidParameter
from routing.ports import Work
from routing.presence import Presence

#: What every new Workspace calls it.
OFFLINE = "Offline"


def arrive(
    work: Work, *, workspace_sid: str, worker_sid: str, activity_sid: str | None, seconds: int
) -> Presence:
    """A socket was opened; for so many seconds it counts as open without another word.

    Raises InvalidParameter for an Activity of another Workspace.
    """
    configuration = work.configuration(workspace_sid)
    if activity_sid is not None and activity_sid not in configuration.activities:
        raise InvalidParameter("disconnectActivitySid", "expected an Activity of this Workspace")
    presence = Presence(
        sid=sids.new_sid(sids.PRESENCE),
        workspace_sid=workspace_sid,
        worker_sid=worker_sid,
        activity_sid=activity_sid,
        due_at=work.now + seconds * SECOND,
        created_at=work.now,
        updated_at=work.now,
    )
    work.presences.add(presence)
    return presence


def stay(work: Work, *, presence_sids: Iterable[str], seconds: int) -> list[str]:
    """These sockets are still open; the SIDs of those of which that is too late to say."""
    late = []
    for sid in presence_sids:
        columns = {"due_at": work.now + seconds * SECOND, "updated_at": work.now}
        if not work.presences.change(sid, **columns):
            late.append(sid)
    return late


def leave(work: Work, *, presence_sid: str, seconds: int) -> None:
    """The socket was closed; within so many seconds the application may come back."""
    due_at = work.now + seconds * SECOND
    work.presences.change(presence_sid, due_at=due_at, updated_at=work.now)


def forget(work: Work, *, presence_sid: str) -> None:
    """The socket was closed for a newer one: that one counts."""
    work.presences.remove(presence_sid)


def lapse(work: Work, *, presence_sid: str) -> bool:
    """Its time has come: the Worker is put offline, unless another socket is open.

    False when that was settled or put off meanwhile.
    """
    presence = work.presences.get(presence_sid, lock=True)
    if presence is None or presence.due_at > work.now:
        return False
    worker = work.workers.get(presence.worker_sid, lock=True)
    work.presences.remove(presence_sid)
    others = work.presences.find(worker_sid=presence.worker_sid)
    if worker is None or any(other.due_at > work.now for other in others):
        return True
    configuration = work.configuration(presence.workspace_sid)
    activity_sid = presence.activity_sid
    if activity_sid not in configuration.activities:
        activity_sid = offline(configuration)
    move_worker(work, configuration, worker, activity_sid)
    return True


def offline(configuration: Configuration) -> str | None:
    """The Activity of those who are gone: the one of that name, or the Workspace's default.

    None where neither keeps Tasks away.
    """
    for activity in configuration.activities.values():
        if activity.friendly_name == OFFLINE and not activity.available:
            return activity.sid
    workspace = configuration.workspace
    for sid in (workspace.default_activity_sid, workspace.timeout_activity_sid):
        if sid is not None and not configuration.is_available(sid):
            return sid
    return None
