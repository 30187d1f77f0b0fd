"""What can be done with a tree without asking what it means: walk it, change it, write it down.

A tree can be two levels deep for each level of its text. What recurses here and in the rooms beside
it takes one frame of Python's stack per level, never two: callers have a use for the rest.
"""

import itertools
import json
from collections.abc import Callable, Iterator

from routing.expressions.syntax import (
    And,
    Comparison,
    Node,
    Not,
    Operand,
    Or,
    Reference,
)


def references_in(node: Node) -> Iterator[Reference]:
    """Every reference of a tree, from left to right."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Comparison):
            yield from (side for side in (part.left, part.right) if isinstance(side, Reference))
        elif isinstance(part, Not):
            waiting.append(part.operand)
        elif isinstance(part, And | Or):
            waiting.extend(reversed(part.operands))


def with_operands(node: Node, change: Callable[[Operand], Operand]) -> Node:
    """The same tree with every operand of a comparison passed through `change`."""
    match node:
        case Comparison():
            return Comparison(
                operator=node.operator, left=change(node.left), right=change(node.right)
            )
        case Not():
            return Not(operand=with_operands(node.operand, change))
        case And() | Or():
            return type(node)(
                operands=tuple(map(with_operands, node.operands, itertools.repeat(change)))
            )
        case _:  # Always: it has none
            return node


def written(node: Node) -> str:
    """The tree as text in one spelling: equal trees, equal texts."""
    match node:
        case Comparison():
            return f"{_operand(node.left)} {node.operator} {_operand(node.right)}"
        case Not():
            return "NOT " + _enclosed(node.operand, written(node.operand))
        case And():
            return " AND ".join(map(_enclosed, node.operands, map(written, node.operands)))
        case Or():
            return " OR ".join(map(_enclosed, node.operands, map(written, node.operands)))
        case _:  # Always
            return "1 == 1" if node.value else "1 == 0"


def _enclosed(node: Node, text: str) -> str:
    return f"({text})" if isinstance(node, And | Or) else text


def _operand(operand: Operand) -> str:
    if isinstance(operand, Reference):
        return operand.text
    return json.dumps(operand.value, ensure_ascii=False, sort_keys=True)
