"""The public URL as a running ngrok agent tells it."""

import pytest
import requests
import responses

from voice.tunnel import NoTunnel, url_of_tunnel

API = "http://127.0.0.1:4040"


def tunnels(*found: tuple[str, str]) -> dict[str, object]:
    return {"tunnels": [{"public_url": url, "config": {"addr": addr}} for url, addr in found]}


@responses.activate
def test_the_tunnel_to_our_port_is_taken_and_https_before_http() -> None:
    answer = tunnels(
        ("https://other.ngrok.app", "http://localhost:9000"),
        ("http://mine.ngrok.app", "http://localhost:8000"),
        ("https://mine.ngrok.app/", "8000"),
    )
    responses.get(f"{API}/api/tunnels", json=answer)
    assert url_of_tunnel(API, 8000) == "https://mine.ngrok.app"


@responses.activate
@pytest.mark.parametrize(
    "answer",
    [
        {"json": tunnels(("https://other.ngrok.app", "http://localhost:9000"))},
        {"json": {"tunnels": []}},
        {"json": {"oops": 1}},
        {"body": "<html>"},
        {"body": requests.ConnectionError()},
    ],
)
def test_where_no_tunnel_leads_here_that_is_said(answer: dict[str, object]) -> None:
    responses.get(f"{API}/api/tunnels", **answer)
    with pytest.raises(NoTunnel, match="ngrok"):
        url_of_tunnel(API, 8000)
