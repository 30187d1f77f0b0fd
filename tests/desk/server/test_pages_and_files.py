"""Pages and their files: who sees which, what a browser may load for them, how they are kept."""

import dataclasses
import gzip
from pathlib import Path

import flask
import pytest

from app import desk_settings
from desk.sessions import Visitors
from desk.settings import DeskSettings
from desk.shells import add_pages
from tests.desk.server.front import HERE, Browser, Front

SCRIPT = "console.log('a page of ours');\n" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves behind."""
    folder = tmp_path / "built"
    (folder / "chunks").mkdir(parents=True)
    (folder / "desk.js").write_text(SCRIPT)
    (folder / "desk.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "chunks" / "lit-ABCDEF12.js").write_text(SCRIPT)
    (folder / "desk.css").write_text("main {}")
    (tmp_path / "secret.txt").write_text("not for browsers")
    return folder


@pytest.fixture
def pages(front: Front, built: Path) -> Browser:
    """The front's pages alone, with these files, for the users of the front."""
    settings: DeskSettings = dataclasses.replace(desk_settings(front.settings), built=built)
    app = flask.Flask("pages")
    door = flask.Blueprint("pages", __name__)
    add_pages(door, settings, Visitors(front.engine, settings))
    app.register_blueprint(door)
    return Browser(app.test_client(), HERE)


def as_user(pages: Browser, front: Front, name: str) -> Browser:
    other = front.browser().demo(name)
    for cookie, value in other.cookies.items():
        pages._client.set_cookie(cookie, value, domain="127.0.0.1")
    return pages


@pytest.mark.parametrize("path", ["/desk", "/wall"])
def test_who_has_not_signed_in_is_sent_to_do_so_and_back(pages: Browser, path: str) -> None:
    answer = pages.open("GET", f"{path}?next=//evil.example")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/sign-in?next=%2F{path[1:]}"


def test_each_page_is_for_whom_it_is(pages: Browser, front: Front) -> None:
    assert pages.open("GET", "/").status_code == 200
    assert pages.open("GET", "/sign-in").status_code == 200
    alice = as_user(pages, front, "alice")
    assert alice.open("GET", "/desk").status_code == 200
    forbidden = alice.open("GET", "/wall")
    assert forbidden.status_code == 403
    assert "<script" in forbidden.text  # the page itself says so
    assert as_user(pages, front, "carol").open("GET", "/wall").status_code == 200


@pytest.mark.parametrize("path", ["/", "/sign-in", "/desk", "/wall"])
def test_a_page_may_load_and_reach_what_it_needs_and_nothing_else(
    pages: Browser, front: Front, path: str
) -> None:
    answer = as_user(pages, front, "carol").open("GET", path)
    rules = dict(
        rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "media-src": "'self' http://127.0.0.1:8002",
        "connect-src": "'self' http://127.0.0.1:8001 ws://127.0.0.1:8001 http://127.0.0.1:8002",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "lit-html",
    }
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"].startswith("microphone=(self)")
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.text
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") + page.count("<script type=")
    assert " on" not in "".join(part.split(">")[0] for part in page.split("<")[1:])


@pytest.mark.parametrize(
    "host",
    ["evil.example; script-src *", "a,b", "x'unsafe-inline'", "evil\\example", "[::1", "a b"],
)
def test_no_host_header_writes_into_the_policy(pages: Browser, host: str) -> None:
    answer = pages.open("GET", "/", headers={"Host": host})
    if answer.status_code == 200:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "evil" not in policy
        assert "unsafe" not in policy


def test_a_browser_elsewhere_is_told_where_the_others_are_as_it_sees_them(
    pages: Browser,
) -> None:
    policy = pages.open("GET", "/", headers={"Host": "tandem.lan:8000"}).headers[
        "Content-Security-Policy"
    ]
    assert "connect-src 'self' http://tandem.lan:8001 ws://tandem.lan:8001 " in policy


def test_files_are_packed_where_the_browser_unpacks_and_asked_for_anew(pages: Browser) -> None:
    plain = pages.open("GET", "/assets/desk.js")
    packed = pages.open("GET", "/assets/desk.js", headers={"Accept-Encoding": "br, gzip"})
    assert plain.text == SCRIPT
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data).decode() == SCRIPT
    for answer in (plain, packed):
        assert answer.mimetype in {"text/javascript", "application/javascript"}
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-cache" in answer.headers["Cache-Control"]
    assert plain.headers["ETag"] != packed.headers["ETag"]
    again = pages.open("GET", "/assets/desk.js", headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status_code == 304
    assert pages.open("GET", "/assets/desk.css").mimetype == "text/css"


def test_what_has_a_digest_in_its_name_is_kept_for_ever(pages: Browser) -> None:
    kept = pages.open("GET", "/assets/chunks/lit-ABCDEF12.js").headers["Cache-Control"]
    assert "immutable" in kept
    assert "max-age=31536000" in kept


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "chunks/../../secret.txt",
        "%2e%2e/secret.txt",
        "%2fetc%2fpasswd",
        "chunks",
        "desk.js.gz",
        "nothing.js",
        "a%00.js",
    ],
)
def test_nothing_but_what_was_built_is_served(pages: Browser, path: str) -> None:
    assert pages.open("GET", f"/assets/{path}").status_code == 404


def test_without_a_build_a_page_says_how_to_make_one_and_the_rest_runs(
    front: Front, pages: Browser, built: Path, tmp_path: Path
) -> None:
    built.rename(tmp_path / "elsewhere")
    answer = pages.open("GET", "/")
    assert answer.status_code == 503
    assert "make run" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert front.browser().look()["user"] is None
