"""The command: `make fuzz`, or `python -m tests.fuzz`; `--help` says the rest."""

import argparse
import json
import os
import signal
import sys
import time
from random import SystemRandom

from tests.fuzz import running
from tests.fuzz.subjects import SUBJECTS

_PROGRESS_SECONDS = 5

_EXAMPLES = """\
examples:
  make fuzz                                          a million inputs, a new seed
  make fuzz ARGS="--inputs 50000"                    fewer
  make fuzz ARGS="--seed 7 expressions order_by"     the same inputs again, of two subjects
  make fuzz ARGS="--again 7/expressions/4711"        one input, as a failure named it

Every input comes from a seed of its own, `run/subject/number`, so that a failure is found again at
once, on any machine. What fails is printed with its seed and the smallest input that still fails;
the exit status is 1 then, and 0 if nothing was found.
"""


def main() -> int:
    options = _options()
    if options.again:
        return _again(options.again)
    subjects = options.subjects or list(SUBJECTS)
    seed = options.seed if options.seed is not None else SystemRandom().randrange(1_000_000)
    _say(f"{options.inputs:,} inputs, seed {seed}, {options.jobs} processes")
    for name in subjects:
        _say(f"  {name:12} {SUBJECTS[name].about}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as tidily as by Ctrl-C
    try:
        return _run(seed, subjects, options.inputs, options.jobs)
    except KeyboardInterrupt:
        _say("stopped")
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Generated inputs for everything that reads a stranger's text.",
        epilog="subjects:\n"
        + "".join(f"  {name:12} {subject.about}\n" for name, subject in SUBJECTS.items())
        + f"\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subjects", nargs="*", metavar="subject", help="which (default: all)")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="altogether (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the run (default: another one each time)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)"
    )
    parser.add_argument("--again", metavar="SEED", help="one input: run/subject/number")
    options = parser.parse_args()
    unknown = [name for name in options.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"no subject {unknown[0]}; expected {', '.join(SUBJECTS)}")
    if options.inputs < 1 or options.jobs < 1:
        parser.error("expected at least one input and one process")
    parts = (options.again or "0/expressions/0").split("/")
    if len(parts) != 3 or parts[1] not in SUBJECTS or not (parts[0] + parts[2]).isdecimal():
        parser.error(f"no seed {options.again}; expected run/subject/number")
    return options


def _run(seed: int, subjects: list[str], inputs: int, jobs: int) -> int:
    reports = {name: running.Report() for name in subjects}
    begin = told = time.monotonic()
    for name, report in running.all_batches(seed, subjects, inputs, jobs):
        reports[name].add(report)
        for failure in report.failures:
            _tell(failure)
        if time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            done = sum(each.inputs for each in reports.values())
            rate = done / (told - begin)
            _say(f"{done:>10,} done, {rate:,.0f} a second, {(inputs - done) / rate:,.0f} s to go")
    elapsed = time.monotonic() - begin
    done = sum(each.inputs for each in reports.values())
    for name, report in reports.items():
        slowest, slowest_seed = report.slowest
        _say(
            f"  {name:12} {report.inputs:>9,} inputs, {report.taken:>9,} taken, "
            f"slowest {slowest:.2f} ms ({slowest_seed}), {len(report.failures)} failures"
        )
    failures = sum(len(each.failures) for each in reports.values())
    _say(f"{done:,} inputs in {elapsed:.0f} s ({done / elapsed:,.0f} a second), seed {seed}")
    _say("nothing was found" if not failures else f"{failures} FAILURES")
    return 1 if failures else 0


def _again(seed: str) -> int:
    _say(f"{seed}: {_shown(running.made(seed))}")
    report = running.batch_of_one(seed)
    for failure in report.failures:
        _tell(failure)
    _say("FAILS" if report.failures else f"holds; read in {report.slowest[0]:.2f} ms")
    return 1 if report.failures else 0


def _tell(failure: running.Failure) -> None:
    _say(f"\nFAILURE at {failure.seed}\n  {failure.problem}")
    _say(f"  smallest input: {_shown(failure.smallest)}")
    _say(f'  again: make fuzz ARGS="--again {failure.seed}"\n')


def _shown(given: object) -> str:
    text = json.dumps(given)
    return text if len(text) <= 2000 else f"{text[:2000]}... ({len(text):,} characters)"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
