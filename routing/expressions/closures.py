"""From tree to closures: each condition becomes a function of the context, chosen once.

A closure knows its operator, its attribute and its constant, so that asking costs one call and one
dictionary look-up per comparison. What has no closure of its own is asked of `meaning`, and every
closure must answer as `meaning` does. Nothing is ever passed to Python's own compiler.

The look-ups are written out in each quick form: handing them in as functions doubles the price.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from routing.expressions.meaning import OPERATORS, Context, is_composite, number, value_at
from routing.expressions.syntax import (
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
Path: TypeAlias = tuple[str | int, ...]

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
_NOTHING: Mapping[str, object] = {}


def compile_node(node: Node) -> Condition:
    """The function that says whether `node` is true in a context."""
    prefix = _common_prefix([reference.path for reference in references_in(node)])
    if not prefix:
        return _condition(node)

    def beyond_prefix(operand: Operand) -> Operand:
        if isinstance(operand, Literal):
            return operand
        return Reference(path=operand.path[len(prefix) :])

    return _below(prefix, _condition(with_operands(node, beyond_prefix)))


def _common_prefix(paths: list[Path]) -> Path:
    """The way that all paths have in common, short of their last part; every part left is a name.

    A target expression with the task's values bound in reads the worker only: looking the worker up
    once makes each of its attributes as near as a queue expression's.
    """
    prefix = min((path[:-1] for path in paths), key=len, default=())
    while any(
        path[: len(prefix)] != prefix or not isinstance(path[len(prefix)], str) for path in paths
    ):
        prefix = prefix[:-1]
    return prefix


def _below(prefix: Path, condition: Condition) -> Condition:
    """The condition, asked of the object that `prefix` leads to; of an empty one, if of none."""
    if len(prefix) > 1:

        def far_below(context: Context) -> bool:
            value = value_at(context, prefix)
            return condition(value if isinstance(value, dict) else _NOTHING)

        return far_below
    root = str(prefix[0])

    def below(context: Context) -> bool:
        value = context.get(root)
        return condition(value if isinstance(value, dict) else _NOTHING)

    return below


def _condition(node: Node) -> Condition:
    match node:
        case Comparison():
            return _comparison(node)
        case Not():
            return _negation(_condition(node.operand))
        case And():
            return _all(list(map(_condition, _parts(node))))
        case Or():
            return _any(list(map(_condition, _parts(node))))
        case _:  # Always
            return _constant(node.value)


def _parts(node: And | Or) -> list[Node]:
    """The operands, with those of an AND within an AND, or of an OR within an OR, in its place."""
    parts: list[Node] = []
    waiting: list[Node] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, And | Or) and type(part) is type(node):
            waiting.extend(reversed(part.operands))
        else:
            parts.append(part)
    return parts


def _constant(value: bool) -> Condition:
    return lambda _: value


def _negation(condition: Condition) -> Condition:
    return lambda context: not condition(context)


def _all(conditions: list[Condition]) -> Condition:
    match conditions:  # the short ones written out: a loop costs a fifth more
        case [first, second]:
            return lambda context: first(context) and second(context)
        case [first, second, third]:
            return lambda context: first(context) and second(context) and third(context)
        case [first, second, third, fourth]:
            return lambda context: (
                first(context) and second(context) and third(context) and fourth(context)
            )
    each = tuple(conditions)

    def all_true(context: Context) -> bool:
        for condition in each:  # noqa: SIM110  (all() with a generator takes twice as long)
            if not condition(context):
                return False
        return True

    return all_true


def _any(conditions: list[Condition]) -> Condition:
    match conditions:
        case [first, second]:
            return lambda context: first(context) or second(context)
        case [first, second, third]:
            return lambda context: first(context) or second(context) or third(context)
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
    test = OPERATORS[symbol]
    if isinstance(left, Literal):
        return _constant_first(test, left.value, right)
    path = left.path
    if isinstance(right, Reference):
        other = right.path
        return lambda context: test(value_at(context, path), value_at(context, other))
    value, name = right.value, path[-1]
    if isinstance(name, int):
        return lambda context: test(value_at(context, path), value)
    quick = _quick(symbol, name, value)
    return quick if len(path) == 1 else _below(path[:-1], quick)


def _constant_first(
    test: Callable[[object, object], bool], value: object, right: Operand
) -> Condition:
    """Two constants, or an operator that has no mirror image: CONTAINS, NOT IN."""
    if isinstance(right, Literal):
        return _constant(test(value, right.value))
    path = right.path
    return lambda context: test(value, value_at(context, path))


def _quick(symbol: str, name: str, constant: object) -> Condition:
    """An attribute beside a constant: what nearly all expressions are made of."""
    make = _QUICK.get(symbol)
    special = None if make is None else make(symbol, name, constant)
    test = OPERATORS[symbol]
    return special or (lambda context: test(context.get(name), constant))


def _equal_to(_symbol: str, name: str, constant: object) -> Condition | None:
    if isinstance(constant, str):  # nothing in JSON equals a text but the same text
        return lambda context: context.get(name) == constant
    if constant is None or isinstance(constant, bool):
        return lambda context: context.get(name) is constant
    if is_composite(constant):
        return None

    def equal_to(context: Context) -> bool:
        value = context.get(name)
        return value == constant and value is not True and value is not False

    return equal_to


def _other_than(_symbol: str, name: str, constant: object) -> Condition | None:
    if constant is None:
        return lambda context: context.get(name) is not None
    if not isinstance(constant, str):
        return None

    def other_than(context: Context) -> bool:
        value = context.get(name)
        return value != constant and not is_composite(value)

    return other_than


def _ordered(symbol: str, name: str, constant: object) -> Condition | None:
    compare, test, bound = _ORDERINGS[symbol], OPERATORS[symbol], number(constant)
    if bound is None:
        return None

    def ordered(context: Context) -> bool:
        value = context.get(name)
        if value.__class__ is int or value.__class__ is float:
            return compare(value, bound)
        return test(value, constant)

    return ordered


def _having(_symbol: str, name: str, constant: object) -> Condition | None:
    if not isinstance(constant, str):
        return None

    def having(context: Context) -> bool:
        value = context.get(name)
        return value.__class__ is list and constant in value

    return having


def _containing(_symbol: str, name: str, constant: object) -> Condition | None:
    if not isinstance(constant, str):
        return None

    def containing(context: Context) -> bool:
        value = context.get(name)
        return value.__class__ is str and constant in value

    return containing


def _among(_symbol: str, name: str, constant: object) -> Condition | None:
    texts = _only_texts(constant)
    if texts is None:
        return None

    def among(context: Context) -> bool:
        value = context.get(name)
        return value.__class__ is str and value in texts

    return among


def _not_among(_symbol: str, name: str, constant: object) -> Condition | None:
    texts = _only_texts(constant)
    if texts is None:
        return None

    def not_among(context: Context) -> bool:
        value = context.get(name)
        return not is_composite(value) and value not in texts

    return not_among


def _only_texts(constant: object) -> frozenset[str] | None:
    """The texts of a list that holds nothing else."""
    if not isinstance(constant, tuple):
        return None
    texts = frozenset(each for each in constant if isinstance(each, str))
    return texts if all(isinstance(each, str) for each in constant) else None


#: Operator, name and constant to the quick form; None where it has none for such a constant.
_QUICK: Mapping[str, Callable[[str, str, object], Condition | None]] = {
    "==": _equal_to,
    "!=": _other_than,
    "HAS": _having,
    "CONTAINS": _containing,
    "IN": _among,
    "NOT IN": _not_among,
    **dict.fromkeys(_ORDERINGS, _ordered),
}
