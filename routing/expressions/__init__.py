"""The expression language: who belongs to a queue, which filter takes a task, who may get it.

A text becomes a syntax tree (`syntax`), the tree becomes closures (`closures`); Python's own
compiler never sees a text of a stranger. The rest of the house enters through the names below.

What a condition means (`meaning` holds these rules; where Twilio's documents are silent, the reason
for ours stands here):

- A missing attribute is NULL, and so is anything below something missing. NULL is a value of its
  own: `x == null` is true where x is missing, `x != "v"` too, and it equals nothing else. Compared
  for order, NULL is false.
- Nothing is ever an error once it is parsed. An array or object beside `==`, `!=` or an ordering is
  false (but `preferred_agents != null` is true of an array: that asks whether it is there); HAS, IN
  and NOT IN are false where the array is none, and CONTAINS is false but for two texts.
- `==` is strict: `5 == "5"` is false and `1 == true` is false, their `!=` is true; 1 and 1.0 are
  the same number. Texts compare with case, as attribute names do.
- Orderings compare two numbers, or two texts by their characters, or a number and a text that
  writes a number (Twilio's own example meets `"6"` with `> 5`). Booleans have no order.
- `a IN [x, y]` is `a == x OR a == y`; `list HAS a` is `a IN list`. `a NOT IN list` is its opposite
  where the list is one, and true where there is no list: nobody is on a list that does not exist,
  and a task that names no excluded agents must not exclude them all.
- NOT binds tightest, then AND, then OR. A bare attribute is no condition: `vip == true`. A single
  mistyped word is more often a mistake than a question.

Contexts. Queue, filter and list expressions read bare names (`languages HAS "es"`); target
expressions read below `worker.` and `task.`, `skip_if` below `workers.`. The caller provides them
all, built-in names included, as one mapping whose inner objects are dicts.
"""

from routing.expressions.expression import Expression, FalseClause, compile_expression
from routing.expressions.meaning import Context, is_composite, number, value_at
from routing.expressions.ordering import Rank, WorkerOrder, compile_order_by
from routing.expressions.syntax import (
    Always,
    And,
    Comparison,
    Literal,
    Node,
    Not,
    Operand,
    Or,
    OrderKey,
    Reference,
    parse,
    parse_order_by,
    parse_reference,
)
from routing.expressions.tree import references_in, with_operands

__all__ = [
    "Always",
    "And",
    "Comparison",
    "Context",
    "Expression",
    "FalseClause",
    "Literal",
    "Node",
    "Not",
    "Operand",
    "Or",
    "OrderKey",
    "Rank",
    "Reference",
    "WorkerOrder",
    "compile_expression",
    "compile_order_by",
    "is_composite",
    "number",
    "parse",
    "parse_order_by",
    "parse_reference",
    "references_in",
    "value_at",
    "with_operands",
]
