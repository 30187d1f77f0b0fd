"""Where state is kept: tables, units of work, migrations. The only room that knows SQLAlchemy.

It stores and finds; it never decides. Whoever needs a row changed calls a verb of the engine. The
front door is `open_store`.
"""

from routing.store.errors import BrokenInvariant, StoreError, StoreUnavailable
from routing.store.log import FollowedLog
from routing.store.store import SqlStore, open_store
from routing.store.unit_of_work import UnitOfWork
from routing.store.wake_up import WakeUp

__all__ = [
    "BrokenInvariant",
    "FollowedLog",
    "SqlStore",
    "StoreError",
    "StoreUnavailable",
    "UnitOfWork",
    "WakeUp",
    "open_store",
]
