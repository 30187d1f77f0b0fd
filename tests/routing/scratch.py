"""A call centre on a SQLite database that nobody needs to keep: made in milliseconds.

For tests that need very many of them. The schema comes from the migrations, once per process; the
file lies in memory where the machine has such a place, so that commits cost no disk.
"""

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from routing.engine import Engine
from routing.store.store import open_store
from tests.fakes import ManualClock
from tests.routing.centre import Centre

_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it has a name of its own


@contextlib.contextmanager
def scratch_centre(*, multi_task: bool = True) -> Iterator[Centre]:
    """One queue, one workflow, nobody there yet; gone when the block ends."""
    with (
        tempfile.TemporaryDirectory(dir=_folder()) as folder,
        centre_in(Path(folder) / "tandem.sqlite", multi_task=multi_task) as centre,
    ):
        yield centre


@contextlib.contextmanager
def centre_in(path: Path, *, multi_task: bool = True) -> Iterator[Centre]:
    """The same, in a file that whoever asks can look at."""
    clock = ManualClock()
    path.write_bytes(_empty_database())
    store = open_store(f"sqlite:///{path}", clock)
    with contextlib.closing(store):
        centre = Centre(store, Engine(store, clock), clock, multi_task=multi_task)
        centre.path = path
        yield centre


@functools.cache
def _empty_database() -> bytes:
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    try:
        path = folder / "empty.sqlite"
        store = open_store(f"sqlite:///{path}", ManualClock())
        store.migrate()
        store.close()  # the last one out writes the log back into the file
        return path.read_bytes()
    finally:
        shutil.rmtree(folder)


def _folder() -> Path | None:
    return _MEMORY if _MEMORY.is_dir() else None
