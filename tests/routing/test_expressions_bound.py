"""Expressions with a task's values put in, split by what changes with every call."""

import json

from routing.expressions import compile_expression


def bound_key(text: str, **task: object) -> str:
    return compile_expression(text).bind(task).key


def test_binding_puts_the_tasks_values_in() -> None:
    assert bound_key("task.worker_sid = worker.sid", worker_sid="WK1") == '"WK1" == worker.sid'
    assert bound_key("task.a.b[1] == worker.x", a={"b": [0, 5]}) == "5 == worker.x"
    assert bound_key("worker.sid IN task.agents", agents=["x", 1]) == 'worker.sid IN ["x", 1]'
    assert bound_key("task.missing == worker.x") == "null == worker.x"


def test_binding_settles_what_no_longer_depends_on_the_worker() -> None:
    text = 'task.kind == "vip" AND worker.level > 5 OR NOT task.kind != "open" AND worker.level > 0'
    assert bound_key(text, kind="vip") == "worker.level > 5"
    assert bound_key(text, kind="open") == "worker.level > 0"
    closed = compile_expression(text).bind({"kind": "closed"})
    assert closed.is_always_false
    assert not closed.is_always_true
    assert closed.key == "1 == 0"
    assert not closed.matches({})
    everybody = compile_expression("task.open == true OR worker.level > 0").bind({"open": True})
    assert everybody.is_always_true
    assert everybody.key == "1 == 1"
    assert everybody.matches({})
    assert bound_key("NOT task.kind == 'vip' AND worker.a == 1", kind="x") == "worker.a == 1"
    assert bound_key("task.a == 1 OR task.b == 1", a=2, b=2) == "1 == 0"
    assert bound_key("task.a == 1 AND task.b == 1", a=1, b=1) == "1 == 1"
    assert bound_key("NOT worker.a == task.a", a=1) == "NOT worker.a == 1"


def test_binding_flattens_what_it_leaves() -> None:
    text = "(task.a == 1 AND worker.b == 2 AND worker.c == 3 OR task.a == 2) AND worker.d == 4"
    assert bound_key(text, a=1) == "worker.b == 2 AND worker.c == 3 AND worker.d == 4"
    text = "(task.a == 1 OR worker.b == 2 OR worker.c == 3) AND task.a == 2 OR worker.d == 4"
    assert bound_key(text, a=2) == "worker.b == 2 OR worker.c == 3 OR worker.d == 4"


def test_tasks_that_wait_for_the_same_thing_have_the_same_key() -> None:
    first = compile_expression("worker.language = task.language and (worker.level>5)")
    second = compile_expression("worker.language == task.lang[0] AND worker.level > 5")
    one, other = first.bind({"language": "es", "id": 1}), second.bind({"lang": ["es"], "id": 2})
    assert one.key == other.key
    assert one.references == {"worker.language", "worker.level"}
    assert one.text == one.key


def test_a_bound_object_or_nested_list_is_a_value_like_any_other() -> None:
    expression = compile_expression("worker.x == task.o OR worker.x IN task.l OR task.o == null")
    bound = expression.bind({"o": {"b": 1, "a": [2]}, "l": [[1], {"c": 3}, 4]})
    assert not bound.matches({"worker": {"x": {"b": 1, "a": [2]}}})
    assert not bound.matches({"worker": {"x": [1]}})
    assert bound.matches({"worker": {"x": 4}})
    assert json.dumps({"a": [2], "b": 1}) in bound.key


def test_another_root_can_be_bound() -> None:
    expression = compile_expression("workers.available == 0 AND task.a == 1")
    assert expression.bind({"available": 0}, root="workers").key == "task.a == 1"


def test_what_is_settled_stays_settled() -> None:
    settled = compile_expression("task.a == 1").bind({"a": 1})
    assert settled.bind({"a": 2}).is_always_true
    assert settled.references == frozenset()
    assert settled.why_false({}) == ()


def test_binding_leaves_the_expression_itself_alone() -> None:
    expression = compile_expression("task.a == worker.a")
    assert expression.bind({"a": 1}).matches({"worker": {"a": 1}, "task": {"a": 2}})
    assert not expression.matches({"worker": {"a": 1}, "task": {"a": 2}})


def test_live_load_is_split_off() -> None:
    expression = compile_expression(
        'worker.languages HAS "es" AND worker.channel.chat.assigned_tasks <= 1 '
        "AND (worker.level > 5 OR worker.channel.voice.available_capacity_percentage == 100) "
        "AND worker.channels == 2"
    )
    lasting, live = expression.split("worker.channel")
    assert lasting.key == 'worker.languages HAS "es" AND worker.channels == 2'
    assert live.key == (
        "worker.channel.chat.assigned_tasks <= 1 "
        "AND (worker.level > 5 OR worker.channel.voice.available_capacity_percentage == 100)"
    )


def test_a_part_that_would_be_empty_is_always_true() -> None:
    lasting, live = compile_expression("worker.level > 5").split("worker.channel")
    assert (lasting.key, live.is_always_true) == ("worker.level > 5", True)
    lasting, live = compile_expression("worker.channel.sms.assigned_tasks = 0").split(
        "worker.channel"
    )
    assert (lasting.is_always_true, live.key) == (True, "worker.channel.sms.assigned_tasks == 0")
