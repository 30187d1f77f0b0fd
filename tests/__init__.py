"""The tests, by room: each proves its room's behaviour from outside, on SQLite and on PostgreSQL.

Fakes keep the contracts of the ports they stand for; nothing here mocks, sleeps or
asserts a duration.
"""
