"""What remains of a tree when parts of it are settled.

Folding changes no answer; it makes the trees of tasks that wait for the same thing the same tree.
"""

from routing.expressions.meaning import OPERATORS
from routing.expressions.syntax import Always, And, Comparison, Literal, Node, Not, Or


def constant(value: object) -> Literal:
    """An attribute's value as an operand."""
    return Literal(value=tuple(value) if isinstance(value, list) else value)


def folded(node: Node) -> Node:
    """The same condition without the parts that are settled."""
    match node:
        case Comparison(left=Literal() as left, right=Literal() as right):
            return Always(value=OPERATORS[node.operator](left.value, right.value))
        case Not():
            return _negation(folded(node.operand))
        case And():
            return conjunction(list(map(folded, node.operands)))
        case Or():
            return _disjunction(list(map(folded, node.operands)))
    return node


def conjunction(nodes: list[Node]) -> Node:
    """All of them: without what is always true; false where one is always false."""
    remaining: list[Node] = []
    for node in nodes:
        if isinstance(node, Always):
            if not node.value:
                return node
        elif isinstance(node, And):
            remaining.extend(node.operands)
        else:
            remaining.append(node)
    if not remaining:
        return Always(value=True)
    return remaining[0] if len(remaining) == 1 else And(operands=tuple(remaining))


def _disjunction(nodes: list[Node]) -> Node:
    """One of them: without what is always false; true where one is always true."""
    remaining: list[Node] = []
    for node in nodes:
        if isinstance(node, Always):
            if node.value:
                return node
        elif isinstance(node, Or):
            remaining.extend(node.operands)
        else:
            remaining.append(node)
    if not remaining:
        return Always(value=False)
    return remaining[0] if len(remaining) == 1 else Or(operands=tuple(remaining))


def _negation(node: Node) -> Node:
    return Always(value=not node.value) if isinstance(node, Always) else Not(operand=node)
