"""The latest picture of each workspace's configuration, shared by all units of a process."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

from routing.configuration import Configuration
from routing.errors import NotFound
from routing.store.errors import Mistaken, StoreError
from routing.store.inserts import Proviso
from routing.workspace import Workspace

if TYPE_CHECKING:
    from routing.store.unit_of_work import UnitOfWork


class _HasSid(Protocol):
    @property
    def sid(self) -> str: ...


_Row = TypeVar("_Row", bound=_HasSid)

#: Tries to read a configuration between two of its changes, before giving up.
MAX_TRIES = 20


class Configurations:
    """Pictures by workspace, each known by the version of its workspace row.

    A picture is kept only when it shows what is committed: never one that was taken in a
    transaction which has itself changed the workspace, since that may yet be rolled back and its
    version number be given to another change.
    """

    def __init__(self) -> None:
        self._pictures: dict[str, Configuration] = {}

    def latest(self, workspace_sid: str) -> Configuration | None:
        """The latest picture of it, which may be out of date; None where there is none yet."""
        return self._pictures.get(workspace_sid)

    def read(self, unit: "UnitOfWork", workspace_sid: str) -> Configuration:
        """Raises NotFound when there is no such workspace."""
        if workspace_sid in unit.reconfigured:
            return _picture(unit, workspace_sid)
        known = self._pictures.get(workspace_sid)
        # The version alone: each column that is read costs a busy process its turn.
        version = unit.brought(workspace_sid)
        if version is None:
            version = unit.configuration_version(workspace_sid)
        if known is None or known.workspace.configuration_version != version:
            known = self._pictures[workspace_sid] = _picture(unit, workspace_sid)
        return known


class Assumption:
    """That the latest known picture of a Workspace is still true: what a unit may go by unasked.

    It saves a trip to the server. The statement that writes asks, by the proviso, or `check` does;
    until then nothing that was decided by it may be told to anybody.
    """

    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations
        self._is_allowed = False
        #: What has to be true; None while nothing was assumed, or what was has been checked.
        self.proviso: Proviso | None = None

    def begin(self, *, allowed: bool) -> None:
        self._is_allowed = allowed
        self.proviso = None

    def take(self, workspace_sid: str) -> Configuration | None:
        """The picture; None where it has to be read. A unit seldom has more than one Workspace."""
        if not self._is_allowed or self.proviso is not None:
            return None
        latest = self._configurations.latest(workspace_sid)
        if latest is not None:
            self.proviso = Proviso(workspace_sid, latest.workspace.configuration_version)
        return latest

    def check(self, unit: "UnitOfWork") -> None:
        """Raises Mistaken where the configuration is another one by now."""
        assumed, self.proviso = self.proviso, None
        if assumed is None:
            return
        try:
            version = unit.configuration_version(assumed.workspace_sid)
        except NotFound:
            raise Mistaken from None
        if version != assumed.version:
            raise Mistaken


def _workspace(unit: "UnitOfWork", sid: str) -> Workspace:
    workspace = unit.workspaces.get(sid)
    if workspace is None:
        raise NotFound(f"/Workspaces/{sid}")
    return workspace


def _picture(unit: "UnitOfWork", sid: str) -> Configuration:
    """A picture of one moment, also where each statement sees a newer state than the one before.

    Every change of what it holds moves the version in the same transaction; so when the workspace
    is the same after the other rows were read as before, nothing was changed in between.
    """
    workspace = _workspace(unit, sid)
    for _ in range(MAX_TRIES):
        picture = Configuration(
            workspace=workspace,
            activities=_by_sid(unit.activities.find(workspace_sid=sid)),
            task_channels=_by_sid(unit.task_channels.find(workspace_sid=sid)),
            task_queues=_by_sid(unit.task_queues.find(workspace_sid=sid)),
            workflows=_by_sid(unit.workflows.find(workspace_sid=sid)),
        )
        again = _workspace(unit, sid)
        if again == workspace:
            return picture
        workspace = again
    raise StoreError(f"The configuration of {sid} changes faster than it can be read.")


def _by_sid(rows: Iterable[_Row]) -> Mapping[str, _Row]:
    return MappingProxyType({row.sid: row for row in rows})
