"""Callbacks, seen by those who receive them."""
