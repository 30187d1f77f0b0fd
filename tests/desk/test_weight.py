"""What a page loads at first is light; what is heavy comes when it is needed."""

import json
from pathlib import Path

import pytest

BUILT = Path(__file__).resolve().parents[2] / "desk" / "built"
#: Bytes, compressed, of everything that is loaded before the desk can be used.
FIRST_LOAD = 120_000


def loaded_at_first(page: str, language: str = "en") -> set[str]:
    """The files that a page loads before it can be used, its words in one language included."""
    parts = json.loads((BUILT / "parts.json").read_text())
    wanted = [f"{page}.js"]
    found = {f"{page}.css", "first.js", "icon.svg"}
    while wanted:
        part = wanted.pop()
        if part in found:
            continue
        found.add(part)
        wanted += [
            each["path"]
            for each in parts[part]["imports"]
            if not each["later"] or language in parts[each["path"]].get("words", [])
        ]
    return found


def test_the_desk_is_light() -> None:
    if not (BUILT / "parts.json").is_file():
        pytest.skip("NO PAGES: make test builds them into desk/built")
    files = loaded_at_first("desk")
    weights = {name: (BUILT / f"{name}.gz").stat().st_size for name in sorted(files)}
    assert sum(weights.values()) <= FIRST_LOAD, weights
    assert not any("twilio-phone" in name or "uPlot" in name for name in files)
    assert any(name.startswith("chunks/house") for name in files), "its words count, too"
