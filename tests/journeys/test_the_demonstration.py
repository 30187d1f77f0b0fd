"""`make demo`: each variant tells its call as it happens, and its exit status says how it ended."""

import os
import re
import subprocess
import sys

import pytest

from app import app
from commands import demo

#: Milliseconds since the dial, who, and what.
LINE = re.compile(r"^ *(\d+) ms  (\S+(?: \S+)*?) {2,}(.+)$", re.MULTILINE)
#: Settings of somebody's own that a demonstration has to do without.
IN_THE_WAY = {
    "ROLE": "web",
    "HOST": "127.0.0.2",
    "PUBLIC_URL": "https://example.com",
    "TWILIO_API_URL": "https://example.com",
    "SIMULATOR": "off",
}


#: What each variant tells in its order, and what it tells besides.
STORIES = {
    "answered": (
        [
            ("caller", "dials"),
            ("webhook", "POST /voice/incoming -> 200"),
            ("reservation", "offered to"),
            ("reservation", "accepts: task assigned"),
            ("Twilio API", "Participants.json -> 201"),
            ("conference", "caller joins"),
            ("agent", "hangs up"),
            ("task", "wrapping"),
            ("task", "completed (solved)"),
        ],
        [("task", "created, pending"), ("leg", "in-progress"), ("conference", "is over")],
    ),
    "hangup": (
        [("caller", "dials"), ("caller", "hangs up"), ("task", "canceled (hangup)")],
        [("task", "waits in TaskQueue Support")],
    ),
    "no-answer": (
        [
            ("reservation", "offered to Alice"),
            ("reservation", "of Alice canceled"),
            ("reservation", "offered to Bob"),
            ("conference", "caller joins"),
            ("task", "completed (solved)"),
        ],
        [("leg", "no-answer"), ("conference", "is over")],
    ),
}


@pytest.mark.parametrize("variant", STORIES)
def test_a_variant_is_told_to_its_good_end(variant: str) -> None:
    words = [] if variant == "answered" else [variant]
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "demo", *words],
        env=dict(os.environ) | IN_THE_WAY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = sorted((int(instant), who, what) for instant, who, what in LINE.findall(done.stdout))
    in_order, besides = STORIES[variant]
    rest = iter(told)
    for who, what in in_order:
        assert any(who == w and what in said for _, w, said in rest), f"{what}\n{done.stdout}"
    for who, what in besides:
        assert any(who == w and what in said for _, w, said in told), f"{what}\n{done.stdout}"
    assert done.stdout.splitlines()[-1].startswith("OK: task WT")


def test_what_does_not_come_to_its_good_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_STEP_SECONDS", 0.0)
    told = app.test_cli_runner().invoke(args=["demo"])
    assert told.exit_code == 1
    assert told.output.splitlines()[-1] == "FAILED: waited 0 s in vain for the servers to be ready"


def test_the_help_tells_the_variants() -> None:
    told = app.test_cli_runner().invoke(args=["demo", "--help"])
    assert told.exit_code == 0
    for variant in ("answered", "hangup", "no-answer"):
        assert re.search(rf"^ +{variant} ", told.output, re.MULTILINE)
    assert app.test_cli_runner().invoke(args=["demo", "sing"]).exit_code == 2
