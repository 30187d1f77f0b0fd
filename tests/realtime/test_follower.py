"""What waits for an answer before it is sent."""

from routing.api.representation import Representation
from routing.realtime.answer_first import LAG_MS
from routing.realtime.follower import LiveFollower
from routing.realtime.hub import Parcel
from routing.realtime.wire import Wire
from routing.store import SqlStore
from tests.api.service import PUBLIC_URL
from tests.realtime.conftest import ACCOUNT_SID, Office


class Nobody:
    """Listens to no whole Workspace."""

    workspaces: frozenset[str] = frozenset()
    is_awaited = False


def test_the_offer_of_a_task_that_a_worker_makes_for_itself_waits_for_the_answer(
    office: Office,
) -> None:
    engine = office.service.engine
    assert isinstance(engine.store, SqlStore)
    parcels: list[Parcel] = []
    follower = LiveFollower(
        engine,
        engine.store,
        wire=Wire(ACCOUNT_SID, PUBLIC_URL),
        representation=Representation(ACCOUNT_SID, PUBLIC_URL),
        forms=lambda _: (True, False),
        deliver=parcels.extend,
        listeners=Nobody(),
        begin=lambda _low, _seen: None,
        tell=lambda _news, _position: None,
    )
    made = office.centre.workspace.tasks.create(attributes="{}", routing_target=office.alice)
    office.service.clock.advance(1)  # later than any answer
    office.service.reserve(str(made.sid), office.alice)
    office.offer(office.alice, routing_target=office.alice)
    office.offer(office.bob)
    while follower.step() is True:
        pass
    offers = [parcel for parcel in parcels if parcel.brings]
    assert [parcel.lag for parcel in offers] == [0.0, LAG_MS / 1000, 0.0]
