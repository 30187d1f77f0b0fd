"""What happened and how things stand, in numbers. Pure: events and rows come in, numbers go out.

    facts      what a run of events says, as the facts that are counted
    tally      facts, summed up: counts, waits and their distribution
    period     the time that is asked about, cut into whole buckets and the rest at both ends
    real_time  how things stand now: Tasks that live, Workers and who of them belongs to a TaskQueue

The same code reads the log for the tables of sums (routing/background/statistics.py) and what the
tables do not hold yet (routing/engine/statistics.py), so an answer is the same whether an event was
summed up already or happened a moment ago. Nothing here may read a clock or a database.
"""
