"""Whole calls through whole processes: what `make run` starts, over HTTP, on both databases."""
