"""What reads a stranger's text, and what must be true whatever the text is.

Each text is taken or refused with the one error that says so, within a time that grows with its
length; nothing else is ever raised, not by what was taken either, whatever it is asked about.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from routing.errors import ExpressionError, InvalidParameter
from routing.expressions import (
    Expression,
    WorkerOrder,
    compile_expression,
    compile_order_by,
    parse_reference,
)
from routing.json_text import JSONValue, read_json
from routing.population import Population
from routing.workflow import WorkflowDocument, first_step, next_step, parse_workflow
from tests.fuzz import writing
from tests.routing.conditions import Asked, Condition, Joined, Path, naive, text_of


class Broken(Exception):
    """Something that must be true is not."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    about: str
    #: An input: a text, or a list that holds one.
    make: Callable[[Random], Any]
    #: What is timed: returns what was read, or raises `refusal`.
    read: Callable[[Any], Any]
    refusal: type[Exception]
    #: Asked of what was read.
    check: Callable[[Any, Any], None]
    refused: Callable[[Any, Any], None] = lambda _text, _error: None
    #: CPU time for reading: so much in any case, and for each 1,024 characters.
    limit_ms: float = 5.0
    limit_ms_per_kib: float = 0.0


# --- expressions

_RANDOM = writing.drawn_from("contexts")
CONTEXTS = [writing.attributes(_RANDOM) for _ in range(6)]
CONTEXTS.append({"worker": CONTEXTS[0], "task": CONTEXTS[1], "a": CONTEXTS[2]})
POPULATION = Population()
for _slot, _context in enumerate(CONTEXTS):
    POPULATION.put(_slot, _context)


def _sound_expression(random: Random) -> str:
    return text_of(_condition(writing.condition(random)))


def _expression_text(random: Random) -> str:
    return writing.any_text(random, writing.EXPRESSION_PIECES, _sound_expression(random))


def _check_place(text: str, error: ExpressionError) -> None:
    lines = text.split("\n")
    if not 1 <= error.line <= len(lines):
        raise Broken(f"the text has no line {error.line}")
    if not 1 <= error.column <= len(lines[error.line - 1]) + 1:
        raise Broken(f"line {error.line} has no column {error.column}")
    if len(error.message) > 500:
        raise Broken("the message is longer than anybody would read")


def _check_expression(_text: str, expression: Expression) -> None:
    answers = [expression.matches(context) for context in CONTEXTS]
    if not all(answer is True or answer is False for answer in answers):
        raise Broken(f"answers neither true nor false: {answers}")
    bits = POPULATION.matching(expression)
    if [bool(bits >> slot & 1) for slot in range(len(CONTEXTS))] != answers:
        raise Broken("the index answers otherwise")
    for context, answer in zip(CONTEXTS, answers, strict=True):
        if bool(expression.why_false(context)) is answer:
            raise Broken("what is false has a reason, and what is true has none")
    bound, whole = expression.bind(CONTEXTS[1]), {**CONTEXTS[0], "task": CONTEXTS[1]}
    if bound.matches(CONTEXTS[0]) is not expression.matches(whole):
        raise Broken("answers otherwise once bound")
    lasting, live = expression.split("worker.a")
    if [lasting.matches(each) and live.matches(each) for each in CONTEXTS] != answers:
        raise Broken("answers otherwise once split")


# --- what an expression means


def _question(random: Random) -> list[object]:
    return [writing.condition(random), writing.attributes(random)]


def _condition(made: Any) -> Condition:
    word, *parts = made
    if word in {"AND", "OR", "NOT"}:
        if len(parts) != 1 if word == "NOT" else len(parts) < 2:
            raise ValueError(word)
        return Joined(word=word, parts=tuple(map(_condition, parts)))
    left, right = map(_operand, parts)
    return Asked(operator=word, left=left, right=right)


def _operand(made: Any) -> object:
    kind, *parts = made
    if kind == "path":
        return Path(parts=(str(parts[0]), *parts[1:]))
    [constant] = parts
    if kind != "is":
        raise ValueError(kind)
    return constant


_Answered: TypeAlias = tuple[Condition, Expression, dict[str, object]]


def _answered(question: Any) -> _Answered:
    try:  # what shrinking leaves may be no condition any more
        condition, context = _condition(question[0]), dict(question[1])
    except (LookupError, TypeError, ValueError):
        raise ExpressionError("expected a condition and a context") from None
    return condition, compile_expression(text_of(condition)), context


def _check_answer(_question: Any, answered: _Answered) -> None:
    condition, expression, context = answered
    expected = naive(condition, context)
    if expression.matches(context) is not expected:
        raise Broken(f"the plain evaluator says {expected}: {expression.text}")
    population = Population()
    population.put(0, context)
    if population.matching(expression) != expected:
        raise Broken(f"the index does not say {expected}: {expression.text}")


# --- orders and references


def _order_text(random: Random) -> str:
    sound = ", ".join(
        f"worker.{random.choice(writing.NAMES)}{random.choice(('', ' ASC', ' desc', '.a', '[0]'))}"
        for _ in range(random.randint(1, 4))
    )
    return writing.any_text(random, writing.EXPRESSION_PIECES, sound)


def _check_order(_text: str, order: WorkerOrder) -> None:
    for context in CONTEXTS:
        order.rank({"worker": context})


def _reference_text(random: Random) -> str:
    return writing.any_text(random, writing.EXPRESSION_PIECES, "task.agent.sid[0].b")


# --- documents


def _json_text(random: Random) -> str:
    return writing.any_text(random, writing.JSON_PIECES, writing.json_text(random))


def _check_json(_text: str, value: JSONValue) -> None:
    again = json.dumps(value, allow_nan=False, ensure_ascii=False)
    again.encode()
    if len(again) < writing.LONGEST and read_json(again, parameter="Attributes") != value:
        raise Broken("read otherwise once written")


QUEUES = ("WQ" + "0" * 32, "WQ" + "1" * 32)


def _workflow_text(random: Random) -> str:
    queues = (*QUEUES, *QUEUES, "WQ" + "2" * 32) if random.random() < 0.1 else QUEUES
    document = writing.workflow(random, _sound_expression(random), queues)
    sound = json.dumps(document)
    if random.random() < 0.6:
        return sound
    return writing.any_text(random, (*writing.JSON_PIECES, '"task_routing"', '"targets"'), sound)


def _check_workflow(_text: str, document: WorkflowDocument) -> None:
    for task in CONTEXTS:
        step = first_step(document, task)
        seen = 0
        while step is not None:
            seen += 1
            if seen > len(document.steps):
                raise Broken("a task walks in circles")
            if step.expression is not None:
                step.expression.bind(task).matches({"worker": CONTEXTS[0]})
            if step.skip_if is not None:
                step.skip_if.matches({"workers": {"available": 0}})
            if step.known_worker is not None:
                step.known_worker.value(task)
            step = next_step(document, step.position, task)


SUBJECTS: Mapping[str, Subject] = {
    "expressions": Subject(
        about="any text is an expression or is refused with its place; none does harm when asked",
        make=_expression_text,
        read=compile_expression,
        refusal=ExpressionError,
        check=_check_expression,
        refused=_check_place,
    ),
    "meaning": Subject(
        about="every answer is that of an evaluator that shares no code with ours",
        make=_question,
        read=_answered,
        refusal=ExpressionError,
        check=_check_answer,
    ),
    "order_by": Subject(
        about="any text is an order or is refused; any worker has a rank in it",
        make=_order_text,
        read=compile_order_by,
        refusal=ExpressionError,
        check=_check_order,
        refused=_check_place,
    ),
    "references": Subject(
        about="any text is a reference or is refused",
        make=_reference_text,
        read=lambda text: parse_reference(text, root="task"),
        refusal=ExpressionError,
        check=lambda _text, _reference: None,
        refused=_check_place,
    ),
    "json": Subject(
        about="any text is a value that can be stored and written again, or is refused",
        make=_json_text,
        read=lambda text: read_json(text, parameter="Attributes"),
        refusal=InvalidParameter,
        check=_check_json,
        limit_ms_per_kib=0.3,
    ),
    "workflows": Subject(
        about="any text is a workflow that every task leaves, or is refused",
        make=_workflow_text,
        read=lambda text: parse_workflow(text, known_queue=QUEUES.__contains__),
        refusal=InvalidParameter,
        check=_check_workflow,
        limit_ms_per_kib=2.0,
    ),
}
