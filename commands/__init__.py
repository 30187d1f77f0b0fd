"""The command line: serve, demo, provision. What a person types, and what it prints.

Each command is a small program around the doors that everybody uses; none decides about routing.
"""
