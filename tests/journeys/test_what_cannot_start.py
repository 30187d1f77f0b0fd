"""`serve` says all that is in the way at once, and its exit status says that it did not start."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from settings import WrongSettings, load

SID = "AC" + "1" * 32


def serve(folder: Path, **environment: str) -> tuple[int, str]:
    """The exit status and what was said."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO_", "DATABASE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "serve"],
        env=clean
        | {"INSTANCE_PATH": str(folder), "PORT": "0"}
        # Somebody may run it on this machine with the ports that it has by itself.
        | {"REALTIME_PORT": _free_port(), "SIMULATOR_PORT": _free_port()}
        | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    status, said = serve(
        tmp_path, PORT="eighty", SIMULATOR="maybe", DATABASE_URL="mysql://there", PUBLIC_URL="here"
    )
    assert status == 2
    assert {line.split(":")[0].strip() for line in said.splitlines()[1:]} == {
        "PORT",
        "SIMULATOR",
        "DATABASE_URL",
        "PUBLIC_URL",
    }


def test_every_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as other:
        ports = {}
        for name, taken in (("PORT", one), ("SIMULATOR_PORT", other)):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ports[name] = str(taken.getsockname()[1])
        status, said = serve(tmp_path, **ports)
    assert status == 2
    assert [line.partition(" (")[0] for line in said.splitlines()] == [
        f"{name}: cannot listen on 127.0.0.1:{port}" for name, port in ports.items()
    ]


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://[h/x", "postgresql://h:port/x"],
)
def test_what_can_be_no_database_is_named_with_all_else_that_is_wrong(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongSettings) as wrong:
        load({"DATABASE_URL": url, "PORT": "eighty", "INSTANCE_PATH": str(tmp_path)})
    names = [problem.partition(":")[0] for problem in wrong.value.problems]
    assert names == ["PORT", "DATABASE_URL"]


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    port = _free_port()
    url = f"sqlite:///{tmp_path}/no/such/folder/tandem.db"
    status, said = serve(tmp_path, PORT=port, SIMULATOR="off", DATABASE_URL=url)
    assert status == 2
    assert f"{tmp_path}/no/such/folder/tandem.db" in said


def test_every_mistake_of_a_call_flow_is_named(tmp_path: Path) -> None:
    document = tmp_path / "flow.toml"
    document.write_text('language = "en-US"\ngreting = "Hello"\n')
    status, said = serve(tmp_path, PORT=_free_port(), SIMULATOR="off", CALL_FLOW=str(document))
    assert status == 2
    assert "greting: is not known" in said
    assert "farewell.canceled: is missing" in said


def test_credentials_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first = load({"INSTANCE_PATH": str(tmp_path)})
    assert first.simulates
    assert load({"INSTANCE_PATH": str(tmp_path)}) == first
    mode = (tmp_path / "credentials.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_the_folder_that_is_made_for_the_database_is_nobody_elses(tmp_path: Path) -> None:
    load({"INSTANCE_PATH": str(tmp_path / "instance")})
    assert stat.S_IMODE((tmp_path / "instance").stat().st_mode) == 0o700


def test_an_account_switches_the_simulator_off(tmp_path: Path) -> None:
    account = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "secret"}
    settings = load({"INSTANCE_PATH": str(tmp_path)} | account)
    assert not settings.simulates
    assert settings.twilio_api_url == "https://api.twilio.com"
    assert load({"INSTANCE_PATH": str(tmp_path), "SIMULATOR": "on"} | account).simulates


@pytest.mark.parametrize("half", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"])
def test_half_of_an_account_is_refused(half: str, tmp_path: Path) -> None:
    value = SID if half.endswith("SID") else "secret"
    with pytest.raises(WrongSettings, match="since the other half of the credentials is set"):
        load({"INSTANCE_PATH": str(tmp_path), half: value})


def test_a_secret_is_not_shown_where_it_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings) as wrong:
        load(
            {
                "INSTANCE_PATH": str(tmp_path),
                "TWILIO_AUTH_TOKEN": "do not show this",
                "DATABASE_URL": "postgres://tandem:do not show this@127.0.0.1/tandem",
            }
        )
    assert "DATABASE_URL: expected" in str(wrong.value)
    assert "do not show this" not in str(wrong.value)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CALLBACK_FORMAT", "xml"),
        ("CALLBACK_ALLOW_PRIVATE", "everything"),
        ("CALLBACK_CONCURRENCY", "0"),
        ("CALLBACK_RETRY_HOURS", "-1"),
        ("CALLBACK_KEEP_HOURS", "a day"),
    ],
)
def test_wrong_settings_of_callbacks_are_named(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSettings, match=f"{name}: expected"):
        load({name: text, "INSTANCE_PATH": str(tmp_path)})


def test_callbacks_may_go_to_this_machine_while_the_simulator_stands_in(tmp_path: Path) -> None:
    folder = {"INSTANCE_PATH": str(tmp_path)}
    account = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "x"}
    assert load(folder).callback_allow_private == "loopback"
    assert load(folder | account).callback_allow_private == "none"
    assert load(folder | {"CALLBACK_ALLOW_PRIVATE": "none"}).callback_allow_private == "none"
