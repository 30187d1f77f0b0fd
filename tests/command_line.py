"""The commands of `flask --app app`, run inside this process.

To start a process for each, which imports everything first, takes two seconds; that they can be
started as such is shown where they are started so (tests/journeys, tests/desk/server).
"""

import os
from pathlib import Path

from click.testing import Result

from app import app


def run(*words: str, database_url: str, folder: Path, typed: str = "") -> Result:
    """What became of `flask --app app WORD...`, with settings of its own and `typed` as its input.

    What a command does not say itself, an error that nobody caught, is raised.
    """
    of_this_machine = {name: None for name in os.environ if name.startswith("TWILIO_")}
    settings = {"DATABASE_URL": database_url, "INSTANCE_PATH": str(folder)}
    return app.test_cli_runner().invoke(
        args=words, input=typed, env={**of_this_machine, **settings}, catch_exceptions=False
    )
