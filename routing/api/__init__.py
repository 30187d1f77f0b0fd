"""The REST door: TaskRouter v1 as the official clients see it, one file per resource.

A view parses, calls one verb or query and represents. It never decides anything about routing.
"""
