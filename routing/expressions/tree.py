"""What can be done with a tree without asking what it means: walk it, change it, write it down."""

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
    if isinstance(node, Comparison):
        for side in (node.left, node.right):
            if isinstance(side, Reference):
                yield side
    else:
        for child in children(node):
            yield from references_in(child)


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.operands
    return (node.operand,) if isinstance(node, Not) else ()


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
            return type(node)(operands=tuple(with_operands(each, change) for each in node.operands))
        case _:  # Always: it has none
            return node


def written(node: Node) -> str:
    """The tree as text in one spelling: equal trees, equal texts. It can be parsed again."""
    match node:
        case Comparison():
            return f"{_operand(node.left)} {node.operator} {_operand(node.right)}"
        case Not():
            return f"NOT {_enclosed(node.operand)}"
        case And():
            return " AND ".join(_enclosed(each) for each in node.operands)
        case Or():
            return " OR ".join(_enclosed(each) for each in node.operands)
        case _:  # Always
            return "1 == 1" if node.value else "1 == 0"


def _enclosed(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, And | Or) else written(node)


def _operand(operand: Operand) -> str:
    if isinstance(operand, Reference):
        return operand.text
    return json.dumps(operand.value, ensure_ascii=False, sort_keys=True)
