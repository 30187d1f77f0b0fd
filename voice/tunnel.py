"""How Twilio reaches this machine: asked of the ngrok agent that runs on it, by its local API.

Never taken from a request: whoever writes a header could choose what is signed.
"""

from urllib.parse import urlsplit

import requests

TIMEOUT_SECONDS = 3.0


class NoTunnel(Exception):
    """No agent, or none of its tunnels leads to this server; the message says what was expected."""


def url_of_tunnel(api_url: str, port: int) -> str:
    """The public URL of the tunnel to that port of this machine, https before http.

    Raises NoTunnel.
    """
    session = requests.Session()
    session.trust_env = False
    try:
        answer = session.get(f"{api_url.rstrip('/')}/api/tunnels", timeout=TIMEOUT_SECONDS)
        tunnels = answer.json()["tunnels"]
        found = [
            str(tunnel["public_url"])
            for tunnel in tunnels
            if _port_of(str(tunnel["config"]["addr"])) == port
        ]
    except (requests.RequestException, ValueError, LookupError, TypeError):
        raise NoTunnel(f"a running ngrok agent, and none answers at {api_url}") from None
    finally:
        session.close()
    if not found:
        raise NoTunnel(f"an ngrok tunnel to port {port}; start one by `ngrok http {port}`")
    return max(found, key=lambda url: url.startswith("https://")).rstrip("/")


def _port_of(address: str) -> int | None:
    """The port in what the agent calls an address: http://localhost:8000, or 8000."""
    return urlsplit(address if "//" in address else f"//localhost:{address}").port
