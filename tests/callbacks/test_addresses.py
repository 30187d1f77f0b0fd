"""No callback reaches an address that is not public, however it is written."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.background.callbacks.addresses import (
    LOOPBACK,
    Refused,
    is_permitted,
    networks,
    permitted,
)
from routing.background.callbacks.posting import HttpPoster, NeverPosted, NotPosted, wire_url
from tests.callbacks.receiver import Receiver, Reply

SPECIAL = [
    "0.0.0.0",  # noqa: S104 - to be refused
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.254",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "192.168.255.254",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
SPECIAL_V6 = [
    "::",
    "::1",
    "::2",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "100::1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "192.169.0.1",
    "100.128.0.1",
    "2606:4700::1111",
]


def spellings(address: str) -> list[str]:
    """One IPv4 address, as people who mean no good write it."""
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    return [
        address,
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(f"0{int(part):o}" for part in (a, b, c, d)),
        ".".join(hex(int(part)) for part in (a, b, c, d)),
        f"{a}.{b}.{int(c) * 256 + int(d)}",
        f"[::ffff:{address}]",
        f"[::ffff:{high}:{low}]",
        f"[64:ff9b::{high}:{low}]",
        f"[2002:{high}:{low}::]",
        f"[::{address}]",
    ]


ALL = [one for address in SPECIAL for one in spellings(address)]
ALL += [f"[{address.partition('%')[0]}]" for address in SPECIAL_V6]
ALL += ["0", "127.1", "localhost", "LOCALHOST", "localhost.", "user:pass@127.0.0.1", "127.0.0.1."]


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, list[socket.socket]]]:
    """Sockets on every address of this machine, of one port; whoever connects is seen."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.socket())
        first.bind(("0.0.0.0", 0))  # noqa: S104 - so that nobody connects unseen
        port = int(first.getsockname()[1])
        sockets = [first]
        with contextlib.suppress(OSError):
            sockets.append(stack.enter_context(socket.socket(socket.AF_INET6)))
            sockets[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sockets[-1].bind(("::", port))
        for each in sockets:
            each.listen(5)
            each.setblocking(False)
        yield port, sockets


def test_no_spelling_of_a_special_address_is_connected_to() -> None:
    assert len(ALL) > 300
    poster = HttpPoster()
    with listening() as (port, sockets):
        for host in ALL:
            with pytest.raises(NotPosted):
                poster.post(f"http://{host}:{port}/", body=b"", headers={}, seconds=5)
        for each in sockets:
            with pytest.raises(BlockingIOError):
                each.accept()


@pytest.mark.parametrize("address", SPECIAL + SPECIAL_V6)
def test_a_name_that_leads_to_a_special_address_is_refused(address: str) -> None:
    poster = HttpPoster(resolve=lambda _: [address])
    with pytest.raises(NeverPosted, match="callbacks are not sent to"):
        poster.post("http://innocent.example/", body=b"", headers={}, seconds=5)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert is_permitted(address, ())


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_all_its_ipv6_forms(
    address: ipaddress.IPv4Address,
) -> None:
    number = int(address)
    forms = (
        ipaddress.IPv6Address(0xFFFF_0000_0000 | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | number << 80),
    )
    for form in forms:
        assert is_permitted(str(form), ()) == is_permitted(str(address), ())


@given(st.text(alphabet="0129afx.:%/[]"))
def test_whatever_a_resolver_says_is_judged_or_refused(text: str) -> None:
    assert is_permitted(text, ()) in {True, False}


def test_of_several_addresses_only_the_permitted_are_used() -> None:
    mixed = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"]
    assert permitted("x.example", mixed, ()) == ["8.8.8.8", "2606:4700::1111"]
    assert permitted("x.example", mixed, LOOPBACK) == mixed[1:]
    with pytest.raises(Refused):
        permitted("x.example", [], ())


def test_networks_are_named_in_the_settings() -> None:
    allowed = networks("loopback, 10.1.0.0/16, private")
    assert is_permitted("127.0.0.1", allowed)
    assert is_permitted("::1", allowed)
    assert is_permitted("::ffff:127.0.0.1", allowed)
    assert is_permitted("192.168.1.1", allowed)
    assert not is_permitted("169.254.169.254", allowed)
    assert networks("none") == networks("") == ()
    assert is_permitted("10.1.2.3", networks("10.1.0.0/16"))
    assert not is_permitted("10.2.2.3", networks("10.1.0.0/16"))
    with pytest.raises(ValueError, match="does not appear"):
        networks("everything")


def test_a_name_that_changes_its_address_gains_nothing(receiver: Receiver) -> None:
    """Public when it is looked at, ours when it is connected to: there is only one look."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    looks: list[str] = []

    def rebinding(host: str) -> Sequence[str]:
        looks.append(host)
        return next(answers)

    poster = HttpPoster(resolve=rebinding)
    assert permitted("x", rebinding("x"), ()) == ["8.8.8.8"]
    with pytest.raises(NeverPosted):
        poster.post(receiver.url(host="x"), body=b"", headers={}, seconds=5)
    assert looks == ["x", "x"]
    assert receiver.received == []


def test_the_name_stays_that_of_the_receiver_while_the_address_is_the_judged_one(
    receiver: Receiver,
) -> None:
    poster = HttpPoster(allowed=LOOPBACK, resolve=lambda _: ["127.0.0.1"])
    url = wire_url(receiver.url(host="receiver.example"))
    assert poster.post(url, body=b"a=1", headers={}, seconds=5).status == 204
    assert receiver.received[0].headers["Host"].startswith("receiver.example:")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers("/events", Reply(status=307, headers={"Location": receiver.url("/inner")}))
    poster = HttpPoster(allowed=LOOPBACK)
    posted = poster.post(receiver.url(), body=b"", headers={}, seconds=5)
    assert (posted.status, posted.is_ok) == (307, False)
    assert [each.path for each in receiver.received] == ["/events"]


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    poster = HttpPoster(allowed=LOOPBACK)
    assert poster.post(receiver.url(), body=b"", headers={}, seconds=5).is_ok


def test_tls_is_asked_for_the_receivers_name_and_checks_its_certificate(tmp_path: Path) -> None:
    context, names = _tls_of_a_stranger(tmp_path)
    with _accepting(lambda sock: context.wrap_socket(sock, server_side=True).close()) as port:
        poster = HttpPoster(allowed=LOOPBACK, resolve=lambda _: ["127.0.0.1"])
        with pytest.raises(NotPosted, match="connection failed"):
            poster.post(f"https://receiver.example:{port}/", body=b"", headers={}, seconds=10)
    assert names == ["receiver.example"]


def _tls_of_a_stranger(folder: Path) -> tuple[ssl.SSLContext, list[str]]:
    """A server's TLS with a certificate that nobody vouches for; the names it was asked for."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=2100))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("receiver.example")]), False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "stranger.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "stranger.pem")
    names: list[str] = []

    def note(_sock: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        names.append(name or "")

    context.sni_callback = note
    return context, names


@contextlib.contextmanager
def _accepting(serve: Callable[[socket.socket], None], times: int = 1) -> Iterator[int]:
    """A server that treats each of the connections like this; its port."""

    def run() -> None:
        for _ in range(times):
            accepted, _ = server.accept()
            with accepted, contextlib.suppress(OSError):
                serve(accepted)

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        thread = threading.Thread(target=run)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join()


class TestTimeAndSize:
    """What a receiver may cost us, whatever it does."""

    poster = HttpPoster(allowed=LOOPBACK)

    def post(self, port: int, seconds: float = 0.3) -> None:
        self.poster.post(f"http://127.0.0.1:{port}/", body=b"x", headers={}, seconds=seconds)

    def test_an_answer_that_trickles_is_cut_off(self) -> None:
        over = threading.Event()

        def trickle(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.02):
                sock.sendall(b"X: y\r\n")

        with _accepting(trickle) as port:
            with pytest.raises(NotPosted, match=r"no answer within 0\.3 seconds"):
                self.post(port)
            over.set()

    def test_a_body_that_trickles_is_cut_off(self) -> None:
        over = threading.Event()

        def trickle(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not over.wait(0.02):
                sock.sendall(b"x")

        with _accepting(trickle) as port:
            with pytest.raises(NotPosted, match=r"no answer within 0\.3 seconds"):
                self.post(port)
            over.set()

    def test_silence_is_cut_off(self) -> None:
        over = threading.Event()
        with _accepting(lambda _: over.wait(20)) as port:  # type: ignore[arg-type]  # what it returns means nothing
            with pytest.raises(NotPosted, match=r"no answer within 0\.3 seconds"):
                self.post(port)
            over.set()

    def test_a_handshake_that_never_ends_is_cut_off(self) -> None:
        over = threading.Event()
        with _accepting(lambda _: over.wait(20)) as port:  # type: ignore[arg-type]  # what it returns means nothing
            with pytest.raises(NotPosted, match=r"no answer within 0\.3 seconds"):
                self.poster.post(f"https://127.0.0.1:{port}/", body=b"", headers={}, seconds=0.3)
            over.set()

    def test_an_endless_answer_is_read_to_its_limit(self) -> None:
        def pour(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                sock.sendall(b"x" * 10_000)

        with _accepting(pour) as port:
            posted = self.poster.post(f"http://127.0.0.1:{port}/", body=b"", headers={}, seconds=20)
        assert (len(posted.body), posted.is_whole) == (65_536, False)

    def test_a_connection_that_is_reset_is_a_failure(self) -> None:
        with (
            _accepting(lambda sock: sock.close()) as port,
            pytest.raises(NotPosted, match="connection failed"),
        ):
            self.post(port, seconds=20)

    def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(self) -> None:
        def once(sock: socket.socket) -> None:
            sock.recv(10_000)
            sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        with _accepting(once, times=3) as port:
            for _ in range(3):
                self.post(port, seconds=20)

    @pytest.mark.parametrize("url", ["", "nowhere", "ftp://x.example/", "http://", "http://x:y/"])
    def test_what_is_no_url_is_never_sent(self, url: str) -> None:
        with pytest.raises(NeverPosted):
            wire_url(url)
