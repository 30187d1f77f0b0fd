"""Every setting, as one frozen record. All that are wrong are named at once.

They come from the environment, and from `.env` where the environment is silent.
"""

import contextlib
import ipaddress
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from routing.background.callbacks.addresses import networks
from routing.errors import InvalidParameter
from routing.json_text import read_object
from routing.sids import API_KEY, TASK_QUEUE, WORKSPACE, is_sid
from routing.user import ROLES as USER_ROLES
from voice.tunnel import NoTunnel, url_of_tunnel

Value = TypeVar("Value")

AUTO: Final = "auto"
ON: Final = "on"
OFF: Final = "off"

ALL: Final = "all"
WEB: Final = "web"
FOLLOWERS: Final = "followers"
REALTIME: Final = "realtime"

#: In the instance folder: the SID and token that stand in for an account's.
CREDENTIALS: Final = "credentials.json"
#: In the instance folder: what seals secrets in the database, where no setting says it.
SECRET_KEY_FILE: Final = "secret_key"  # noqa: S105 - the name of a file

#: PUBLIC_URL: whatever the ngrok agent on this machine says.
NGROK: Final = "ngrok"

TWILIO_API: Final = "https://api.twilio.com"


class WrongSettings(Exception):
    """What is wrong, one line for each setting: its name, and what was expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _setting(default: Any, meaning: str, *, is_secret: bool = False) -> Any:
    return field(default=default, metadata={"meaning": meaning}, repr=not is_secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Field names are the settings' own, in lower case; `meaning` is what .env.example says."""

    host: str = _setting("127.0.0.1", "Address to listen on")
    port: int = _setting(8000, "Port of the web server: REST API and webhooks")
    realtime_port: int = _setting(8001, "Port of the realtime server")
    simulator_port: int = _setting(8002, "Port of the phone-network simulator")
    database_url: str = _setting(
        "", "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; empty: instance/tandem.db"
    )
    public_url: str = _setting(
        "", "How Twilio reaches this server; ngrok: ask the local agent; empty: http://HOST:PORT"
    )
    twilio_account_sid: str = _setting("", "Account SID (AC...); empty: no account, see SIMULATOR")
    twilio_auth_token: str = _setting("", "The account's auth token", is_secret=True)
    twilio_auth_token_previous: str = _setting(
        "", "A second token whose signatures are accepted, while you rotate", is_secret=True
    )
    twilio_api_key_sid: str = _setting(
        "", "API key of the account (SK...) for telephones in browsers; empty: there are none"
    )
    twilio_api_key_secret: str = _setting("", "The secret of that key", is_secret=True)
    tandem_secret_key: str = _setting(
        "",
        "Seals the secrets of API keys; 16 characters or more; empty: made once, in INSTANCE_PATH",
        is_secret=True,
    )
    twilio_account_tokens: tuple[tuple[str, str], ...] = _setting(
        (), "Tokens of sub-accounts whose numbers lead here: AC...=TOKEN,...", is_secret=True
    )
    twilio_shared_keys: tuple[tuple[str, str], ...] = _setting(
        (), "Shared keys that webhooks may be signed with: KEY=SECRET,...", is_secret=True
    )
    ngrok_api_url: str = _setting(
        "http://127.0.0.1:4040", "Where a local ngrok agent tells its tunnels; PUBLIC_URL=ngrok"
    )
    wrap_up_limits: tuple[tuple[str, int], ...] = _setting(
        (), "Longest after-work in seconds, by Workspace, TaskQueue or *: *=600,WQ...=120"
    )
    twilio_api_url: str = _setting("", "Where Twilio's REST API is; empty: Twilio or the simulator")
    simulator: str = _setting(
        AUTO, "auto: simulator while no account is set; on: always; off: never"
    )
    call_flow: str = _setting("call_flow.toml", "What a phone number does (TOML)")
    instance_path: str = _setting("instance", "Folder for the database and made-up credentials")
    rest_rate_limit: int = _setting(
        0, "Requests a second to the REST API with one set of credentials; 0: no limit"
    )
    task_retention_days: int = _setting(
        0, "Days after which Tasks that have ended are removed, with their Reservations; 0: never"
    )
    event_retention_days: int = _setting(0, "Days after which events are removed; 0: never")
    callback_format: str = _setting("form", "Event callbacks are written as: form or json")
    callback_allow_private: str = _setting(
        "",
        "Networks that callbacks may go to though they are not public, with commas between: "
        "loopback, private, 10.1.0.0/16, ...; none: none; "
        "empty: loopback while the simulator stands in, otherwise none",
    )
    callback_concurrency: int = _setting(16, "Callbacks sent to one receiver at the same time")
    callback_retry_hours: int = _setting(24, "Hours after which a callback is given up")
    callback_keep_hours: int = _setting(48, "Hours that callbacks which arrived can be looked into")
    web_threads: int = _setting(16, "Requests answered at the same time")
    role: str = _setting(
        ALL, "What runs here: all, or, with PostgreSQL, one of: web, followers, realtime"
    )
    statistics_days: int = _setting(
        3650, "How many days back statistics may be asked for (Twilio: 30)"
    )
    statistics_workers: int = _setting(
        100_000, "Most Workers of a Workspace for worker statistics (Twilio: 100)"
    )
    realtime_url: str = _setting(
        "", "How browsers reach the realtime server; empty: http://HOST:REALTIME_PORT"
    )
    session_idle_minutes: int = _setting(60, "Minutes without a request after which one is out")
    session_hours: int = _setting(12, "Hours after a sign-in until the next one is needed")
    openid_issuer: str = _setting(
        "", "OpenID Connect provider through which people may sign in; empty: none"
    )
    openid_client_id: str = _setting("", "What the provider calls this application")
    openid_client_secret: str = _setting("", "The application's secret there", is_secret=True)
    openid_label: str = _setting("OpenID", "What the button for it says")
    openid_scopes: str = _setting("openid profile email", "What the provider is asked for")
    openid_name_claim: str = _setting("email", "The claim that names the user")
    openid_worker_claim: str = _setting(
        "", "The claim that names the user's Worker; empty: the Worker named as the user"
    )
    openid_role_claim: str = _setting(
        "", "The claim that tells the role; empty: users have to be added before"
    )
    openid_roles: tuple[tuple[str, str], ...] = _setting(
        (), "Role for a value of that claim: VALUE=agent,VALUE=supervisor,VALUE=admin,..."
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")

    @property
    def has_made_up_credentials(self) -> bool:
        """Are SID and token our own invention, kept in the instance folder?"""
        kept = _kept_credentials(Path(self.instance_path, CREDENTIALS))
        return kept == (self.twilio_account_sid, self.twilio_auth_token)

    @property
    def simulates(self) -> bool:
        """Does the simulator stand in for Twilio?"""
        return self.simulator == ON

    @property
    def offers_demo(self) -> bool:
        """May people sign in by one click? Only where nobody but this machine's own can."""
        loopback = is_loopback(self.host) and is_loopback(urlsplit(self.public_url).hostname or "")
        return self.simulates and loopback


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, complete: derived ones filled in, credentials made if needed.

    `environment` replaces both the environment and `.env`. Raises WrongSettings.
    """
    if environment is None:
        given = {k: v for k, v in dotenv_values(".env").items() if v is not None}
        environment = given | dict(os.environ)
    reader = _Reader(environment)
    values: dict[str, Any] = {
        each.name: reader.read(each.name, each.default) for each in fields(Settings)
    }
    _fill_in(values, reader)
    if reader.problems:
        raise WrongSettings(reader.problems)
    return Settings(**values)


class _Reader:
    """Reads settings one by one and remembers what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def read(self, name: str, default: Any) -> Any:
        text = self._environment.get(name.upper(), "").strip()
        if not text:
            return default
        check = _CHECKS.get(name)
        if check is None:
            return text
        try:
            return check(text)
        except ValueError as error:
            self.refuse(name, str(error), text)
            return default

    def has(self, name: str) -> bool:
        """Was anything given for it, right or wrong?"""
        return bool(self._environment.get(name.upper(), "").strip())

    def refuse(self, name: str, expected: str, text: str | None = None) -> None:
        hidden = text is None or {"token", "secret"} & set(name.split("_"))
        # A URL may have a password before its @.
        shown = "" if hidden or "@" in str(text) else f", got {text!r}"
        self.problems.append(f"{name.upper()}: expected {expected}{shown}")


#: Where the first is set, the second has to be.
_BELONGING: Final = (
    ("openid_issuer", "openid_client_id"),
    ("openid_issuer", "openid_client_secret"),
    ("twilio_api_key_sid", "twilio_api_key_secret"),
)


def _fill_in(values: dict[str, Any], reader: _Reader) -> None:
    """What follows from other settings, and the checks that need more than one."""
    account, token = values["twilio_account_sid"], values["twilio_auth_token"]
    missing = "twilio_auth_token" if account else "twilio_account_sid"
    if bool(account) != bool(token) and not reader.has(missing):
        reader.refuse(missing, "a value, since the other half of the credentials is set")
    for first, name in _BELONGING:
        if values[first] and not reader.has(name):
            reader.refuse(name, f"a value, since {first.upper()} is set")
    _check_ports(values, reader)
    if not Path(values["call_flow"]).is_file():
        reader.refuse("call_flow", "the path of a TOML file", values["call_flow"])
    if not reader.problems:
        try:
            # The database lies there, with telephone numbers and the hashes of passwords.
            Path(values["instance_path"]).mkdir(mode=0o700, parents=True, exist_ok=True)
            _derive(values)
        except NoTunnel as error:
            reader.refuse("public_url", str(error))
        except (OSError, InvalidParameter, KeyError) as error:
            reader.refuse("instance_path", f"a folder of ours to write to ({error})")


def _check_ports(values: dict[str, Any], reader: _Reader) -> None:
    ports = {name: values[name] for name in ("port", "realtime_port", "simulator_port")}
    for name, port in ports.items():
        if list(ports.values()).count(port) > 1:
            reader.refuse(name, "a port of its own", str(port))


def _derive(values: dict[str, Any]) -> None:
    account = values["twilio_account_sid"]
    if values["simulator"] == AUTO:
        values["simulator"] = OFF if account else ON
    if not values["database_url"]:
        path = Path(values["instance_path"], "tandem.db").absolute()
        values["database_url"] = f"sqlite:///{path}"
    if not values["callback_allow_private"]:
        values["callback_allow_private"] = "loopback" if values["simulator"] == ON else "none"
    values["public_url"] = _derived_public_url(values)
    if not values["realtime_url"]:
        values["realtime_url"] = _local_url(values["host"], values["realtime_port"])
    if not values["twilio_api_url"]:
        simulated = _local_url(values["host"], values["simulator_port"])
        values["twilio_api_url"] = simulated if values["simulator"] == ON else TWILIO_API
    if not values["tandem_secret_key"]:
        values["tandem_secret_key"] = _made_up_secret_key(
            Path(values["instance_path"], SECRET_KEY_FILE)
        )
    if not account:
        made = _made_up_credentials(Path(values["instance_path"], CREDENTIALS))
        values["twilio_account_sid"], values["twilio_auth_token"] = made


def _derived_public_url(values: dict[str, Any]) -> str:
    if values["public_url"] == NGROK:
        return url_of_tunnel(values["ngrok_api_url"], values["port"])
    return str(values["public_url"] or _local_url(values["host"], values["port"]))


def _local_url(host: str, port: int) -> str:
    reachable = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared only
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def is_loopback(host: str) -> bool:
    """Does the name or address of a host mean this machine, and it alone?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _made_up_credentials(path: Path) -> tuple[str, str]:
    """A SID and token of our own, made once and kept for this machine's owner alone."""
    kept = _kept_credentials(path)
    if kept is not None:
        return kept
    account, token = "AC" + secrets.token_hex(16), secrets.token_hex(16)
    _keep(path, json.dumps({"account_sid": account, "auth_token": token}))
    return _kept_credentials(path) or (account, token)


def _made_up_secret_key(path: Path) -> str:
    """A secret key of our own, made once: what was sealed with it has to be readable tomorrow."""
    if not path.exists():
        _keep(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def _keep(path: Path, text: str) -> None:
    """Writes a file for its owner's eyes alone: all of it, or nothing if the process is killed.

    Where another process was faster, its file stays.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # of mode 600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()


def _kept_credentials(path: Path) -> tuple[str, str] | None:
    if not path.exists():
        return None
    kept = read_object(path.read_text(), parameter=str(path))
    return str(kept["account_sid"]), str(kept["auth_token"])


def _port(text: str) -> int:
    highest = 65_535
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= highest:
        raise ValueError(f"a port from 1 to {highest}")
    return int(text)


def _secret_key(text: str) -> str:
    fewest = 16
    if len(text) < fewest:
        raise ValueError(f"{fewest} characters or more")
    return text


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return check


def _networks(text: str) -> str:
    try:
        networks(text)
    except ValueError:
        raise ValueError("loopback, private, none, or networks such as 10.1.0.0/16") from None
    return text


def _one_of(*words: str, fold: Callable[[str], str] = str.lower) -> Callable[[str], str]:
    def check(text: str) -> str:
        if fold(text) not in words:
            raise ValueError(" or ".join(words))
        return fold(text)

    return check


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an unclosed bracket
        raise ValueError("http://HOST or https://HOST") from None
    if not whole:
        raise ValueError("http://HOST or https://HOST")
    if parts.query or parts.fragment:
        raise ValueError("a URL without ? and #")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    url = _url(text)
    if url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
        raise ValueError("https://HOST")
    return url


def _public_url(text: str) -> str:
    return text if text == NGROK else _url(text)


def _pairs(
    name_of: Callable[[str], str], value_of: Callable[[str], Any]
) -> Callable[[str], tuple[tuple[str, Any], ...]]:
    """NAME=VALUE, NAME=VALUE, ..."""

    def check(text: str) -> tuple[tuple[str, Any], ...]:
        found = []
        for pair in text.split(","):
            name, sign, value = pair.strip().partition("=")
            if not (name and sign and value):
                raise ValueError("NAME=VALUE,NAME=VALUE,...")
            found.append((name_of(name), value_of(value)))
        return tuple(found)

    return check


def _limited(text: str) -> str:
    if text != "*" and not (is_sid(text, WORKSPACE) or is_sid(text, TASK_QUEUE)):
        raise ValueError("*, the SID of a Workspace or that of a TaskQueue before each =")
    return text


def _seconds(text: str) -> int:
    longest = 86_400
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= longest:
        raise ValueError(f"seconds from 1 to {longest} after each =")
    return int(text)


def _database_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        kept = parts.scheme in {"postgresql", "postgresql+psycopg"} and parts.port != 0
    except ValueError:  # a port that is no number, an unclosed bracket
        kept = False
    # A database in memory would not survive, and its processes could not share it.
    if not kept and text.removeprefix("sqlite:///") in {text, "", ":memory:"}:
        raise ValueError("sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return text


def _key_sid(text: str) -> str:
    if not is_sid(text, API_KEY):
        raise ValueError("SK and 32 hex digits")
    return text


def _account_sid(text: str) -> str:
    digits = text[2:]
    wanted = 32
    if not text.startswith("AC") or len(digits) != wanted or set(digits) - set("0123456789abcdef"):
        raise ValueError("AC and 32 hex digits")
    return text


_CHECKS: dict[str, Callable[[str], Any]] = {
    "port": _port,
    "realtime_port": _port,
    "simulator_port": _port,
    "tandem_secret_key": _secret_key,
    "rest_rate_limit": _whole_number(0, 1_000_000),
    "task_retention_days": _whole_number(0, 36_500),
    "event_retention_days": _whole_number(0, 36_500),
    "web_threads": _whole_number(1, 1000),
    "statistics_days": _whole_number(1, 36_500),
    "statistics_workers": _whole_number(1, 10_000_000),
    "callback_format": _one_of("form", "json"),
    "callback_allow_private": _networks,
    "callback_concurrency": _whole_number(1, 64),
    "callback_retry_hours": _whole_number(1, 720),
    "callback_keep_hours": _whole_number(1, 720),
    "database_url": _database_url,
    "public_url": _public_url,
    "ngrok_api_url": _url,
    "twilio_account_tokens": _pairs(_account_sid, str),
    "twilio_shared_keys": _pairs(str, str),
    "realtime_url": _url,
    "session_idle_minutes": _whole_number(1, 10_080),
    "session_hours": _whole_number(1, 720),
    "openid_issuer": _issuer,
    "openid_roles": _pairs(str, _one_of(*USER_ROLES)),
    "wrap_up_limits": _pairs(_limited, _seconds),
    "twilio_api_url": _url,
    "twilio_account_sid": _account_sid,
    "twilio_api_key_sid": _key_sid,
    "simulator": _one_of(AUTO, ON, OFF),
    "role": _one_of(ALL, WEB, FOLLOWERS, REALTIME),
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR", fold=str.upper),
}
