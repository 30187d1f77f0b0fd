"""An expression's tree over columns: from the comparisons up to one bitmap."""

from collections.abc import Mapping
from typing import TypeAlias

from routing.expressions import (
    And,
    Comparison,
    Expression,
    Literal,
    Node,
    Not,
    Or,
    Reference,
    with_operands,
)
from routing.expressions.syntax import Operand
from routing.population.column import Column
from routing.population.comparing import ATTRIBUTE_FIRST, BOTH_ATTRIBUTES, CONSTANT_FIRST

Path: TypeAlias = tuple[str | int, ...]


def from_root(expression: Expression, root: str | None) -> Expression:
    """The same question on bare names; whatever does not lie below `root` is missing."""
    if root is None:
        return expression

    def below_root(operand: Operand) -> Operand:
        if isinstance(operand, Literal):
            return operand
        first, *rest = operand.path
        if first != root:
            return Literal(value=None)
        if not rest:
            return Literal(value={})  # the worker itself: no comparison looks inside an object
        if isinstance(rest[0], int):
            return Literal(value=None)
        return Reference(path=tuple(rest))

    return Expression(with_operands(expression.tree, below_root))


def evaluated(node: Node, among: int, columns: Mapping[Path, Column]) -> int:
    """Those `among` the workers who meet the condition; one frame of the stack per level."""
    match node:
        case Comparison():
            return among & _compared(node, among, columns)
        case Not():
            return among & ~evaluated(node.operand, among, columns)
        case And():
            for operand in node.operands:
                if not among:
                    break
                among = evaluated(operand, among, columns)
            return among
        case Or():
            found = 0
            for operand in node.operands:
                found |= evaluated(operand, among & ~found, columns)
            return found
        case _:  # Always
            return among if node.value else 0


def _compared(node: Comparison, among: int, columns: Mapping[Path, Column]) -> int:
    if not among:
        return 0
    left, right = node.left, node.right
    if isinstance(left, Literal):
        if isinstance(right, Literal):
            return among if Expression(node).matches({}) else 0
        return CONSTANT_FIRST[node.operator](columns[right.path], left.value)
    if isinstance(right, Literal):
        return ATTRIBUTE_FIRST[node.operator](columns[left.path], right.value)
    return BOTH_ATTRIBUTES[node.operator](columns[left.path], columns[right.path])
