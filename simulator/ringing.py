"""An outbound leg rings: the endpoint does as it was told, the caller's patience runs."""

from simulator.agenda import Steps
from simulator.call import BUSY, FAILED, NO_ANSWER, Call
from simulator.network import Network

ANSWERED = "answered"
OUTCOMES = {"answer": ANSWERED, "busy": BUSY, "fail": FAILED, "no-answer": NO_ANSWER}


def ring(network: Network, call: Call, timeout_seconds: int) -> Steps[None]:
    """Returns when somebody has answered; every other end arrives as HungUp."""
    network.tell_progress(call, "initiated")
    network.ring(call)
    agenda, settings = network.agenda, network.settings
    assert call.picked_up is not None  # noqa: S101 - set when the call was made
    picked_up = call.picked_up
    endpoint = network.endpoint(call.to)
    patience = timeout_seconds + settings.timeout_buffer_seconds
    call.ring_timers.append(agenda.after(patience, lambda: picked_up.fire(NO_ANSWER)))
    delay = endpoint.delay_seconds
    if delay is None and endpoint.on_ring != "no-answer":
        delay = settings.ring_seconds
    outcome = OUTCOMES.get(endpoint.on_ring)
    if outcome is not None and delay is not None:
        call.ring_timers.append(agenda.after(delay, lambda: picked_up.fire(outcome)))
    result = yield from picked_up.wait()
    for timer in call.ring_timers:
        timer.cancel()
    if result == ANSWERED:
        network.answer(call)
        return
    call.sip_code = endpoint.sip_code
    network.hang_up(call, result)
    yield from agenda.forever()
