"""An expression as the engine holds it: asked, bound to a task, split, explained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from routing.expressions.closures import Condition, compile_node
from routing.expressions.folding import conjunction, constant, folded
from routing.expressions.meaning import Context, value_at
from routing.expressions.syntax import Always, And, Literal, Node, Operand, Or, Reference, parse
from routing.expressions.tree import references_in, with_operands, written


@dataclass(frozen=True, kw_only=True)
class FalseClause:
    """Why an expression is false: one clause that is, and what it saw."""

    text: str
    #: References as written to the values they led to; None for what is missing.
    values: dict[str, object]


class Expression:
    """A condition on a context. Immutable; equal in meaning where `key` is equal."""

    def __init__(self, tree: Node, text: str | None = None) -> None:
        self.tree = tree
        self._text = text

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @property
    def text(self) -> str:
        """As it was written; what binding or splitting made is in the spelling of `key`."""
        return self.key if self._text is None else self._text

    @cached_property
    def key(self) -> str:
        """The tree in one spelling: the same for expressions that ask the same.

        It can be parsed again, unless an object or a list of lists was bound into it.
        """
        return written(self.tree)

    @cached_property
    def references(self) -> frozenset[str]:
        """The attributes it reads, as dotted paths."""
        return frozenset(reference.text for reference in references_in(self.tree))

    @cached_property
    def paths(self) -> tuple[tuple[str | int, ...], ...]:
        """The same as `value_at` takes them, each once, from left to right."""
        return tuple(dict.fromkeys(reference.path for reference in references_in(self.tree)))

    @cached_property
    def matches(self) -> Condition:
        """`matches(context)`: is it true there? Compiled when first asked for."""
        return compile_node(self.tree)

    @property
    def is_always_true(self) -> bool:
        return self.tree == Always(value=True)

    @property
    def is_always_false(self) -> bool:
        return self.tree == Always(value=False)

    def bind(self, attributes: Mapping[str, object], *, root: str = "task") -> "Expression":
        """The same question with the values of `root` put in, and what they settle, settled.

        `attributes` is what `root` stands for: the task's attributes and its built-in names.
        """
        context = {root: dict(attributes)}

        def bound(operand: Operand) -> Operand:
            if isinstance(operand, Literal) or operand.path[0] != root:
                return operand
            return constant(value_at(context, operand.path))

        return Expression(folded(with_operands(self.tree, bound)))

    def split(self, *prefixes: str) -> tuple["Expression", "Expression"]:
        """Two expressions whose conjunction is this one: (never reads below `prefixes`, the rest).

        `split("worker.channel")` parts what a worker's attributes settle from what depends on the
        load of this moment. A part that would be empty is always true.
        """
        paths = [tuple(prefix.split(".")) for prefix in prefixes]

        def lies_below(reference: Reference) -> bool:
            return any(reference.path[: len(path)] == path for path in paths)

        clauses = self.tree.operands if isinstance(self.tree, And) else (self.tree,)
        apart: list[Node] = []
        rest: list[Node] = []
        for clause in clauses:
            lively = any(lies_below(reference) for reference in references_in(clause))
            (rest if lively else apart).append(clause)
        return Expression(conjunction(apart)), Expression(conjunction(rest))

    def why_false(self, context: Context) -> tuple[FalseClause, ...]:
        """The clauses that make it false, with the values they saw; empty where it is true.

        Of a conjunction the first clause that is false; of alternatives all of them.
        """
        return tuple(_false_clauses(self.tree, context))


def compile_expression(text: str) -> Expression:
    """The expression that `text` writes. Raises ExpressionError: what was expected, and where."""
    return Expression(parse(text), text)


def _false_clauses(tree: Node, context: Context) -> Iterator[FalseClause]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if compile_node(node)(context):
            continue
        if isinstance(node, And):
            waiting.append(next(each for each in node.operands if not compile_node(each)(context)))
        elif isinstance(node, Or):
            waiting.extend(reversed(node.operands))
        else:
            seen = {each.text: value_at(context, each.path) for each in references_in(node)}
            yield FalseClause(text=written(node), values=seen)
