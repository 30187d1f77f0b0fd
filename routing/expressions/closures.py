"""From tree to closures: each condition becomes a function of the context, chosen once.

A closure knows its operator, its attribute and its constant, so that asking costs one call and one
dictionary look-up per comparison. What has no closure of its own is asked of `meaning`, and every
closure must answer as `meaning` does. Nothing is ever passed to Python's own compiler.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from routing.expressions.meaning import OPERATORS, Context, number, value_at
from routing.expressions.syntax import (
    Always,
    And,
    Comparison,
    Literal,
    Node,
    Not,
    Operand,
    Or,
    Reference,
)
from routing.expressions.tree import references_in, with_operands

Condition: TypeAlias = Callable[[Context], bool]
Read: TypeAlias = Callable[[Context], object]

#: With its sides exchanged, so that the constant stands on the right.
_MIRRORED = {
    "==": "==",
    "!=": "!=",
    ">": "<",
    ">=": "<=",
    "<": ">",
    "<=": ">=",
    "HAS": "IN",
    "IN": "HAS",
}
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_NOWHERE: Mapping[str, object] = {}


def compile_node(node: Node) -> Condition:
    """The function that says whether `node` is true in a context."""
    root = _common_root(node)
    if root is None:
        return _condition(node)
    condition = _condition(with_operands(node, _without_root))

    def below_root(context: Context) -> bool:
        value = context.get(root)
        return condition(value if isinstance(value, dict) else _NOWHERE)

    return below_root


def _common_root(node: Node) -> str | None:
    """The one name below which all references lie, if there is one.

    A target expression with the task's values bound in reads the worker only: looking the worker up
    once makes each of its attributes as near as a queue expression's.
    """
    roots = {reference.path[0] for reference in references_in(node)}
    if len(roots) != 1:
        return None
    deep = all(
        len(reference.path) > 1 and isinstance(reference.path[1], str)
        for reference in references_in(node)
    )
    return str(roots.pop()) if deep else None


def _without_root(operand: Operand) -> Operand:
    return Reference(path=operand.path[1:]) if isinstance(operand, Reference) else operand


def _condition(node: Node) -> Condition:
    match node:
        case Comparison():
            return _comparison(node)
        case Not():
            return _negation(_condition(node.operand))
        case And():
            return _all([_condition(each) for each in node.operands])
        case Or():
            return _any([_condition(each) for each in node.operands])
        case Always():
            return _constant(node.value)


def _constant(value: bool) -> Condition:
    return lambda _: value


def _negation(condition: Condition) -> Condition:
    return lambda context: not condition(context)


def _all(conditions: list[Condition]) -> Condition:
    if len(conditions) == 2:  # noqa: PLR2004  (a pair is by far the most frequent)
        first, second = conditions
        return lambda context: first(context) and second(context)
    each = tuple(conditions)

    def all_true(context: Context) -> bool:
        for condition in each:  # noqa: SIM110  (all() with a generator takes twice as long)
            if not condition(context):
                return False
        return True

    return all_true


def _any(conditions: list[Condition]) -> Condition:
    if len(conditions) == 2:  # noqa: PLR2004  (a pair is by far the most frequent)
        first, second = conditions
        return lambda context: first(context) or second(context)
    each = tuple(conditions)

    def any_true(context: Context) -> bool:
        for condition in each:  # noqa: SIM110  (any() with a generator takes twice as long)
            if condition(context):
                return True
        return False

    return any_true


def _comparison(node: Comparison) -> Condition:
    symbol, left, right = node.operator, node.left, node.right
    if isinstance(left, Literal) and symbol in _MIRRORED:
        symbol, left, right = _MIRRORED[symbol], right, left
    if isinstance(left, Literal) and isinstance(right, Literal):
        return _constant(OPERATORS[symbol](left.value, right.value))
    if isinstance(right, Literal):
        return _against_constant(symbol, _reading(left), right.value)
    test, read_left, read_right = OPERATORS[symbol], _reading(left), _reading(right)
    return lambda context: test(read_left(context), read_right(context))


def _reading(operand: Operand) -> Read:
    if isinstance(operand, Literal):
        value = operand.value
        return lambda _: value
    path = operand.path
    if len(path) == 1:
        return operator.methodcaller("get", path[0])  # no Python frame: as good as written out
    return lambda context: value_at(context, path)


def _against_constant(symbol: str, read: Read, constant: object) -> Condition:
    """A comparison of an attribute with a constant: what nearly all expressions are made of."""
    special = _special(symbol, read, constant)
    if special is not None:
        return special
    test = OPERATORS[symbol]
    return lambda context: test(read(context), constant)


def _special(symbol: str, read: Read, constant: object) -> Condition | None:
    """The quick form, where there is one."""
    if symbol == "==":
        return _equal_to(read, constant)
    if symbol in _ORDERINGS and number(constant) is constant and constant is not None:
        return _ordered(_ORDERINGS[symbol], OPERATORS[symbol], read, constant)
    if symbol == "HAS" and isinstance(constant, str):
        return _having(read, constant)
    if symbol == "IN" and isinstance(constant, tuple):
        return _among(read, constant)
    return None


def _equal_to(read: Read, constant: object) -> Condition | None:
    if isinstance(constant, str):  # nothing in JSON equals a text but the same text
        return lambda context: read(context) == constant
    if constant is None or isinstance(constant, bool):
        return lambda context: read(context) is constant
    return None


def _ordered(
    compare: Callable[[Any, Any], bool],
    test: Callable[[object, object], bool],
    read: Read,
    constant: object,
) -> Condition:
    def ordered(context: Context) -> bool:
        value = read(context)
        if value.__class__ is int or value.__class__ is float:
            return compare(value, constant)
        return test(value, constant)

    return ordered


def _having(read: Read, constant: str) -> Condition:
    def having(context: Context) -> bool:
        value = read(context)
        return isinstance(value, list) and constant in value

    return having


def _among(read: Read, constants: tuple[object, ...]) -> Condition | None:
    if not all(isinstance(each, str) for each in constants):
        return None
    texts = frozenset(constants)

    def among(context: Context) -> bool:
        value = read(context)
        return value.__class__ is str and value in texts

    return among
