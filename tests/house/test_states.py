"""The README's state diagrams are those of the tables in routing/task.py and reservation.py."""

from pathlib import Path

import pytest

from routing.reservation import RESERVATION_MOVES
from routing.task import TASK_MOVES
from tests.house import states, tree


def test_the_readme_shows_the_tables_as_they_are() -> None:
    text = tree.read(Path("README.md"))
    assert text.count(states.FIRST_LINE) == text.count(states.LAST_LINE) == 1
    start = text.index(states.FIRST_LINE)
    end = text.index(states.LAST_LINE) + len(states.LAST_LINE)
    assert text[start:end] == states.block(), "paste what `python -m tests.house.states` prints"


@pytest.mark.parametrize("table", [TASK_MOVES, RESERVATION_MOVES])
def test_the_diagrams_show_every_move(table: dict[str, dict[str, str]]) -> None:
    drawn = states.block()
    for state, moves in table.items():
        for move, after in moves.items():
            assert f"    {state} --> {after}: {move.replace('_', ' ')}\n" in drawn
