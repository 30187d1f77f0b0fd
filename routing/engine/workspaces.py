"""How a Workspace is set up: itself, its Activities and its TaskChannels."""

import re
from dataclasses import replace

from routing import sids
from routing.configuration import Configuration
from routing.engine import workers
from routing.engine.journal import Subject, tell
from routing.errors import Conflict, InvalidParameter, NotFound, RoutingError
from routing.ports import Work
from routing.workspace import (
    DEFAULT_ACTIVITIES,
    DEFAULT_TASK_CHANNELS,
    FIFO,
    LIFO,
    Activity,
    TaskChannel,
    Workspace,
)

MAX_NAME_CHARACTERS = 64
#: Twilio documents no limit for the names of TaskQueues and Workflows; this one is ours.
MAX_LONG_NAME_CHARACTERS = 1024
_UNIQUE_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def check_name(friendly_name: str, *, longest: int = MAX_NAME_CHARACTERS) -> None:
    """Raises InvalidParameter for an empty or over-long name."""
    if not 1 <= len(friendly_name) <= longest:
        raise InvalidParameter("FriendlyName", f"expected 1 to {longest} characters")


def create(
    work: Work,
    *,
    friendly_name: str,
    event_callback_url: str = "",
    events_filter: str | None = None,
    multi_task_enabled: bool = True,
    prioritize_queue_order: str = FIFO,
) -> Workspace:
    """A new Workspace with the Activities and TaskChannels that each begins with."""
    check_name(friendly_name)
    _check_order(prioritize_queue_order)
    workspace = Workspace(
        sid=sids.new_sid(sids.WORKSPACE),
        friendly_name=friendly_name,
        event_callback_url=event_callback_url,
        events_filter=events_filter or None,
        multi_task_enabled=multi_task_enabled,
        prioritize_queue_order=prioritize_queue_order,
        default_activity_sid=None,
        timeout_activity_sid=None,
        configuration_version=0,
        created_at=work.now,
        updated_at=work.now,
    )
    work.workspaces.add(workspace)
    activities = [_new_activity(work, workspace.sid, *default) for default in DEFAULT_ACTIVITIES]
    for activity in activities:
        work.activities.add(activity)
    first = activities[0].sid
    work.workspaces.change(workspace.sid, default_activity_sid=first, timeout_activity_sid=first)
    channels = [
        _new_channel(work, workspace.sid, unique_name, name)
        for unique_name, name in DEFAULT_TASK_CHANNELS
    ]
    for channel in channels:
        work.task_channels.add(channel)
    work.configuration_changed(workspace.sid)
    configuration = work.configuration(workspace.sid)
    tell(work, configuration, "workspace.created", "Workspace created", Subject())
    for activity in activities:
        _tell_activity(work, configuration, "created", activity)
    for channel in channels:
        _tell_channel(work, configuration, "created", channel)
    return configuration.workspace


def update(
    work: Work,
    *,
    workspace_sid: str,
    friendly_name: str | None = None,
    event_callback_url: str | None = None,
    events_filter: str | None = None,
    multi_task_enabled: bool | None = None,
    prioritize_queue_order: str | None = None,
    default_activity_sid: str | None = None,
    timeout_activity_sid: str | None = None,
) -> Workspace:
    """Changes what is given; an empty `events_filter` means all events again."""
    configuration = work.configuration(workspace_sid)
    if friendly_name is not None:
        check_name(friendly_name)
    if prioritize_queue_order is not None:
        _check_order(prioritize_queue_order)
    for parameter, sid in (
        ("DefaultActivitySid", default_activity_sid),
        ("TimeoutActivitySid", timeout_activity_sid),
    ):
        if sid is not None and sid not in configuration.activities:
            raise InvalidParameter(parameter, "expected an Activity of this Workspace")
    given = {
        "friendly_name": friendly_name,
        "event_callback_url": event_callback_url,
        "multi_task_enabled": multi_task_enabled,
        "prioritize_queue_order": prioritize_queue_order,
        "default_activity_sid": default_activity_sid,
        "timeout_activity_sid": timeout_activity_sid,
    }
    columns: dict[str, object] = {k: v for k, v in given.items() if v is not None}
    if events_filter is not None:
        columns["events_filter"] = events_filter or None
    columns["updated_at"] = work.now
    work.workspaces.change(workspace_sid, **columns)
    work.configuration_changed(workspace_sid)
    configuration = work.configuration(workspace_sid)
    tell(work, configuration, "workspace.updated", "Workspace updated", Subject())
    return configuration.workspace


def delete(work: Work, *, workspace_sid: str) -> None:
    """Removes a Workspace with everything in it; its events stay."""
    configuration = work.configuration(workspace_sid)
    tell(work, configuration, "workspace.deleted", "Workspace deleted", Subject())
    work.configuration_changed(workspace_sid)
    work.workspaces.remove(workspace_sid)


def _check_order(order: str) -> None:
    if order not in {FIFO, LIFO}:
        raise InvalidParameter("PrioritizeQueueOrder", f"expected {FIFO} or {LIFO}, got {order!r}")


def create_activity(
    work: Work, *, workspace_sid: str, friendly_name: str, available: bool = False
) -> Activity:
    check_name(friendly_name)
    configuration = work.configuration(workspace_sid)
    activity = _new_activity(work, workspace_sid, friendly_name, available)
    work.activities.add(activity)
    work.configuration_changed(workspace_sid)
    _tell_activity(work, configuration, "created", activity)
    return activity


def rename_activity(
    work: Work, *, workspace_sid: str, activity_sid: str, friendly_name: str
) -> Activity:
    """Renames an Activity; whether it is available never changes."""
    check_name(friendly_name)
    configuration = work.configuration(workspace_sid)
    activity = configuration.activities.get(activity_sid)
    if activity is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Activities/{activity_sid}")
    work.activities.change(activity_sid, friendly_name=friendly_name, updated_at=work.now)
    work.configuration_changed(workspace_sid)
    activity = replace(activity, friendly_name=friendly_name, updated_at=work.now)
    _tell_activity(work, configuration, "updated", activity)
    return activity


def delete_activity(work: Work, *, workspace_sid: str, activity_sid: str) -> None:
    """Removes an Activity that nothing refers to."""
    configuration = work.configuration(workspace_sid)
    activity = configuration.activities.get(activity_sid)
    if activity is None:
        raise NotFound(f"/Workspaces/{workspace_sid}/Activities/{activity_sid}")
    workspace = configuration.workspace
    queues = configuration.task_queues.values()
    in_use = (
        activity_sid in {workspace.default_activity_sid, workspace.timeout_activity_sid}
        or any(
            activity_sid in {queue.reservation_activity_sid, queue.assignment_activity_sid}
            for queue in queues
        )
        or work.workers.find(activity_sid=activity_sid, limit=1)
    )
    if in_use:
        raise RoutingError(
            f"Cannot delete activity {activity_sid}: it is the Activity of a Worker, "
            "a TaskQueue or the Workspace."
        )
    work.activities.remove(activity_sid)
    work.configuration_changed(workspace_sid)
    _tell_activity(work, configuration, "deleted", activity)


def create_task_channel(
    work: Work,
    *,
    workspace_sid: str,
    friendly_name: str,
    unique_name: str,
    channel_optimized_routing: bool = False,
) -> TaskChannel:
    """A new kind of work; every Worker gets a WorkerChannel for it."""
    check_name(friendly_name)
    if not _UNIQUE_NAME.fullmatch(unique_name) or len(unique_name) > MAX_NAME_CHARACTERS:
        raise InvalidParameter(
            "UniqueName", "expected letters, digits, _ and $ only, not starting with a digit"
        )
    configuration = work.configuration(workspace_sid)
    if any(unique_name == other.unique_name for other in configuration.task_channels.values()):
        raise Conflict(f"A TaskChannel with the unique name {unique_name!r} exists already.")
    channel = _new_channel(work, workspace_sid, unique_name, friendly_name)
    channel = replace(channel, channel_optimized_routing=channel_optimized_routing)
    work.task_channels.add(channel)
    work.configuration_changed(workspace_sid)
    for worker in work.workers.find(workspace_sid=workspace_sid):
        workers.add_channel(work, worker.sid, channel)
    _tell_channel(work, work.configuration(workspace_sid), "created", channel)
    return channel


def _new_activity(work: Work, workspace_sid: str, name: str, available: bool) -> Activity:
    return Activity(
        sid=sids.new_sid(sids.ACTIVITY),
        workspace_sid=workspace_sid,
        friendly_name=name,
        available=available,
        created_at=work.now,
        updated_at=work.now,
    )


def _new_channel(work: Work, workspace_sid: str, unique_name: str, name: str) -> TaskChannel:
    return TaskChannel(
        sid=sids.new_sid(sids.TASK_CHANNEL),
        workspace_sid=workspace_sid,
        friendly_name=name,
        unique_name=unique_name,
        channel_optimized_routing=False,
        created_at=work.now,
        updated_at=work.now,
    )


def _tell_activity(work: Work, configuration: Configuration, what: str, activity: Activity) -> None:
    description = f"Activity {activity.friendly_name} {what}"
    tell(work, configuration, f"activity.{what}", description, Subject(activity=activity))


def _tell_channel(
    work: Work, configuration: Configuration, what: str, channel: TaskChannel
) -> None:
    description = f"TaskChannel {channel.unique_name} {what}"
    tell(work, configuration, f"task-channel.{what}", description, Subject(task_channel=channel))
