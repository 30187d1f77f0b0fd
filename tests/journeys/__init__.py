"""Whole calls through whole processes: what `make run` starts, over real HTTP, on both databases."""
