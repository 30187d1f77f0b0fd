"""A Workflow document is refused with the place of its fault, or leads each task on its way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InvalidParameter
from routing.workflow import (
    DEFAULT_FILTER,
    Step,
    WorkflowDocument,
    first_step,
    next_step,
    parse_workflow,
    step_at,
)

SALES = "WQ" + "1" * 32
SUPPORT = "WQ" + "2" * 32
EVERYONE = "WQ" + "3" * 32
UNKNOWN = "WQ" + "9" * 32
QUEUES = {SALES, SUPPORT, EVERYONE}


def read(routing: object) -> WorkflowDocument:
    return parse_workflow(json.dumps({"task_routing": routing}), known_queue=QUEUES.__contains__)


def refusal(configuration: object) -> str:
    text = configuration if isinstance(configuration, str) else json.dumps(configuration)
    with pytest.raises(InvalidParameter) as refused:
        parse_workflow(text, known_queue=QUEUES.__contains__)
    assert refused.value.parameter == "Configuration"
    return refused.value.message.removeprefix("Invalid Configuration: ")


def one_target(**target: object) -> dict[str, object]:
    targets = [{"queue": SALES, **target}]
    return {"task_routing": {"filters": [{"expression": "1==1", "targets": targets}]}}


def only_step(**target: object) -> Step:
    document = parse_workflow(json.dumps(one_target(**target)), known_queue=QUEUES.__contains__)
    [step] = document.steps
    return step


# --- reading


def test_every_key_of_a_target_is_read() -> None:
    step = only_step(
        expression="worker.sid == task.agent",
        priority=10,
        timeout=30,
        skip_if="workers.available == 0",
        order_by="worker.level DESC",
        known_worker_sid="task.agents[0].sid",
    )
    assert (step.queue_sid, step.priority, step.timeout_seconds) == (SALES, 10, 30)
    assert step.expression is not None
    assert step.expression.text == "worker.sid == task.agent"
    assert step.skip_if is not None
    assert step.skip_if.matches({"workers": {"available": 0}})
    assert step.order_by is not None
    assert step.order_by.rank({"worker": {"level": 5}}) == (0, -5)
    assert step.known_worker is not None
    assert step.known_worker.by_sid
    assert step.known_worker.value({"agents": [{"sid": "WK1"}]}) == "WK1"
    assert step.known_worker.value({}) is None


def test_what_a_target_leaves_out_is_nothing() -> None:
    step = only_step()
    assert step == Step(
        filter_index=0,
        target_index=0,
        filter_name=None,
        queue_sid=SALES,
        priority=None,
        expression=None,
        timeout_seconds=None,
        skip_if=None,
        order_by=None,
        known_worker=None,
    )
    empty = only_step(
        expression=" ", priority=None, timeout=None, skip_if="", order_by=None, known_worker_sid=""
    )
    assert empty == step


def test_a_worker_can_be_known_by_name() -> None:
    step = only_step(known_worker_friendly_name="task.agent")
    assert step.known_worker is not None
    assert not step.known_worker.by_sid
    assert step.known_worker.value({"agent": "Ana"}) == "Ana"


def test_numbers_may_be_given_as_strings() -> None:
    step = only_step(priority="1000", timeout="0")
    assert (step.priority, step.timeout_seconds) == (1000, 0)


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({"filter_friendly_name": "Gold"}, "Gold"),
        ({"friendly_name": "Gold"}, "Gold"),
        ({"filter_friendly_name": "Gold", "friendly_name": "Gold"}, "Gold"),
        ({"filter_friendly_name": None, "friendly_name": "Gold"}, "Gold"),
        ({}, None),
    ],
)
def test_a_filters_name_has_two_spellings(names: dict[str, object], name: str | None) -> None:
    document = read({"filters": [{**names, "expression": "1==1", "targets": [{"queue": SALES}]}]})
    assert document.filters[0].name == name
    assert document.steps[0].filter_name == name


def test_later_targets_inherit_the_queue_and_nothing_else() -> None:
    targets = [
        {"queue": SALES, "priority": 5, "timeout": 10, "expression": "worker.a == 1"},
        {"timeout": 20},
        {"queue": SUPPORT},
        {"priority": 9},
    ]
    document = read({"filters": [{"expression": "1==1", "targets": targets}]})
    assert [
        (step.position, step.queue_sid, step.priority, step.timeout_seconds, step.expression)
        for step in document.steps[1:]
    ] == [
        ((0, 1), SALES, None, 20, None),
        ((0, 2), SUPPORT, None, None, None),
        ((0, 3), SUPPORT, 9, None, None),
    ]
    assert document.queue_sids == {SALES, SUPPORT}


@pytest.mark.parametrize(
    "routing", [{}, {"filters": []}, {"filters": None, "default_filter": None}]
)
def test_a_document_without_filters_takes_no_task(routing: dict[str, object]) -> None:
    document = read(routing)
    assert first_step(document, {}) is None
    assert document.steps == ()


def test_bytes_are_read_like_text() -> None:
    text = json.dumps(one_target()).encode()
    assert parse_workflow(text, known_queue=QUEUES.__contains__).queue_sids == {SALES}


def test_each_queue_is_asked_for_once() -> None:
    asked: list[str] = []

    def known(sid: str) -> bool:
        asked.append(sid)
        return True

    targets = [{"queue": SALES}, {"queue": SUPPORT}, {"queue": SALES}, {}]
    routing = {"filters": [{"expression": "1==1", "targets": targets}]}
    parse_workflow(json.dumps({"task_routing": routing}), known_queue=known)
    assert asked == [SALES, SUPPORT]


# --- refusing


def in_filter(**members: object) -> dict[str, object]:
    first = {"expression": "1==1", "targets": [{"queue": SALES}]}
    return {"task_routing": {"filters": [first, {**first, **members}]}}


AFTER_B = "expected AND, OR or the end of the expression, found 'b' (line 2, column 1)"
TARGET = "task_routing.filters[0].targets[0]"


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("", "expected JSON: Expecting value (line 1, column 1)"),
        ("[]", "expected a JSON object, found an array"),
        ({}, "task_routing: expected an object, found nothing"),
        ({"task_routing": []}, "task_routing: expected an object, found an array"),
        ({"task_routing": {}, "x": 1}, "x: unknown key, expected task_routing"),
        ({"task_routing": {"filter": []}}, "task_routing.filter: unknown key, expected filters, "),
        (
            {"task_routing": {"filters": {}}},
            "task_routing.filters: expected an array, found an obj",
        ),
        (
            {"task_routing": {"filters": [1]}},
            "task_routing.filters[0]: expected an object, found a",
        ),
        (
            in_filter(Expression="1==1"),
            "task_routing.filters[1].Expression: unknown key, expected ",
        ),
        (in_filter(expression=None), "task_routing.filters[1].expression: expected an expression"),
        (in_filter(expression=""), "task_routing.filters[1].expression: expected an expression"),
        (
            in_filter(expression=5),
            "task_routing.filters[1].expression: expected a string, found a ",
        ),
        (
            in_filter(expression="a == 1\nb"),
            f"task_routing.filters[1].expression: {AFTER_B}",
        ),
        (in_filter(targets=[]), "task_routing.filters[1].targets: expected at least one target"),
        (in_filter(targets=None), "task_routing.filters[1].targets: expected at least one target"),
        (in_filter(targets={}), "task_routing.filters[1].targets: expected an array, found an ob"),
        (in_filter(targets=["x"]), "task_routing.filters[1].targets[0]: expected an object, found"),
        (
            in_filter(targets=[{}]),
            "task_routing.filters[1].targets[0].queue: expected the SID of a",
        ),
        (in_filter(friendly_name=1), "task_routing.filters[1].friendly_name: expected a string"),
        (
            in_filter(friendly_name="a", filter_friendly_name="b"),
            "task_routing.filters[1].friendly_name: expected one name",
        ),
        (
            in_filter(targets=[{"queue": SALES}, {"expression": "worker.x"}]),
            "task_routing.filters[1].targets[1].expression: expected an operator",
        ),
        (
            one_target(queue=UNKNOWN),
            f"{TARGET}.queue: there is no TaskQueue {UNKNOWN} in this work",
        ),
        (
            one_target(queue="sales"),
            f"{TARGET}.queue: expected the SID of a TaskQueue, found sales",
        ),
        (one_target(queue="WW" + "1" * 32), f"{TARGET}.queue: expected the SID of a TaskQueue"),
        (one_target(queue=1), f"{TARGET}.queue: expected a string, found a number"),
        (one_target(queueName="x"), f"{TARGET}.queueName: unknown key, expected queue, expression"),
        (
            one_target(priority=-1),
            f"{TARGET}.priority: expected a whole number from 0 to 2147483647",
        ),
        (one_target(priority=2**31), f"{TARGET}.priority: expected a whole number"),
        (one_target(priority="9" * 11), f"{TARGET}.priority: expected a whole number"),
        (one_target(priority="high"), f"{TARGET}.priority: expected a whole number"),
        (one_target(priority=True), f"{TARGET}.priority: expected a whole number"),
        (one_target(priority=[1]), f"{TARGET}.priority: expected a whole number"),
        (one_target(timeout=1.5), f"{TARGET}.timeout: expected a whole number from 0 to 1209600"),
        (one_target(timeout="-1"), f"{TARGET}.timeout: expected a whole number"),
        (one_target(timeout=""), f"{TARGET}.timeout: expected a whole number"),
        (one_target(skip_if="workers.available"), f"{TARGET}.skip_if: expected an operator"),
        (one_target(skip_if=True), f"{TARGET}.skip_if: expected a string, found a boolean"),
        (one_target(order_by="level DESC"), f"{TARGET}.order_by: expected worker.<attribute>"),
        (
            one_target(known_worker_sid="WK1"),
            f"{TARGET}.known_worker_sid: expected task.<attribute>",
        ),
        (one_target(known_worker_friendly_name={}), f"{TARGET}.known_worker_friendly_name: expect"),
        (
            one_target(known_worker_sid="task.a", known_worker_friendly_name="task.b"),
            f"{TARGET}.known_worker_friendly_name: expected no known_worker_sid beside it",
        ),
        (
            {"task_routing": {"default_filter": {"queue": SALES, "timeout": 5}}},
            "task_routing.default_filter.timeout: unknown key",
        ),
        (
            {"task_routing": {"default_filter": {"Expression": "1==1"}}},
            "task_routing.default_filter.Expression: unknown key",
        ),
        (
            {"task_routing": {"default_filter": {}}},
            "task_routing.default_filter.queue: expected the SID of a TaskQueue",
        ),
        (
            {"task_routing": {"default_filter": "x"}},
            "task_routing.default_filter: expected an object, found a string",
        ),
        ({"two words": 1}, "'two words': unknown key"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(configuration: object, message: str) -> None:
    assert refusal(configuration).startswith(message)


def test_an_expression_has_its_own_limit() -> None:
    long = "a == '" + "x" * 65_536 + "'"
    assert refusal(in_filter(expression=long)).startswith(
        "task_routing.filters[1].expression: expected at most 65536 bytes"
    )


def test_a_document_has_a_limit_in_bytes() -> None:
    text = json.dumps(one_target())
    longest = text + " " * (1_038_576 - len(text))
    parse_workflow(longest, known_queue=QUEUES.__contains__)
    assert refusal(longest + " ") == "expected at most 1038576 characters"
    accents = json.dumps(in_filter(friendly_name="é" * 520_000), ensure_ascii=False)
    assert refusal(accents) == "expected at most 1038576 bytes"


def test_a_message_bears_only_the_beginning_of_a_long_key_or_queue() -> None:
    assert len(refusal({"k" * 100_000: 1})) < 200
    assert len(refusal(one_target(queue="q" * 100_000))) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "1==1", "task.a", SALES, "7"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "task_routing",
                        "filters",
                        "default_filter",
                        "targets",
                        "queue",
                        "expression",
                    ),
                    *("priority", "timeout", "skip_if", "order_by", "friendly_name", "x"),
                    *("filter_friendly_name", "known_worker_sid", "known_worker_friendly_name"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.text() | JSON.map(json.dumps) | JSON.map(lambda value: json.dumps(in_filter(targets=value)))
)
def test_any_text_is_a_document_or_is_refused(text: str) -> None:
    try:
        document = parse_workflow(text, known_queue=QUEUES.__contains__)
    except InvalidParameter as error:
        refused: str | None = error.parameter
    else:
        refused = None
        assert all(step_at(document, step.position) is step for step in document.steps)
    assert refused in {None, "Configuration"}


# --- the way of a task

STAIRS = read(
    {
        "filters": [
            {
                "filter_friendly_name": "Sales",
                "expression": 'kind == "sales" OR kind == "both"',
                "targets": [{"queue": SALES, "timeout": 10}, {"timeout": 20}],
            },
            {
                "filter_friendly_name": "Gold",
                "expression": "gold == true",
                "targets": [{"queue": EVERYONE, "timeout": 30}],
            },
            {
                "filter_friendly_name": "Support",
                "expression": 'kind IN ["support", "both"]',
                "targets": [{"queue": SUPPORT, "timeout": 40}],
            },
        ],
        "default_filter": {"queue": EVERYONE, "priority": 1},
    }
)


def position(step: Step | None) -> tuple[int, int] | None:
    return None if step is None else step.position


def way(task: dict[str, object], *, skipped: bool) -> list[tuple[int, int]]:
    positions = []
    step = first_step(STAIRS, task)
    while step is not None:
        positions.append(step.position)
        step = next_step(STAIRS, step.position, task, skipped=skipped)
    return positions


def test_the_first_filter_that_is_true_takes_the_task() -> None:
    assert position(first_step(STAIRS, {"kind": "sales", "gold": True})) == (0, 0)
    assert position(first_step(STAIRS, {"kind": "support", "gold": True})) == (1, 0)
    assert position(first_step(STAIRS, {"kind": "support"})) == (2, 0)


def test_what_no_filter_takes_goes_to_the_default_filter() -> None:
    step = first_step(STAIRS, {"kind": "other"})
    assert step is not None
    assert step.position == (DEFAULT_FILTER, 0)
    assert (step.queue_sid, step.priority, step.timeout_seconds) == (EVERYONE, 1, None)
    assert step.filter_name is None


def test_after_the_last_target_comes_the_next_filter_that_is_true() -> None:
    assert way({"kind": "both"}, skipped=False) == [(0, 0), (0, 1), (2, 0)]
    assert way({"kind": "both", "gold": True}, skipped=False) == [(0, 0), (0, 1), (1, 0), (2, 0)]


def test_a_timeout_never_leads_to_the_default_filter() -> None:
    assert way({"kind": "sales"}, skipped=False) == [(0, 0), (0, 1)]


def test_skipping_out_of_the_last_target_leads_to_the_default_filter() -> None:
    assert way({"kind": "sales"}, skipped=True) == [(0, 0), (0, 1), (-1, 0)]
    assert way({"kind": "both"}, skipped=True) == [(0, 0), (0, 1), (2, 0), (-1, 0)]


def test_only_the_last_move_decides_between_skip_and_timeout() -> None:
    task: dict[str, object] = {"kind": "sales"}
    assert position(next_step(STAIRS, (0, 0), task, skipped=True)) == (0, 1)
    assert position(next_step(STAIRS, (0, 1), task)) is None


def test_nothing_comes_after_the_default_filter() -> None:
    for skipped in (False, True):
        assert next_step(STAIRS, (DEFAULT_FILTER, 0), {"kind": "both"}, skipped=skipped) is None


def test_the_attributes_of_the_moment_decide_about_the_next_filter() -> None:
    assert position(next_step(STAIRS, (0, 1), {"gold": True})) == (1, 0)
    assert position(next_step(STAIRS, (1, 0), {"kind": "sales"})) is None


def test_without_a_default_filter_a_task_falls_out() -> None:
    document = read({"filters": [{"expression": "a == 1", "targets": [{"queue": SALES}]}]})
    assert first_step(document, {}) is None
    assert next_step(document, (0, 0), {"a": 1}, skipped=True) is None
    assert step_at(document, (DEFAULT_FILTER, 0)) is None


def test_a_position_is_found_again() -> None:
    for step in STAIRS.steps:
        assert step_at(STAIRS, step.position) is step
    for nowhere in [(0, 2), (0, -1), (3, 0), (-2, 0), (DEFAULT_FILTER, 1)]:
        assert step_at(STAIRS, nowhere) is None


# --- the multitasking guide's workflow for manual pull

PULL = parse_workflow(
    r"""
    {
      "task_routing": {
        "filters": [
          {
            "filter_friendly_name": "Pulled by an agent",
            "expression": "manual == 1 AND task_channel_unique_name == \"chat\"",
            "targets": [
              {"queue": "WQ11111111111111111111111111111111",
               "expression": "task.worker_sid = worker.sid", "priority": "1000"}
            ]
          },
          {
            "filter_friendly_name": "The other chats",
            "expression": "task_channel_unique_name == \"chat\"",
            "targets": [
              {"queue": "WQ11111111111111111111111111111111",
               "expression": "worker.channel.chat.available_capacity_percentage < 75",
               "priority": "50"}
            ]
          }
        ]
      }
    }
    """,
    known_queue=QUEUES.__contains__,
)


def test_a_chat_that_an_agent_pulls_goes_to_that_agent_first() -> None:
    task = {"manual": 1, "worker_sid": "WK1", "task_channel_unique_name": "chat"}
    step = first_step(PULL, task)
    assert step is not None
    assert (step.position, step.priority) == ((0, 0), 1000)
    assert step.expression is not None
    wanted = step.expression.bind(task)
    assert wanted.matches({"worker": {"sid": "WK1"}})
    assert not wanted.matches({"worker": {"sid": "WK2"}})


def test_other_chats_leave_headroom_for_pulling() -> None:
    step = first_step(PULL, {"task_channel_unique_name": "chat"})
    assert step is not None
    assert (step.position, step.priority, step.filter_name) == ((1, 0), 50, "The other chats")
    assert step.expression is not None
    for percentage, expected in ((100, False), (75, False), (74, True), (0, True)):
        load = {"channel": {"chat": {"available_capacity_percentage": percentage}}}
        assert step.expression.matches({"worker": load}) is expected


def test_a_call_is_no_chat() -> None:
    assert first_step(PULL, {"manual": 1, "task_channel_unique_name": "voice"}) is None
