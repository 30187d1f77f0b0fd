"""What a process holds that the garbage collector had better not look through again and again.

Nothing here is needed for anything to be freed: what the engine makes has no cycles, and goes by
its reference counts when its time has come.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Settled(dict[Key, Value]):
    """A large dictionary of nothing but numbers and texts, which stays where it was set aside.

    The garbage collector takes a plain one of that sort for new again and again, whenever something
    is put into it, and looks at all of it.
    """

    __slots__ = ()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without the garbage collector: among many objects that are made at once it would look again
    and again through all that there are, and hold everybody up for a tenth of a second.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def settle_memory() -> None:
    """Sets what was just built aside from the garbage collector, as long as the process lives."""
    gc.collect()
    gc.freeze()
