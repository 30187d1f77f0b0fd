"""Which addresses a callback may be sent to: those of the public Internet, and what is allowed.

A callback URL is chosen by whoever may change a Workspace, and our machine stands in networks that
they do not. So the address itself is judged, after the name was resolved and right before the
connection is made to it: every spelling of it (decimal, octal, IPv4 in IPv6), every redirect and
every later change of the name comes by here.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
#: {host name}: its addresses as text, in the order in which they are to be tried; raises OSError.
Resolve: TypeAlias = Callable[[str], Sequence[str]]

#: What the word in the settings stands for.
LOOPBACK: Final[tuple[Network, ...]] = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1/128"),
)
PRIVATE: Final[tuple[Network, ...]] = (
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_network("172.16.0.0/12"),
    ipaddress.ip_network("192.168.0.0/16"),
    ipaddress.ip_network("fc00::/7"),
)

#: IANA's special-purpose registries, beside what `ipaddress` calls private: the releases of Python
#: differ in what they know of them.
_SPECIAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "169.254.0.0/16",  # link-local: the clouds' metadata
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/8",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",  # link-local and the former site-local
        "ff00::/8",
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")


class Refused(Exception):
    """An address that a callback must not be sent to; the message tells which, and why."""


def resolve(host: str) -> Sequence[str]:
    """What the system says the name's addresses are; raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted(host: str, addresses: Sequence[str], allowed: Sequence[Network]) -> Sequence[str]:
    """Those of the addresses that may be connected to.

    Raises Refused where there are some, and none of them may.
    """
    good = [address for address in addresses if is_permitted(address, allowed)]
    if not good:
        shown = ", ".join(addresses[:3]) or "no address"
        raise Refused(f"{host} is {shown}, which callbacks are not sent to")
    return good


def is_permitted(text: str, allowed: Sequence[Network]) -> bool:
    """May a callback be sent to that address?"""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    meant = _meant(address)
    if any(
        each.version == network.version and each in network
        for each in {address, meant}
        for network in allowed
    ):
        return True
    return not (_is_special(address) if meant == address else _is_special(meant))


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it leads to one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and (address in _NAT64 or _is_compatible(address)):
        embedded = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address if embedded is None else embedded


def _is_compatible(address: ipaddress.IPv6Address) -> bool:
    """`::a.b.c.d`, but not `::` and `::1`."""
    return address in _COMPATIBLE and int(address) > 1


def _is_special(address: Address) -> bool:
    return (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or any(address.version == network.version and address in network for network in _SPECIAL)
    )


def networks(text: str) -> tuple[Network, ...]:
    """The networks that a list such as `loopback, 10.1.0.0/16` names; raises ValueError."""
    named: list[Network] = []
    for word in filter(None, (part.strip().lower() for part in text.split(","))):
        if word == "loopback":
            named += LOOPBACK
        elif word == "private":
            named += PRIVATE
        elif word != "none":
            named.append(ipaddress.ip_network(word))
    return tuple(named)
