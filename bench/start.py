"""From `make run` of an installed tree to an answering `/readyz`, with a fresh database; and from
the start after a `kill -9` amid a call until it is ready again.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import servers
from bench.figures import Figure, median
from tests.journeys.house import House

#: What a make that runs this benchmark would tell the one that is measured.
_OF_MAKE: Final = ("ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")


def measure(options: argparse.Namespace) -> list[Figure]:
    """Seconds until ready, simulator included; beside it, what Python takes to import Flask.

    Then the same after a crash, with a caller in line and a phone network that has lived on.
    """
    cold = [_seconds_until_ready() for _ in range(options.rounds)]
    bare = [_seconds_of([sys.executable, "-c", "import flask, sqlalchemy, twilio.rest"])
            for _ in range(options.rounds)]  # fmt: skip
    return [
        Figure(
            name="make run until /readyz answers",
            value=median(cold),
            unit="s",
            at_most=5,
            beside=f"{median(bare):.2f} s to import its libraries",
        ),
        *_after_crashes(options, f"{median(bare):.2f} s to import its libraries"),
    ]


def _after_crashes(options: argparse.Namespace, beside: str) -> Iterator[Figure]:
    with servers.databases(options.database) as urls:
        for database, url in urls.items():
            with tempfile.TemporaryDirectory() as folder, House(url, Path(folder)) as house:
                house.dial()
                seconds = [_seconds_until_back(house) for _ in range(options.rounds)]
            yield Figure(
                name=f"{database}: ready again after kill -9",
                value=median(seconds),
                unit="s",
                at_most=2,
                beside=beside,
            )


def _seconds_until_back(house: House) -> float:
    house.kill()
    begin = time.perf_counter()
    house.start()
    return time.perf_counter() - begin


def _seconds_of(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin


def _seconds_until_ready() -> float:
    ports = servers.free_ports(3)
    with tempfile.TemporaryDirectory() as folder:
        environment = servers.environment("", ports, Path(folder)) | {"SIMULATOR": "on"}
        for name in _OF_MAKE:
            environment.pop(name, None)
        begin = time.perf_counter()
        process = subprocess.Popen(
            ["make", "--no-print-directory", "run"],
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            servers.wait_until_ok(f"http://127.0.0.1:{ports[0]}/readyz", process)
            return time.perf_counter() - begin
        finally:
            # As Ctrl-C does: to make and all that it started.
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
