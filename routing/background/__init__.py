"""The followers of the event log: each reads on from its own durable cursor and reacts.

They own sleeping, signals and logging; every step they take is a function that can be called once.
They never write state except through the engine's verbs.
"""
