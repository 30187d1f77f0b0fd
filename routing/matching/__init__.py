"""The matching index: waiting Tasks x free Workers -> proposals. Pure, in memory, no I/O.

The cost of one decision depends neither on how many Tasks wait nor on how many Workers there are:

    records      what goes in and what comes out
    requirement  what a Worker must be, and the first thing that is not so
    ranking      numbers in an order, of which the first of any set is found at once
    staff        the Workers: who is free, who meets an expression, who is idle longest
    preference   the order of Workers that a target asks for
    profiles     what is required at present, and for each Worker which of it it meets
    demand       Tasks that wait for the same thing, and what they wait for
    waiting      the Tasks: who is next in each class, which class is next for a Worker
    index        the two sides together

Tasks that wait for the same thing share a *demand class* (same queue, channel, expression with the
Task's own values bound in, known worker and order of workers) and differ only in their place in
line. Sets of Workers are bitmaps, one bit per Worker. A Task that arrives is given to the first of
the idle order who is in the intersection of its class's members and the free; a Worker who becomes
free gets the first head, in the order of all heads, whose class it meets. Both are the same
question to the same structure (`Ranking`).

It proposes and never decides: the claim in the database does. After a proposal the index goes on as
if it had been claimed; whoever claims tells it how the rows really are by putting them anew.
"""

from routing.matching.index import MatchingIndex, Skippable
from routing.matching.records import (
    Candidate,
    ChannelLoad,
    Obstacle,
    Proposal,
    WaitingTask,
    load_context,
)
from routing.matching.requirement import Scrutiny

__all__ = [
    "Candidate",
    "ChannelLoad",
    "MatchingIndex",
    "Obstacle",
    "Proposal",
    "Scrutiny",
    "Skippable",
    "WaitingTask",
    "load_context",
]
