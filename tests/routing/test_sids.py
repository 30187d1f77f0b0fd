"""Identifiers: of Twilio's shape, never the same twice, and made to lie beside one another."""

from routing.sids import EVENT, TASK, is_sid, new_sid


def test_a_new_sid_has_the_shape_of_its_kind() -> None:
    assert is_sid(new_sid(TASK), TASK)
    assert not is_sid(new_sid(EVENT), TASK)
    assert not is_sid("WT" + "0" * 31)


def test_no_sid_is_made_twice() -> None:
    assert len({new_sid(TASK) for _ in range(10_000)}) == 10_000


def test_later_sids_are_greater() -> None:
    """In their first digits; within a millisecond they have no order."""
    made = [new_sid(TASK)[:14] for _ in range(10_000)]
    assert made == sorted(made)
