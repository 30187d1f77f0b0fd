"""Which workers match an expression, without asking every worker.

An index over the workers' attributes. The answer is a bitmap: a Python integer with one bit per
worker slot, so that answers intersect with each other, and with the free workers, in microseconds.
A slot is a small whole number that the caller gives to a worker and takes back.

An attribute that some expression reads has a *column*: each value it takes, with the workers who
have it. A comparison with a constant is decided by looking values up, once per value that occurs
and never once per worker; AND, OR and NOT are operations on whole bitmaps. What compares one
attribute with another walks two columns side by side.

Nothing is recomputed when a worker changes. Columns and remembered answers are snapshots that know
how far they have read the list of changes of the attributes they depend on; when one is asked
again, only the workers on the unread part of that list are asked anew, by the expression itself.

The answers are those of `Expression.matches`, for each worker alone (the tests hold one against the
other). This room decides nothing about what an expression means, does no I/O, reads no clock, and
belongs to one thread.
"""

from routing.population.bitmaps import bitmap
from routing.population.column import Column
from routing.population.population import Population

__all__ = ["Column", "Population", "bitmap"]
