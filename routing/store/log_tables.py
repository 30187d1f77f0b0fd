"""The tables of the log of events, and of those who follow it."""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Table, Text

from routing.events import INDEXED_FIELDS
from routing.store import columns

#: The log. No foreign key: it tells of what is gone, too.
events = Table(
    "events",
    columns.metadata,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        Identity(always=False),
        primary_key=True,
    ),
    columns.text("sid"),
    columns.text("workspace_sid"),
    columns.text("type"),
    columns.text("resource_type"),
    columns.text("resource_sid"),
    columns.text("description"),
    columns.text("carried"),
    columns.instant("occurred_at"),
    *(columns.text_or_null(name) for name in INDEXED_FIELDS),
    columns.text_or_null("actor"),
    columns.text_or_null("picture"),
    # Never a number twice, also after the newest events were purged.
    sqlite_autoincrement=True,
)
Index("events_sid", events.c.sid, unique=True)
Index("events_by_time", events.c.workspace_sid, events.c.occurred_at, events.c.position)
Index(
    "events_of_people",
    events.c.workspace_sid,
    events.c.occurred_at,
    events.c.position,
    **columns.where(events.c.actor.is_not(None)),
)
for _key in ("task", "reservation", "worker"):
    columns.present(
        f"events_of_{_key}", events.c[f"{_key}_sid"], events.c.occurred_at, events.c.position
    )

#: How far each follower of the log has come.
followers = Table(
    "followers",
    columns.metadata,
    Column("name", Text, primary_key=True),
    columns.instant("position"),
    columns.instant("updated_at"),
)
