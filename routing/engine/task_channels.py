"""How TaskChannels are changed and removed; they are made in `workspaces`, with their Workspace."""

from dataclasses import replace

from routing.configuration import Configuration
from routing.engine.journal import Subject, tell
from routing.engine.workspaces import check_name
from routing.errors import NotFound, RoutingError
from routing.ports import Work
from routing.workspace import DEFAULT_TASK_CHANNELS, TaskChannel

_BUILT_IN = frozenset(unique_name for unique_name, _friendly_name in DEFAULT_TASK_CHANNELS)


def find(configuration: Configuration, channel: str) -> TaskChannel:
    """The TaskChannel of that SID or unique name; raises NotFound when there is none."""
    by_sid = configuration.task_channels.get(channel)
    if by_sid is not None:
        return by_sid
    for candidate in configuration.task_channels.values():
        if candidate.unique_name == channel:
            return candidate
    raise NotFound(f"/Workspaces/{configuration.workspace.sid}/TaskChannels/{channel}")


def update(
    work: Work,
    *,
    workspace_sid: str,
    channel: str,
    friendly_name: str | None = None,
    channel_optimized_routing: bool | None = None,
) -> TaskChannel:
    """Changes what is given; `channel` is a SID or unique name, and unique names never change."""
    found = find(work.configuration(workspace_sid), channel)
    columns: dict[str, object] = {"updated_at": work.now}
    if friendly_name is not None:
        check_name(friendly_name)
        columns["friendly_name"] = friendly_name
    if channel_optimized_routing is not None:
        columns["channel_optimized_routing"] = channel_optimized_routing
    work.task_channels.change(found.sid, **columns)
    work.configuration_changed(workspace_sid)
    changed = replace(found, **columns)  # type: ignore[arg-type]  # the names are the record's own
    tell(
        work,
        work.configuration(workspace_sid),
        "task-channel.updated",
        f"TaskChannel {changed.unique_name} updated",
        Subject(task_channel=changed),
    )
    return changed


def delete(work: Work, *, workspace_sid: str, channel: str) -> None:
    """Removes a TaskChannel with its WorkerChannels; not one that every Workspace has, nor one that
    Tasks came in by.
    """
    configuration = work.configuration(workspace_sid)
    found = find(configuration, channel)
    if found.unique_name in _BUILT_IN:
        raise RoutingError(
            f"Cannot delete task channel {found.sid}: {found.unique_name} is part of any Workspace."
        )
    if work.tasks.find(task_channel_sid=found.sid, limit=1):
        raise RoutingError(f"Cannot delete task channel {found.sid} while it has Tasks.")
    tell(
        work,
        configuration,
        "task-channel.deleted",
        f"TaskChannel {found.unique_name} deleted",
        Subject(task_channel=found),
    )
    for worker_channel in work.worker_channels.find(task_channel_sid=found.sid):
        work.worker_channels.remove(worker_channel.sid)
    work.task_channels.remove(found.sid)
    work.configuration_changed(workspace_sid)
