"""The Workspace and what every resource in it shares: Activities and TaskChannels."""

from dataclasses import dataclass
from typing import Final

from routing.clock import Instant

FIFO: Final = "FIFO"
LIFO: Final = "LIFO"

#: (friendly name, available) of the Activities that every new Workspace gets; the first one is its
#: default and its timeout Activity.
DEFAULT_ACTIVITIES = (("Offline", False), ("Available", True), ("Unavailable", False))

#: (unique name, friendly name) of the TaskChannels that every new Workspace gets.
DEFAULT_TASK_CHANNELS = (
    ("default", "Default"),
    ("voice", "Voice"),
    ("chat", "Programmable Chat"),
    ("sms", "SMS"),
    ("video", "Video"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    sid: str
    friendly_name: str
    #: Empty when the workspace sends no event callbacks.
    event_callback_url: str
    #: Comma list of event types to call back for; None means all of them.
    events_filter: str | None
    multi_task_enabled: bool
    prioritize_queue_order: str
    #: The Activity of a new Worker that names none. None only while the workspace is being created.
    default_activity_sid: str | None
    #: The Activity a Worker moves to when a Reservation times out.
    timeout_activity_sid: str | None
    #: Counts changes of anything that Configuration holds; tells a cached one that it is stale.
    configuration_version: int
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    sid: str
    workspace_sid: str
    friendly_name: str
    #: May a Worker in this Activity be given Tasks? Never changes after creation.
    available: bool
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChannel:
    sid: str
    workspace_sid: str
    friendly_name: str
    unique_name: str
    #: Longest idle is counted per channel instead of over all channels of the Worker.
    channel_optimized_routing: bool
    created_at: Instant
    updated_at: Instant
