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


@pytest.mark.parametrize(
    ("variant", "story", "verdict"),
    [
        (
            [],
            [
                ("caller", "dials"),
                ("webhook", "POST /voice/incoming -> 200"),
                ("task", "created, pending"),
                ("reservation", "offered to"),
                ("reservation", "accepts: task assigned"),
                ("Twilio API", "Participants.json -> 201"),
                ("leg", "in-progress"),
                ("conference", "agent joins"),
                ("agent", "hangs up"),
                ("conference", "is over"),
                ("task", "wrapping"),
                ("task", "completed (solved)"),
            ],
            "completed, both legs were in conference",
        ),
        (
            ["hangup"],
            [("caller", "dials"), ("caller", "hangs up"), ("task", "canceled (hangup)")],
            "canceled (hangup), nobody was disturbed",
        ),
        (
            ["no-answer"],
            [
                ("reservation", "offered to Alice"),
                ("reservation", "of Alice canceled"),
                ("reservation", "offered to Bob"),
                ("conference", "agent joins"),
                ("task", "completed (solved)"),
            ],
            "completed, both legs were in conference",
        ),
    ],
    ids=["answered", "hangup", "no-answer"],
)
def test_a_variant_is_told_to_its_good_end(
    variant: list[str], story: list[tuple[str, str]], verdict: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "demo", *variant],
        env=dict(os.environ) | IN_THE_WAY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = LINE.findall(done.stdout)
    instants = [int(instant) for instant, _, _ in lines]
    assert instants == sorted(instants)
    place = 0
    for who, what in story:
        found = [
            n for n, line in enumerate(lines) if n >= place and line[1] == who and what in line[2]
        ]
        assert found, f"{who} {what}: not in its place\n{done.stdout}"
        place = found[0]
    last = done.stdout.splitlines()[-1]
    assert last.startswith("OK: ")
    assert verdict in last


def test_what_does_not_come_to_its_good_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_STEP_SECONDS", 0.0)
    told = app.test_cli_runner().invoke(args=["demo"])
    assert told.exit_code == 1
    assert told.output.splitlines()[-1] == "FAILED: waited 0 s in vain for the server to be ready"


def test_the_help_tells_the_variants() -> None:
    told = app.test_cli_runner().invoke(args=["demo", "--help"])
    assert told.exit_code == 0
    for variant in ("answered", "hangup", "no-answer"):
        assert re.search(rf"^ +{variant} ", told.output, re.MULTILINE)
    assert app.test_cli_runner().invoke(args=["demo", "sing"]).exit_code == 2
