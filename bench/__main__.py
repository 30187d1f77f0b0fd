"""`make bench` runs them all; `make bench ARGS="webhook --seconds 3"` runs one."""

import argparse
import sys
from collections.abc import Callable

from bench import (
    assignments,
    callbacks,
    calls,
    decisions,
    desk,
    dialling,
    door,
    expressions,
    idle,
    latency,
    lists,
    realtime,
    start,
    statistics,
    wall,
    webhook,
)
from bench.figures import Figure

BENCHMARKS: dict[str, Callable[[argparse.Namespace], list[Figure]]] = {
    "start": start.measure,
    "expressions": expressions.measure,
    "latency": latency.measure,
    "webhook": webhook.measure,
    "dialling": dialling.measure,
    "door": door.measure,
    "lists": lists.measure,
    "statistics": statistics.measure,
    "idle": idle.measure,
    "assignments": assignments.measure,
    "callbacks": callbacks.measure,
    "calls": calls.measure,
    "realtime": realtime.measure,
    "desk": desk.measure,
    "decisions": decisions.measure,
    "wall": wall.measure,
}


def main() -> int:
    """Prints every figure with its bound; 1 if one of them misses it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which (default: all)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="baseline and subject in turn")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="of lists and statistics")
    parser.add_argument("--samples", type=int, default=200, help="of each latency")
    parser.add_argument("--assignments", type=int, default=5000, help="as fast as they go")
    parser.add_argument("--calls", type=int, default=1500, help="whole calls; in full: 5000")
    parser.add_argument("--agents", type=int, default=100, help="who get those assignments")
    parser.add_argument(
        "--database", choices=["sqlite", "postgresql", "both"], default="both", help="which store"
    )
    size = parser.add_argument_group("the size of the centre in which decisions are measured")
    size.add_argument("--workers", type=int, default=15_000)
    size.add_argument("--queues", type=int, default=5000)
    size.add_argument("--waiting", type=int, default=100_000, help="Tasks")
    size.add_argument("--expressions", type=int, default=200, help="of skills, all different")
    size.add_argument("--decisions", type=int, default=20_000, help="of each kind")
    options = parser.parse_args()
    missed = 0
    for name in options.names or BENCHMARKS:
        print(f"\n{name}", flush=True)
        for figure in BENCHMARKS[name](options):
            print(f"  {figure}", flush=True)
            missed += not figure.is_met
    print(f"\n{'all figures are met' if not missed else f'{missed} figures are missed'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
