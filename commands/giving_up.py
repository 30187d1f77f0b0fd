"""How every command ends that was asked for what cannot be."""

import sys
from typing import NoReturn

import click

from settings import Settings, WrongSettings, load

#: The exit status of a program that was asked for what cannot be: wrong settings, a port in use, a
#: database that cannot be opened.
CANNOT_START = 2


def give_up(*lines: str) -> NoReturn:
    """Says why it cannot start, and ends with the status that says so, too."""
    click.echo("\n".join(lines), err=True)
    sys.exit(CANNOT_START)


def right_settings() -> Settings:
    """The settings of this process; where some are wrong, all are named and this is the end."""
    try:
        return load()
    except WrongSettings as error:
        give_up("Some settings are wrong:", *(f"  {problem}" for problem in error.problems))
