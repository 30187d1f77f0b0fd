"""Twilio's own description of TaskRouter, as a judge of what we answer.

The document is not part of this project: it is taken from `OPENAPI_TASKROUTER`, or from where it
lies beside the working copy. The few words of JSON Schema that it uses are checked here, and more
strictly than it asks: a field that it does not describe is a fault, and so is one that is missing.
"""

import datetime
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

_BESIDE = Path("../shared/reference/openapi/twilio_taskrouter_v1.json")
PATH = Path(os.environ.get("OPENAPI_TASKROUTER") or Path(__file__).parents[2] / _BESIDE)
_METHODS = ("get", "post", "delete")
#: Not described by the document, but what every JSON error of Twilio's has.
_ERROR = {"code", "message", "more_info", "status"}


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


def faults(method: str, path: str, status: int, content: bytes) -> list[str]:
    """What the document finds wrong with an answer; empty where there is no document."""
    if document() is None:
        return []
    if status >= 400:
        return _error_faults(status, json.loads(content))
    for pattern, _, item in _routes():
        if pattern.fullmatch(path) and method.lower() in item:
            return _answer_faults(item[method.lower()], status, content)
    return [f"{method} {path} is not described"]


def _error_faults(status: int, body: dict[str, Any]) -> list[str]:
    """What is wrong with a refusal: its shape is Twilio's, and says nothing beyond that."""
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
    return list(_value_faults("$", described["schema"], json.loads(content)))


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number": (int, float),
}


def _value_faults(place: str, schema: dict[str, Any], value: Any) -> list[str]:
    schema = _resolved(schema)
    if value is None:
        return [] if schema.get("nullable") or "type" not in schema else [f"{place} is null"]
    kinds = _TYPES.get(schema.get("type", ""))
    if kinds is not None and (
        not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
    ):
        return [f"{place} is {value!r}, not {schema['type']}"]
    if isinstance(value, dict):
        return _object_faults(place, schema, value)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [
            fault
            for index, member in enumerate(value)
            for fault in _value_faults(f"{place}[{index}]", items, member)
        ]
    return _scalar_faults(place, schema, value)


def _object_faults(place: str, schema: dict[str, Any], value: dict[str, Any]) -> list[str]:
    described = schema.get("properties")
    if not described:
        return []
    found = [f"{place}.{name} is not described" for name in value.keys() - described.keys()]
    found += [f"{place}.{name} is missing" for name in described.keys() - value.keys()]
    for name in value.keys() & described.keys():
        found += _value_faults(f"{place}.{name}", described[name], value[name])
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
    if form == "date-time":
        try:  # the form that Twilio's clients parse, and no other
            datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
        except ValueError:
            found.append(f"{place} is {value!r}, not a date and time")
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
