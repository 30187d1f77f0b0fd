"""The benchmarks: each figure is shown beside a baseline that was measured in the same run.

They start real servers on free ports and temporary databases, and measure from outside.
"""
