"""Which process follows the log: the one that leads, and another as soon as that one is gone.

Followers may run in any process, but only in one at a time: two routers would be a waste, and two
readers of one cursor would do everything twice. Nothing relies on that; claims decide.
"""

import threading
from collections.abc import Callable, Sequence

import structlog

from routing.background.loops import Loop
from routing.ports import Leadership

#: Seconds between two tries to take over, and between two looks whether we still lead.
LOOK_SECONDS = 0.25
#: Seconds that a follower gets to finish what it has in hand.
STOP_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class Leading:
    """Runs the followers for as long as this process leads."""

    def __init__(self, leadership: Leadership, begin: Callable[[], Sequence[Loop]]) -> None:
        """`begin` makes everything ready, and the loops, which are started here; it is called each
        time that this process takes over.
        """
        self._leadership = leadership
        self._begin = begin
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leading", daemon=True)
        self._loops: tuple[Loop, ...] = ()

    def start(self) -> None:
        """Returns when the followers run, or another process turned out to lead.

        Raises what kept them from beginning.
        """
        self._take_over()
        self._thread.start()

    def stop(self) -> None:
        """Lets each follower finish the step in hand; another process may lead then."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._stop_loops()
        self._leadership.give_up()

    def wellbeing(self) -> dict[str, bool]:
        """{follower: is it well?}; one entry for all of them where another process has them."""
        loops = self._loops
        if loops:
            return {loop.name: loop.is_well for loop in loops}
        return {"in another process": self._leadership.is_taken()}

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                if not self._loops:
                    self._take_over()
                elif not self._leadership.is_held():
                    _log.warning("another process may lead now")
                    self._stop_loops()
            except Exception:  # noqa: BLE001 - whatever it was, somebody must go on trying to lead
                _log.exception("could not take over")

    def _take_over(self) -> None:
        if not self._leadership.take():
            return
        try:
            loops = tuple(self._begin())
        except BaseException:
            self._leadership.give_up()
            raise
        for loop in loops:
            loop.start()
        self._loops = loops

    def _stop_loops(self) -> None:
        loops, self._loops = self._loops, ()
        for loop in loops:
            loop.stop()
        for loop in loops:
            loop.join(STOP_SECONDS)


class Elsewhere:
    """Stands in for Leading where this process is not to lead at all."""

    def __init__(self, leadership: Leadership) -> None:
        self._leadership = leadership

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self._leadership.give_up()

    def wellbeing(self) -> dict[str, bool]:
        return {"in another process": self._leadership.is_taken()}
