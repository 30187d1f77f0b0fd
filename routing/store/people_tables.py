"""The tables of the people who use the pages; no Workspace's own."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from routing import user
from routing.store import columns

#: A user outlives the Workspace and the Worker that it remembers: somebody has to set them up anew.
users = Table(
    "users",
    columns.metadata,
    columns.sid(),
    columns.text("name"),
    columns.text("display_name"),
    columns.text("role"),
    columns.text_or_null("workspace_sid"),
    columns.text_or_null("worker_sid"),
    columns.text_or_null("password_hash"),
    columns.boolean("is_demo"),
    columns.boolean("is_disabled"),
    columns.instant("created_at"),
    columns.instant("updated_at"),
    columns.one_of("users_role", "role", user.ROLES),
)
Index("users_name", users.c.name, unique=True)

sessions = Table(
    "sessions",
    columns.metadata,
    columns.sid(),
    Column("user_sid", Text, ForeignKey("users.sid", ondelete="CASCADE"), nullable=False),
    columns.instant("seen_at"),
    columns.instant("ends_at"),
    columns.instant("created_at"),
)
Index("sessions_of_user", sessions.c.user_sid)
Index("sessions_by_end", sessions.c.ends_at)

sign_in_attempts = Table(
    "sign_in_attempts",
    columns.metadata,
    columns.sid(),
    columns.instant("full_at"),
    columns.instant("created_at"),
)
Index("sign_in_attempts_by_time", sign_in_attempts.c.full_at)
