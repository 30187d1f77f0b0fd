"""How a workspace is set up, as one immutable picture: the slowly changing rows, by sid.

A verb reads it once. The store keeps the latest picture and takes a new one when the workspace's
`configuration_version` has moved on, so that deciding about a Task costs one small read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.clock import Instant
from routing.errors import InvalidParameter
from routing.task_queue import TaskQueue
from routing.workspace import Activity, TaskChannel, Workspace

#: The Workflow's TaskReservationTimeout: Twilio's default and maximum, in seconds.
DEFAULT_RESERVATION_TIMEOUT_SECONDS = 120
MAX_RESERVATION_TIMEOUT_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    sid: str
    workspace_sid: str
    friendly_name: str
    #: JSON text of the current document, exactly as it was given.
    configuration: str
    #: Counts configurations; a Task goes through the one it began with.
    configuration_version: int
    assignment_callback_url: str | None
    fallback_assignment_callback_url: str | None
    #: Seconds an offer made through this Workflow stands.
    task_reservation_timeout: int
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    workspace: Workspace
    activities: Mapping[str, Activity]
    task_channels: Mapping[str, TaskChannel]
    task_queues: Mapping[str, TaskQueue]
    workflows: Mapping[str, Workflow]

    def task_channel(self, name: str) -> TaskChannel:
        """The channel of that SID or unique name; raises InvalidParameter when there is none."""
        by_sid = self.task_channels.get(name)
        if by_sid is not None:
            return by_sid
        for channel in self.task_channels.values():
            if channel.unique_name == name:
                return channel
        raise InvalidParameter(
            "TaskChannel", f"expected the SID or unique name of a TaskChannel, got {name!r}"
        )

    def is_available(self, activity_sid: str) -> bool:
        """May a Worker in this Activity be given Tasks?"""
        activity = self.activities.get(activity_sid)
        return activity is not None and activity.available

    def available_activity_sids(self) -> frozenset[str]:
        return frozenset(sid for sid, activity in self.activities.items() if activity.available)
