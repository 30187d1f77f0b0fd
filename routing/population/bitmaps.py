"""Sets of worker slots as integers: bit n stands for slot n."""

from collections.abc import Collection, Iterator

#: Setting bits one by one copies the bitmap each time; from here on, writing all digits is quicker.
_MANY = 100
_DIGITS = bytes.maketrans(b"\x00\x01", b"01")


def bitmap(slots: Collection[int]) -> int:
    """The set of these slots."""
    if len(slots) < _MANY:
        bits = 0
        for slot in slots:
            bits |= 1 << slot
        return bits
    flags = bytearray(max(slots) + 1)
    for slot in slots:
        flags[slot] = 1
    return from_flags(flags)


def from_flags(flags: bytes | bytearray) -> int:
    """The set of the positions at which a 1 stands; all others hold a 0."""
    return int(flags[::-1].translate(_DIGITS), 2) if flags else 0


def slots_in(bits: int) -> Iterator[int]:
    """The slots of a set, the lowest first."""
    digits = bin(bits)[:1:-1]
    slot = digits.find("1")
    while slot >= 0:
        yield slot
        slot = digits.find("1", slot + 1)
