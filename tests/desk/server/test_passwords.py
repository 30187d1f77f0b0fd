"""What it costs to try a password, which the other tests here are spared."""

from argon2 import PasswordHasher, Type, extract_parameters

from desk import passwords

#: Before any test has begun: the house's own.
_HASHER, _NOBODYS = passwords._hasher, passwords._NOBODYS


def test_a_try_costs_what_the_rfc_advises_also_where_there_is_no_such_user() -> None:
    assert isinstance(_HASHER, PasswordHasher)
    for costs in (_HASHER, extract_parameters(_NOBODYS)):
        # RFC 9106, 4: the second choice, in KiB.
        assert (costs.time_cost, costs.memory_cost, costs.parallelism) == (3, 65536, 4)
        assert costs.type is Type.ID
