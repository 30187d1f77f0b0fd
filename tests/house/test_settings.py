"""Every setting stands in `.env.example` and in the README; the README's map names every room."""

import dataclasses
import importlib
import re
from pathlib import Path

from tests.house import tree

SETTINGS = ("settings", "Settings")  # the module and its frozen dataclass


def settings() -> set[str]:
    """The settings as the environment names them."""
    module, record = SETTINGS
    fields = dataclasses.fields(getattr(importlib.import_module(module), record))
    return {field.name.upper() for field in fields}


def test_the_example_names_every_setting_and_nothing_else() -> None:
    example = tree.read(Path(".env.example"))
    assert set(re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)) == settings()


def test_the_readme_explains_every_setting() -> None:
    readme = tree.read(Path("README.md"))
    assert {name for name in settings() if f"`{name}`" not in readme} == set()


def test_the_readme_maps_every_room() -> None:
    readme = tree.read(Path("README.md"))
    rooms = {path.parts[0] for path in tree.files() if len(path.parts) > 1} - {".ci"}
    assert {room for room in rooms if f"{room}/" not in readme} == set()
