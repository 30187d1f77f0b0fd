"""The tables of sums, and of what they are made of. All of it is derived from the event log.

No foreign keys: they follow the log behind everybody else, so what they tell of may be gone. Where
a key says it all there is no other index, and SQLite keeps the rows in its order.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from routing.statistics.tally import COUNTS, WAITS
from routing.store.tables import metadata

#: One row for each fact (routing.statistics.facts), by time: what lies between two buckets.
facts: Final = Table(
    "statistics_facts",
    metadata,
    Column("workspace_sid", Text, primary_key=True),
    Column("occurred_at", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Integer, primary_key=True, autoincrement=False),
    Column("task_queue_sid", Text),
    Column("workflow_sid", Text),
    Column("task_channel_sid", Text, nullable=False),
    Column("worker_sid", Text),
    Column("wait_seconds", Integer, nullable=False),
    Column("queue_seconds", Integer, nullable=False),
    sqlite_with_rowid=False,
)

_LATER: Final = frozenset({"tasks_abandoned"})

#: Facts summed up, for each subject, channel and bucket of time. `span` is the bucket's length in
#: milliseconds. The waits as JSON, {"seconds": how many}, come last: they are seldom asked for.
tallies: Final = Table(
    "statistics_tallies",
    metadata,
    Column("workspace_sid", Text, primary_key=True),
    Column("subject_sid", Text, primary_key=True),
    Column("span", Integer, primary_key=True, autoincrement=False),
    Column("begins_at", BigInteger, primary_key=True, autoincrement=False),
    Column("task_channel_sid", Text, primary_key=True),
    *(
        # Those that came later have a default, for what older releases write beside us.
        Column(name, Integer, nullable=False, server_default="0" if name in _LATER else None)
        for name in COUNTS
    ),
    *(
        Column(f"{name}_{part}", BigInteger, nullable=False)
        for name in WAITS
        for part in ("total", "least", "most")
    ),
    Column("accepted_after", Text, nullable=False),
    Column("canceled_after", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Where each live Task stands, and what each Worker does, since when.
standings: Final = Table(
    "statistics_standings",
    metadata,
    Column("sid", Text, primary_key=True),
    Column("workspace_sid", Text, nullable=False),
    Column("place_sid", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)

#: The Activities that Workers have left, with the time they were in them.
stays: Final = Table(
    "statistics_stays",
    metadata,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("workspace_sid", Text, nullable=False),
    Column("worker_sid", Text, nullable=False),
    Column("activity_sid", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
)
Index(
    "statistics_stays_by_activity",
    stays.c.workspace_sid,
    stays.c.activity_sid,
    stays.c.ended_at,
    stays.c.began_at,
)
Index("statistics_stays_of_worker", stays.c.worker_sid, stays.c.ended_at)
