"""Everything that may happen, by the million, seeded and repeatable; and what must hold after it.

    subjects     what is tried, how often, and what must be true of it
    running      cases in several processes; every case has a seed of its own
    history      a call centre in which anything happens in any order (`invariants`)
    racing       many clients over the same reservations (`races`)
    killing      a house that dies at random moments (`kills`)
    calling      calls under lost, doubled and disordered callbacks (`calls`, `webhooks`)
    forging      webhooks that nobody signed (`signatures`)
    __main__     the command: `make chaos`, or `python -m tests.chaos --help`

A few cases of each subject run in the test suite.
"""
