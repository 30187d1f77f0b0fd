"""Lists, page by page."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioException

from tests.api.service import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, Centre, Service


def _tasks(centre: Centre, number: int, **given: Any) -> list[str]:
    made = []
    for _ in range(number):
        made.append(str(centre.workspace.tasks.create(**given).sid))
        centre.service.clock.advance(1)
    return made


def _json(service: Service, url: str) -> Any:
    answer = service.ask("GET", url.removeprefix(PUBLIC_URL))
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_tasks_that_arrive_while_a_client_pages_neither_repeat_nor_hide_others(
    centre_on_each: Centre,
) -> None:
    made = _tasks(centre_on_each, 7)
    page = centre_on_each.workspace.tasks.page(page_size=3)
    seen = [task.sid for task in page]
    made += _tasks(centre_on_each, 2)
    while page.next_page_url:
        page = page.next_page()
        seen += [task.sid for task in page]
    assert seen == made


def test_tasks_that_go_while_a_client_pages_hide_no_others(centre_on_each: Centre) -> None:
    made = _tasks(centre_on_each, 6)
    page = centre_on_each.workspace.tasks.page(page_size=3)
    assert [task.sid for task in page] == made[:3]
    for gone in made[1:4]:
        centre_on_each.workspace.tasks(gone).delete()
    assert [task.sid for task in page.next_page()] == made[4:]


def test_one_can_page_back(centre_on_each: Centre) -> None:
    made = _tasks(centre_on_each, 7)
    pages = [centre_on_each.workspace.tasks.page(page_size=3)]
    pages.append(pages[-1].next_page())
    pages.append(pages[-1].next_page())
    assert [task.sid for task in pages[2]] == made[6:]
    back = pages[2].previous_page()
    assert [task.sid for task in back] == made[3:6]
    first = back.previous_page()
    assert [task.sid for task in first] == made[:3]
    assert first.previous_page_url is None
    assert [task.sid for task in first.next_page()] == made[3:6]


def test_meta_tells_of_the_neighbours_on_the_public_url(centre: Centre) -> None:
    _tasks(centre, 5)
    listed = f"{centre.path}/Tasks"
    first = _json(centre.service, f"{listed}?AssignmentStatus=pending&PageSize=2")
    meta = first["meta"]
    filters = f"{PUBLIC_URL}{listed}?AssignmentStatus=pending&PageSize=2"
    assert meta["key"] == "tasks"
    assert (meta["page"], meta["page_size"]) == (0, 2)
    assert meta["url"] == meta["first_page_url"] == f"{filters}&Page=0"
    assert meta["previous_page_url"] is None
    assert meta["next_page_url"].startswith(f"{filters}&Page=1&PageToken=PA")
    second = _json(centre.service, meta["next_page_url"])["meta"]
    assert second["page"] == 1
    assert second["url"] == meta["next_page_url"]
    last = _json(centre.service, second["next_page_url"])
    assert last["meta"]["next_page_url"] is None
    assert len(last["tasks"]) == 1


def test_a_page_by_its_number_alone_is_refused(centre: Centre) -> None:
    answer = centre.service.ask("GET", f"{centre.path}/Tasks?Page=2")
    assert (answer.status_code, answer.get_json()["code"]) == (400, 40153)
    with pytest.raises(TwilioException, match="40153"):
        centre.workspace.tasks.page(page_number=2)
    assert list(centre.workspace.tasks.page(page_number=0)) == []


@pytest.mark.parametrize(
    "token",
    ["PA", "PA0", "PT" + "0" * 32, "PA!!!", "PAWyI+Y3JlYXRlZF9hdCxzaWQiXQ", "é", "PAbnVsbA"],
)
def test_a_token_that_is_none_of_ours_is_refused(centre: Centre, token: str) -> None:
    for folder in ("Tasks", "Activities", "Events"):
        answer = centre.service.ask(
            "GET", f"{centre.path}/{folder}", query_string={"PageToken": token}
        )
        assert answer.status_code == 400
        assert "PageToken" in answer.get_json()["message"]


def test_a_token_of_another_order_is_refused(centre: Centre) -> None:
    _tasks(centre, 3)
    listed = f"{centre.path}/Tasks"
    meta = _json(centre.service, f"{listed}?PageSize=1&Ordering=Priority:desc")["meta"]
    token = meta["next_page_url"].rpartition("PageToken=")[2]
    answer = centre.service.ask("GET", f"{listed}?PageSize=1&PageToken={token}")
    assert answer.status_code == 400


@pytest.mark.parametrize("size", ["0", "1001", "-1", "many", "1.5", "99999999999999999999"])
def test_a_page_size_beyond_its_bounds_is_refused(centre: Centre, size: str) -> None:
    answer = centre.service.ask("GET", f"{centre.path}/Tasks?PageSize={size}")
    assert answer.status_code == 400
    assert "Invalid PageSize: expected a whole number from 1 to 1000" in answer.text


def test_lists_that_are_kept_whole_are_paged_alike(centre: Centre) -> None:
    channels = centre.workspace.task_channels
    whole = [channel.sid for channel in channels.list()]
    assert [channel.sid for channel in channels.list(page_size=2)] == whole
    page = channels.page(page_size=2).next_page()
    assert [channel.sid for channel in page.previous_page()] == whole[:2]


def test_tasks_come_in_the_order_asked_for(centre_on_each: Centre) -> None:
    low = _tasks(centre_on_each, 2, priority=1)
    high = _tasks(centre_on_each, 2, priority=9)

    def listed(ordering: str) -> list[str]:
        found = centre_on_each.workspace.tasks.list(ordering=ordering, page_size=1)
        return [task.sid for task in found]

    assert listed("DateCreated:desc") == [*reversed(high), *reversed(low)]
    assert listed("Priority:desc,DateCreated:asc") == [*high, *low]
    assert listed("Priority:asc,VirtualStartTime:desc") == [*reversed(low), *reversed(high)]


@pytest.mark.parametrize(
    "ordering",
    ["Attributes:asc", "Priority:up", "Priority,Priority", "DateCreated,VirtualStartTime:desc"],
)
def test_an_order_that_tasks_do_not_have_is_refused(centre: Centre, ordering: str) -> None:
    with pytest.raises(TwilioException, match="Invalid Ordering"):
        centre.workspace.tasks.list(ordering=ordering)


def test_tasks_are_filtered(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    [low] = _tasks(centre_on_each, 1, priority=1, attributes='{"language": "es"}')
    [high] = _tasks(centre_on_each, 1, priority=9, attributes='{"language": "en"}')
    [gone] = _tasks(centre_on_each, 1, priority=9)
    workspace.tasks(gone).update(assignment_status="canceled")

    def found(**filters: Any) -> list[str]:
        return [task.sid for task in workspace.tasks.list(**filters)]

    assert found(priority=9) == [high, gone]
    assert found(assignment_status=["pending"]) == [low, high]
    assert found(assignment_status=["canceled", "completed"]) == [gone]
    assert found(assignment_status=["pending,canceled"]) == [low, high, gone]
    assert found(workflow_sid=centre_on_each.workflow_sid) == [low, high, gone]
    assert found(workflow_name="Default Fifo Workflow") == [low, high, gone]
    assert found(workflow_name="Another") == []
    assert found(task_queue_sid=centre_on_each.queue_sid, priority=1) == [low]
    assert found(task_queue_name="Everyone") == [low, high, gone]
    assert found(evaluate_task_attributes='language == "es"') == [low]
    assert found(evaluate_task_attributes='task_channel_unique_name == "voice"') == []
    assert found(has_addons=True) == []


def test_workers_are_filtered_and_ordered(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    centre_on_each.service.clock.advance(1)
    bob = workspace.workers.create(friendly_name="Bob", attributes='{"languages": ["fr"]}').sid
    alice = centre_on_each.worker_sid

    def found(**filters: Any) -> list[str]:
        return [worker.sid for worker in workspace.workers.list(**filters)]

    assert found() == [alice, bob]
    assert found(available="true") == [alice]
    assert found(available="false") == [bob]
    assert found(activity_name="Offline") == [bob]
    assert found(activity_name="Offline", available="yes") == []
    assert found(activity_sid=centre_on_each.available_sid) == [alice]
    assert found(friendly_name="Bob") == [bob]
    assert found(target_workers_expression='languages HAS "fr"') == [bob]
    assert found(target_workers_expression='activity_name == "Available"') == [alice]
    assert found(task_queue_sid=centre_on_each.queue_sid) == [alice, bob]
    assert found(task_queue_name="Nobody's") == []
    assert found(ordering="DateStatusChanged:desc", page_size=1) == [bob, alice]


def test_workers_are_filtered_by_what_they_have_on_their_channels(centre_on_each: Centre) -> None:
    workspace = centre_on_each.workspace
    alice = centre_on_each.worker_sid
    bob = workspace.workers.create(friendly_name="Bob").sid
    workspace.workers(bob).worker_channels("chat").update(capacity=3)
    busy = workspace.task_queues.create(
        friendly_name="Chatty", target_workers="channel.chat.configured_capacity > 1"
    )

    def found(**filters: Any) -> list[str]:
        return [worker.sid for worker in workspace.workers.list(**filters)]

    for prefix in ("", "worker."):
        for what, who in (
            ("channel.chat.configured_capacity > 1", [bob]),
            ("channel.chat.available_capacity_percentage == 100", [alice, bob]),
            ("channel.voice.assigned_tasks > 0", []),
        ):
            assert found(target_workers_expression=prefix + what) == who
    assert found(task_queue_sid=busy.sid) == [bob]


def test_a_filter_that_has_to_look_at_each_row_pages_like_any_other(centre: Centre) -> None:
    odd = []
    for number in range(9):
        task = centre.workspace.tasks.create(attributes=f'{{"n": {number % 2}}}')
        centre.service.clock.advance(1)
        odd += [task.sid] if number % 2 else []
    tasks = centre.workspace.tasks
    page = tasks.page(evaluate_task_attributes="n == 1", page_size=2)
    assert [task.sid for task in page] == odd[:2]
    assert [task.sid for task in page.next_page()] == odd[2:]
    assert page.next_page().next_page_url is None
    assert [task.sid for task in page.next_page().previous_page()] == odd[:2]


def test_queues_are_found_by_who_belongs_to_them(centre: Centre) -> None:
    spanish = centre.workspace.task_queues.create(
        friendly_name="Spanish", target_workers='languages HAS "es"'
    )
    french = centre.workspace.task_queues.create(
        friendly_name="French", target_workers='languages HAS "fr"'
    )
    nobody = centre.workspace.task_queues.create(friendly_name="Nobody", target_workers="")
    queues = centre.workspace.task_queues

    def found(**filters: Any) -> set[str]:
        return {queue.sid for queue in queues.list(**filters)}

    everyone = centre.queue_sid
    assert found() == {everyone, spanish.sid, french.sid, nobody.sid}
    assert found(worker_sid=centre.worker_sid) == {everyone, spanish.sid}
    assert found(evaluate_worker_attributes='{"languages": ["fr"]}') == {everyone, french.sid}
    assert found(friendly_name="French") == {french.sid}


def test_reservations_are_listed_below_their_task_and_their_worker(centre: Centre) -> None:
    first = centre.workspace.tasks.create(task_channel="voice")
    second = centre.workspace.tasks.create(task_channel="chat")
    offered = [centre.service.reserve(task.sid, centre.worker_sid).sid for task in (first, second)]
    centre.workspace.tasks(first.sid).reservations(offered[0]).update(instruction="accept")
    of_worker = centre.workspace.workers(centre.worker_sid).reservations
    assert {found.sid for found in of_worker.list()} == set(offered)
    assert [found.sid for found in of_worker.list(reservation_status="accepted")] == offered[:1]
    of_task = centre.workspace.tasks(second.sid).reservations
    [listed] = of_task.list(worker_sid=centre.worker_sid)
    assert (listed.sid, listed.worker_name) == (offered[1], "Alice")
    assert listed.url.endswith(f"/Tasks/{second.sid}/Reservations/{offered[1]}")
    [listed] = of_worker.list(reservation_status="pending")
    assert listed.url.endswith(f"/Workers/{centre.worker_sid}/Reservations/{offered[1]}")


def test_workspaces_are_listed_by_name(service: Service) -> None:
    workspaces = service.client(ACCOUNT_SID, AUTH_TOKEN).taskrouter.v1.workspaces
    made = {name: workspaces.create(friendly_name=name).sid for name in ("Sales", "Support")}
    assert {found.sid for found in workspaces.list()} == set(made.values())
    assert [found.sid for found in workspaces.list(friendly_name="Sales")] == [made["Sales"]]
