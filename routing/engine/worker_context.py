"""What an expression may ask about a Worker. It reads, and knows no verbs."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol

from routing.configuration import Configuration
from routing.json_text import read_object
from routing.matching import ChannelLoad, load_context
from routing.ports import Work
from routing.worker import Worker, WorkerChannel


class Described(Protocol):
    """A Worker, as far as expressions may ask about it."""

    @property
    def sid(self) -> str: ...
    @property
    def friendly_name(self) -> str: ...
    @property
    def attributes(self) -> str: ...
    @property
    def activity_sid(self) -> str: ...


def worker_context(configuration: Configuration, worker: Described) -> dict[str, object]:
    """What an expression may ask about a Worker: its attributes, and the built-in names."""
    context = dict(_attributes(worker.attributes))
    context["sid"] = worker.sid
    context["friendly_name"] = worker.friendly_name
    context["activity_sid"] = worker.activity_sid
    context["activity_name"] = configuration.activities[worker.activity_sid].friendly_name
    return context


def loaded_context(work: Work, configuration: Configuration, worker: Worker) -> dict[str, object]:
    """The same, and what the Worker has on each channel at this moment."""
    channels = work.worker_channels.find(worker_sid=worker.sid)
    loads = channel_loads(configuration, channels).get(worker.sid, {})
    return {**worker_context(configuration, worker), "channel": load_context(loads.values())}


def channel_loads(
    configuration: Configuration, channels: Iterable[WorkerChannel]
) -> dict[str, dict[str, ChannelLoad]]:
    """{Worker SID: {TaskChannel SID: its load}}."""
    loads: dict[str, dict[str, ChannelLoad]] = {}
    for channel in channels:
        loads.setdefault(channel.worker_sid, {})[channel.task_channel_sid] = ChannelLoad(
            unique_name=configuration.task_channels[channel.task_channel_sid].unique_name,
            configured_capacity=channel.configured_capacity,
            assigned_tasks=channel.assigned_tasks,
            available=channel.available,
            last_reserved_at=channel.last_reserved_at,
        )
    return loads


@lru_cache(maxsize=32_768)
def _attributes(text: str) -> Mapping[str, object]:
    return read_object(text, parameter="Attributes")
