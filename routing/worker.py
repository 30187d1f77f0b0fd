"""The Worker: activity, channels, capacity."""

from dataclasses import dataclass

from routing.clock import Instant

#: Attributes are refused beyond this many characters (Twilio, "Limits").
MAX_ATTRIBUTES_CHARACTERS = 4096

#: What a WorkerChannel can handle at once until somebody says otherwise.
DEFAULT_CAPACITY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    sid: str
    workspace_sid: str
    #: Unique in its workspace, whatever the case.
    friendly_name: str
    #: JSON text of an object, exactly as it was given.
    attributes: str
    activity_sid: str
    #: When the Activity last changed.
    status_changed_at: Instant
    #: When a Task was last reserved for this Worker; 0 for never. The smallest is longest idle.
    last_reserved_at: Instant
    #: Counts changes; the ETag.
    version: int
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerChannel:
    sid: str
    workspace_sid: str
    worker_sid: str
    task_channel_sid: str
    #: How many Tasks of this channel the Worker handles at once; 0 means no new ones.
    configured_capacity: int
    #: Live Reservations: pending, accepted or wrapping.
    assigned_tasks: int
    #: Switched off, it gets no new Tasks, and keeps its capacity for later.
    available: bool
    last_reserved_at: Instant
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityClaim:
    """One unit of a Worker's capacity on a channel, wanted for a Task."""

    worker_sid: str
    task_channel_sid: str
    #: Whether or not the channel is switched on and has a unit left.
    regardless: bool


def available_capacity_percentage(assigned_tasks: int, configured_capacity: int) -> int:
    """The free share of a channel, 0 to 100: floor((1 - assigned / configured) * 100).

    The formula of Twilio's multitasking guide, in whole numbers. No capacity, and a load above the
    capacity (it was lowered, or ignored), both leave 0.
    """
    if configured_capacity <= 0:
        return 0
    return max(0, (configured_capacity - assigned_tasks) * 100 // configured_capacity)
