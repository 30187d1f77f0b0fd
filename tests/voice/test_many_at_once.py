"""Many at once: nobody waits for a sweep that takes only so many in one go."""

from dataclasses import replace

from tests.voice.office import Office
from voice.reconciliation import BATCH, Reconciliation


def test_after_work_of_many_ends_for_all_in_one_sweep(small_office: Office) -> None:
    centre = small_office.centre
    worker = centre.add_worker("Alice")
    centre.set_capacity(worker, 60)
    tasks = [centre.add_task() for _ in range(55)]
    centre.route()
    for task in tasks:
        centre.accept(task)
        centre.wrap_up(task)
    settings = replace(small_office.settings, wrap_up_limits={"*": 5})
    sweep = Reconciliation(centre.engine, settings, small_office.line)
    centre.pass_time(5)
    sweep.sweep()
    assert {centre.status(task) for task in tasks} == {"completed"}
    assert centre.channel(worker).assigned_tasks == 0


def test_of_many_calls_some_are_looked_at_every_second_until_all_were(small_office: Office) -> None:
    calls = [small_office.dial_in() for _ in range(2 * BATCH + 1)]
    small_office.settle()
    small_office.centre.pass_time(small_office.settings.sweep_seconds)

    def looked_at() -> int:
        now = small_office.centre.clock.now()
        found = [small_office.call(call).due_at for call in calls]
        return sum(due is not None and due > now for due in found)

    seen = []
    for _ in range(3):
        small_office.sweep()
        small_office.sweep()
        seen.append(looked_at())
        small_office.centre.pass_time(1)
    assert seen == [BATCH, 2 * BATCH, 2 * BATCH + 1]
