"""The state diagrams of the README, drawn from the tables that the engine itself goes by.

`python -m tests.house.states` prints the block for the README, markers included.
"""

import sys

from routing.reservation import RESERVATION_MOVES
from routing.task import TASK_MOVES

FIRST_LINE = "<!-- states -->"
LAST_LINE = "<!-- /states -->"

Moves = dict[str, dict[str, str]]


def block() -> str:
    """The README's block, from its first marker to its last one."""
    diagrams = (
        "The Task:",
        _diagram("create", TASK_MOVES),
        "The Reservation:",
        _diagram("reserve", RESERVATION_MOVES),
    )
    return "\n\n".join((FIRST_LINE, *diagrams, LAST_LINE))


def _diagram(first_move: str, table: Moves) -> str:
    first_state = next(iter(table))
    lines = [f"[*] --> {first_state}: {first_move}"]
    for state, moves in table.items():
        lines += [f"{state} --> {after}: {move}" for move, after in moves.items()]
        if not moves:
            lines.append(f"{state} --> [*]")
    body = "\n".join(f"    {line.replace('_', ' ')}" for line in lines)
    return f"```mermaid\nstateDiagram-v2\n{body}\n```"


if __name__ == "__main__":
    sys.stdout.write(f"{block()}\n")
