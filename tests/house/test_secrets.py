"""Secrets are compared in the same time whatever is wrong: by `hmac.compare_digest`, and as bytes.

It refuses texts that are not ASCII, by an exception; what somebody sent may well be one.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house import tree

ROOMS = {"app.py", "commands", "desk", "routing", "voice"}
_SECRET = re.compile(
    r"(^|_)(auth|tokens?|secrets?|signatures?|passwords?|csrf|nonces?|digests?|hmac|state_text)(_|$)"
)
#: {file: comparisons that may stand there}: of what is computed from a token that has been proved,
#: and of two sealed texts, neither of which somebody has sent.
ALLOWED = {
    "routing/realtime/bulletin.py": {"bearer.digest in self._told"},
    "routing/realtime/feed.py": {"feed.digest == digest"},
    "routing/realtime/hub.py": {
        "opened.digest in self._evicted",
        "session.bearer.digest == bearer.digest",
    },
    "routing/store/signing_keys.py": {"remembered.sealed == key.sealed_secret"},
}


def compared(source: str) -> set[str]:
    """The comparisons of something with a secret's name by `==`, `!=` or `in`."""
    return {ast.unparse(node) for node in ast.walk(ast.parse(source)) if _is_of_secret(node)}


def _is_of_secret(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare):
        return False
    if not any(isinstance(one, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for one in node.ops):
        return False
    sides = (node.left, *node.comparators)
    if any(isinstance(side, ast.Constant) and not side.value for side in sides):
        return False  # is there any at all?
    return any(_SECRET.search(name) for side in sides for name in _last_names(side))


def _last_names(node: ast.expr) -> Iterator[str]:
    """What a value is called: the last name of it, or the key that it has in a mapping."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield str(node.slice.value)
    elif isinstance(node, ast.Call):
        yield from _last_names(node.func)
        yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def as_texts(source: str) -> set[str]:
    """What is handed to compare_digest and is not plainly bytes."""
    return {
        ast.unparse(argument)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("compare_digest")
        for argument in node.args
        if not _is_bytes(argument)
    }


def _is_bytes(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).endswith((".encode", ".digest"))
    return isinstance(node, ast.Name) and node.id == "given"


def _found(look: object) -> dict[str, set[str]]:
    assert callable(look)
    found = {
        path.as_posix(): look(tree.read(path))
        for path in tree.files("*.py")
        if path.parts[0] in ROOMS
    }
    return {path: pieces for path, pieces in found.items() if pieces}


def test_no_secret_is_compared_but_by_compare_digest() -> None:
    assert _found(compared) == ALLOWED


def test_secrets_are_compared_as_bytes() -> None:
    assert _found(as_texts) == {}


@pytest.mark.parametrize(
    "source",
    [
        "if settings.auth_token == offered: pass",
        "if offered in settings.auth_tokens: pass",
        "ok = request.headers['X-Twilio-Signature'.lower()] != self.signature(body)",
        "ok = kept['nonce'] == claims.get('nonce')",
    ],
)
def test_a_comparison_that_tells_by_its_time_is_seen(source: str) -> None:
    assert compared(source) != set()


def test_a_text_that_is_compared_is_seen() -> None:
    assert as_texts("hmac.compare_digest(kept['state'], request.args['state'])") != set()
    assert as_texts("hmac.compare_digest(kept.encode(), hmac.digest(a, b, 'sha256'))") == set()
