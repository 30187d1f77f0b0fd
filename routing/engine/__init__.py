"""The verbs: the only writers of state.

A verb is a function whose first argument is the unit of work it happens in; it moves rows through
their state tables and appends the events that tell of it, all in one transaction. Doors run one by
`engine.perform(tasks.create, ...)`, and may put several into a verb of their own.

    workspaces queues workflows workers   how things are set up
    tasks offers reservations             what happens to a piece of work
    transfers handing_over                a piece of work is handed on
    placement skipping rerouting          where a Task goes next in its Workflow, or instead
    instructions giving participants      what is to be done on the phone line
    api_keys presences                    what programs prove themselves with, and who is there
    users sessions                        who may use the pages, and is signed in
    mending                               what should have ended
    explaining                            why a Task is where it is
    dry_run                               what would become of a Task that came in now
    moves journal matchable               what the verbs above share, and the router with them

Rows are locked in one order: task, then its reservations, then workers and their channels. A verb
may be run again, or together with others, before it is answered: it touches nothing but its Work.
"""

from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from routing.clock import Clock
from routing.ports import Store, Work

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Engine:
    """The front door: runs verbs and queries in transactions of the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def perform(
        self,
        verb: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Runs the verb in a transaction; returns after the commit.

        Raises what the verb raises (a RoutingError when it cannot be done): nothing has changed.
        """
        return self.store.perform(lambda work: verb(work, *args, **kwargs))

    def by(self, actor: Mapping[str, str]) -> "Engine":
        """The same engine, whose events tell that this actor caused them."""
        return _Acting(self.store, self.clock, actor)

    def add(
        self,
        verb: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """The same for a verb that adds rows, and neither locks nor changes any.

        Many of them at once cost little more than one.
        """
        return self.store.perform(lambda work: verb(work, *args, **kwargs), only_adds=True)

    def read(
        self,
        query: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Runs the query on one consistent picture of the tables; nothing is written."""
        return self.store.read(lambda work: query(work, *args, **kwargs))

    def glance(
        self,
        query: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Runs the query, each statement of it on the newest state: for those whose next step looks
        again under lock in any case.
        """
        return self.store.glance(lambda work: query(work, *args, **kwargs))


class _Acting(Engine):
    """An Engine in somebody's name."""

    def __init__(self, store: Store, clock: Clock, actor: Mapping[str, str]) -> None:
        super().__init__(store, clock)
        self._actor = actor

    def perform(
        self,
        verb: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        return super().perform(self._acting(verb), *args, **kwargs)

    def add(
        self,
        verb: Callable[Concatenate[Work, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        return super().add(self._acting(verb), *args, **kwargs)

    def _acting(
        self, verb: Callable[Concatenate[Work, Parameters], Result]
    ) -> Callable[Concatenate[Work, Parameters], Result]:
        def act(work: Work, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            work.actor = self._actor
            return verb(work, *args, **kwargs)

        return act
