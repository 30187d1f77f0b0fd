"""Inputs by the million for whatever reads a stranger's text, none of which may do harm.

    writing      random texts, sound ones, and sound ones damaged
    subjects     what is read, and what must be true of it afterwards
    shrinking    the smallest input that still fails
    running      batches in several processes; every input has a seed of its own
    __main__     the command: `make fuzz`, or `python -m tests.fuzz --help`

The same subjects run in the test suite with a few inputs, without looking at the time.
"""
