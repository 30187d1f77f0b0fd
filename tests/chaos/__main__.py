"""The command: `make chaos`, or `python -m tests.chaos`; `--help` says the rest."""

import argparse
import contextlib
import os
import signal
import sys
import time
from random import SystemRandom

from tests import postgres
from tests.chaos import running
from tests.chaos.subjects import SUBJECTS

_PROGRESS_SECONDS = {True: 0.5, False: 15.0}  # on a terminal, and where lines pile up
#: Failures after which a run stops: the rest would likely tell the same.
_ENOUGH = 20

_EXAMPLES = """\
examples:
  make chaos                                     everything, in full: that takes many hours
  make chaos ARGS="--share 0.01"                 a hundredth of everything
  make chaos ARGS="--share 0.1 races kills"      a tenth of two subjects
  make chaos ARGS="--seed 7 invariants"          the same cases again, of one subject
  make chaos ARGS="--seed 7 --from 900 invariants"   the same run, from its 900th case on
  make chaos ARGS="--again 7/invariants/4711"    one case, as a failure named it

Every case comes from a seed of its own, `run/subject/number`. What fails is printed with its seed
and how to repeat it; the exit status is 1 then, and 0 if everything held. What is stopped by Ctrl-C
tells what it has done by then, and how to go on.
"""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as tidily as by Ctrl-C
    with contextlib.ExitStack() as stack:
        server = None
        try:
            server = stack.enter_context(postgres.server())
            _say(f"PostgreSQL: {server.origin}")
        except postgres.NoPostgreSQL as reason:
            _say(f"NO PostgreSQL, SQLite only: {reason}")
        try:
            return _again(options.again, server) if options.again else _run(options, server)
        except KeyboardInterrupt:
            _heed_no_signal()
            _say("stopped")
            return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Everything that may happen, by the million, and what must hold after it.",
        epilog="subjects:\n" + "".join(map(_described, SUBJECTS)) + f"\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subjects", nargs="*", metavar="subject", help="which (default: all)")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the full counts (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, help="of the run (default: another one each time)")
    parser.add_argument(
        "--from", dest="first", type=int, default=0, metavar="NUMBER",
        help="the first case of each subject, to go on with a run of that seed (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="at once (%(default)s)"
    )
    parser.add_argument("--again", metavar="SEED", help="one case: run/subject/number")
    options = parser.parse_args()
    unknown = [name for name in options.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"no subject {unknown[0]}; expected {', '.join(SUBJECTS)}")
    if not 0 < options.share <= 100:
        parser.error("expected a share above 0, 1 for the full counts")
    if options.processes < 1:
        parser.error("expected at least one process")
    if options.first and (options.first < 0 or options.seed is None):
        parser.error("--from goes on with a run: expected its seed, too, and a number of a case")
    parts = (options.again or "0/invariants/0").split("/")
    if len(parts) != 3 or parts[1] not in SUBJECTS or not (parts[0] + parts[2]).isdecimal():
        parser.error(f"no seed {options.again}; expected run/subject/number")
    return options


def _described(name: str) -> str:
    subject = SUBJECTS[name]
    return f"  {name:11} {subject.about}\n  {'':11} in full: {subject.cases:,} x {subject.case}\n"


def _run(options: argparse.Namespace, server: postgres.Server | None) -> int:
    names = options.subjects or list(SUBJECTS)
    seed = options.seed if options.seed is not None else SystemRandom().randrange(1_000_000)
    counts = {name: running.share_of(SUBJECTS[name].cases, options.share) for name in names}
    _say(f"seed {seed}, {options.processes} processes")
    for name, count in counts.items():
        _say(f"  {name:11} {count:>7,} x {SUBJECTS[name].case}")
    seeds = running.seeds_of(seed, counts, first=options.first)
    reports = {name: running.Report() for name in names}
    begin = told = time.monotonic()
    ended = "done"
    try:
        with contextlib.closing(running.all_cases(seeds, options.processes, server)) as cases:
            for case, report in cases:
                _take(reports, case, report)
                if time.monotonic() - told > _PROGRESS_SECONDS[sys.stdout.isatty()]:
                    told = time.monotonic()
                    _progress(reports, len(seeds), told - begin)
                if sum(len(each.failures) for each in reports.values()) >= _ENOUGH:
                    ended = "stopped early"
                    break
    except KeyboardInterrupt:
        _heed_no_signal()  # what was found by now is still to be told
        ended = "stopped"
    _say(f"{_CLEAR}seed {seed}, {time.monotonic() - begin:,.0f} s")
    for name, report in reports.items():
        _sum_up(name, report)
        if ended != "done":
            _tell_how_to_go_on(seed, name, options, report)
    failures = sum(len(each.failures) for each in reports.values())
    _say(ended)
    _say("everything held" if not failures else f"{failures} FAILURES")
    return 1 if failures else 130 if ended == "stopped" else 0


def _take(reports: dict[str, running.Report], case: str, report: running.Report) -> None:
    _run, name, number = case.split("/")
    reports[name].add(report)
    reports[name].done.add(int(number))
    for failure in report.failures:
        _tell(failure)


def _heed_no_signal() -> None:
    """From now on: the server is still to be stopped."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)


def _progress(reports: dict[str, running.Report], whole: int, elapsed: float) -> None:
    done = sum(each.cases for each in reports.values())
    parts = " ".join(f"{name} {each.cases}" for name, each in reports.items())
    left = elapsed / done * (whole - done)
    _say(
        f"{_CLEAR}{parts} | {done} of {whole}, {left:,.0f} s to go",
        end="" if sys.stdout.isatty() else "\n",
    )


def _sum_up(name: str, report: running.Report) -> None:
    counted = ", ".join(f"{number:,} {what}" for what, number in sorted(report.counts.items()))
    worst = "".join(f", {what} at most {value:,.2f}" for what, value in report.worst.items())
    _say(f"  {name:11} {report.cases:,} cases, {len(report.failures)} failures: {counted}{worst}")


def _tell_how_to_go_on(
    seed: int, name: str, options: argparse.Namespace, report: running.Report
) -> None:
    number = options.first
    while number in report.done:
        number += 1
    share = "" if options.share == 1 else f"--share {options.share:g} "
    _say(f'  {"":11} go on: make chaos ARGS="{share}--seed {seed} --from {number} {name}"')


def _again(seed: str, server: postgres.Server | None) -> int:
    report = running.Report()
    with contextlib.closing(running.all_cases([seed], 1, server, closely=True)) as cases:
        for _seed, each in cases:
            report.add(each)
    for failure in report.failures:
        _tell(failure)
    _sum_up(seed.split("/")[1], report)
    _say("FAILS" if report.failures else "holds")
    return 1 if report.failures else 0


def _tell(failure: running.Failure) -> None:
    _say(f"{_CLEAR}FAILURE at {failure.seed}\n  {failure.problem}")
    if not SUBJECTS[failure.seed.split("/")[1]].is_exact:
        _say("  other processes have a say in this: it may take several tries to see it again")
    _say(f'  again: make chaos ARGS="--again {failure.seed}"\n')


#: Back to the beginning of the line, which is empty then.
_CLEAR = "\r\x1b[K" if sys.stdout.isatty() else ""


def _say(line: str, end: str = "\n") -> None:
    sys.stdout.write(f"{line}{end}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
