"""Twilio's own description of its voice API, as a judge of what the simulator answers.

The document is not part of this project: it is taken from `OPENAPI_VOICE`, or from where it lies
beside the working copy. The few words of JSON Schema that it uses are checked here, and more
strictly than it asks: a field that it does not describe and shows in no example is a fault, and so
is one that is missing.
"""

import email.utils
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

_BESIDE = Path("../shared/reference/openapi/twilio_api_v2010.json")
PATH = Path(os.environ.get("OPENAPI_VOICE") or Path(__file__).parents[2] / _BESIDE)
_METHODS = ("get", "post", "delete")
#: Not described by the document, but what every JSON error of Twilio's has.
_ERROR = {"code", "message", "more_info", "status"}
#: In no example, but in what was recorded of the API itself (a call of 2022).
_RECORDED = {"annotation"}
#: The frame of a list; described as part of each.
_FRAME = {
    "end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri", "start",
    "uri",
}  # fmt: skip


@cache
def document() -> dict[str, Any] | None:
    """The document, or None where there is none."""
    if not PATH.is_file():
        return None
    read: dict[str, Any] = json.loads(PATH.read_bytes())
    return read


@cache
def operations() -> dict[str, tuple[str, str]]:
    """{operationId: (method, path)} of the whole document."""
    described = document() or {"paths": {}}
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in described["paths"].items()
        for method in _METHODS
        if (operation := item.get(method))
    }


@cache
def _routes() -> list[tuple[re.Pattern[str], int, dict[str, Any]]]:
    described = document() or {"paths": {}}
    routes = [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path.count("{"), item)
        for path, item in described["paths"].items()
    ]
    return sorted(routes, key=lambda route: route[1])


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of that request; None where it says nothing."""
    for pattern, _, item in _routes():
        if pattern.fullmatch(path) and method.lower() in item:
            found: dict[str, Any] = item[method.lower()]
            return found
    return None


def parameters_of(method: str, path: str) -> set[str]:
    """The parameters that an operation takes in its form or query."""
    operation = operation_of(method, path) or {}
    form = operation.get("requestBody", {}).get("content", {})
    fields = form.get("application/x-www-form-urlencoded", {}).get("schema", {})
    query = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
    return query | set(_resolved(fields).get("properties", {}))


def faults(method: str, path: str, status: int, content: bytes) -> list[str]:
    """What the document finds wrong with an answer; empty where there is no document."""
    if document() is None:
        return []
    if status >= 400:
        return _error_faults(status, json.loads(content))
    operation = operation_of(method, path)
    if operation is None:
        return [f"{method} {path} is not described"]
    return _answer_faults(operation, status, content)


def _error_faults(status: int, body: dict[str, Any]) -> list[str]:
    if set(body) != _ERROR or body["status"] != status:
        return [f"error body {body}"]
    code, message = body["code"], body["message"]
    if not isinstance(code, int) or not isinstance(message, str) or not message:
        return [f"error code {code!r} with message {message!r}"]
    told = f"https://www.twilio.com/docs/errors/{code}"
    return [] if body["more_info"] == told else [f"more_info {body['more_info']!r}"]


def _answer_faults(operation: dict[str, Any], status: int, content: bytes) -> list[str]:
    response = operation["responses"].get(str(status))
    if response is None:
        return [f"status {status} is not described"]
    described = response.get("content", {}).get("application/json")
    if described is None:
        return [f"a body where none is described: {content!r}"] if content else []
    shown = _Shown(described.get("examples", {}))
    return list(_value_faults("$", described["schema"], json.loads(content), shown))


class _Shown:
    """What the examples of an answer show: every name, and which of them may be null."""

    def __init__(self, examples: Any) -> None:
        self.names = set(_RECORDED)
        self.nulls: set[str] = set()
        self._look_at(examples)

    def _look_at(self, example: Any) -> None:
        members = example
        if isinstance(example, dict):
            self.names |= set(example)
            self.nulls |= {name for name, value in example.items() if value is None}
            members = example.values()
        if isinstance(example, list | dict):
            for member in members:
                self._look_at(member)


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number": (int, float),
}


def _value_faults(place: str, schema: dict[str, Any], value: Any, shown: _Shown) -> list[str]:
    schema = _resolved(schema)
    name = place.rpartition(".")[2]
    if value is None:
        allowed = schema.get("nullable") or "type" not in schema or name in shown.nulls
        return [] if allowed else [f"{place} is null"]
    kinds = _TYPES.get(schema.get("type", ""))
    if kinds is not None and (
        not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
    ):
        return [f"{place} is {value!r}, not {schema['type']}"]
    if isinstance(value, dict):
        return _object_faults(place, schema, value, shown)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [
            fault
            for index, member in enumerate(value)
            for fault in _value_faults(f"{place}[{index}]", items, member, shown)
        ]
    # The frame of a list is called absolute and shown relative; the clients go by what is shown.
    return _scalar_faults(place, schema if place[2:] not in _FRAME else {}, value)


def _object_faults(
    place: str, schema: dict[str, Any], value: dict[str, Any], shown: _Shown
) -> list[str]:
    described = schema.get("properties")
    if not described:
        return []
    unknown = value.keys() - described.keys() - shown.names
    found = [f"{place}.{name} is not described" for name in unknown]
    found += [f"{place}.{name} is missing" for name in described.keys() - value.keys()]
    for name in value.keys() & described.keys():
        found += _value_faults(f"{place}.{name}", described[name], value[name], shown)
    return found


def _scalar_faults(place: str, schema: dict[str, Any], value: Any) -> list[str]:
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} is {value!r}, not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place} is {value!r}, not {schema['pattern']}")
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        found.append(f"{place} is longer than {schema['maxLength']}")
    form = schema.get("format")
    if form == "date-time-rfc-2822":
        parsed = email.utils.parsedate_tz(value)
        if parsed is None or parsed[9] != 0 or not re.search(r" [+]0000$", value):
            found.append(f"{place} is {value!r}, not a date and time of RFC 2822")
    if form == "uri" and value and not re.match(r"https?://[^/]+", value):
        found.append(f"{place} is {value!r}, not an absolute URL")
    return found


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    described = document()
    assert described is not None
    resolved: dict[str, Any] = described["components"]["schemas"][reference.rpartition("/")[2]]
    return resolved
