"""Twilio's own descriptions of its APIs, as judges of what we and the simulator answer.

The documents are not part of this project: each is taken from where its setting says, or from where
it lies beside the working copy. The few words of JSON Schema that they use are checked here, and
more strictly than they ask: a field that is not described is a fault, and so is one that is
missing.
"""

import datetime
import email.utils
import json
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

_BESIDE: Final = Path(__file__).parents[1] / "../shared/reference/openapi"
_METHODS: Final = ("get", "post", "delete")
#: Not described by the documents, but what every JSON error of Twilio's has.
_ERROR: Final = {"code", "message", "more_info", "status"}
#: The frame of a list; the voice API's is called absolute and shown relative: clients go by that.
_FRAME: Final = {
    "end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri", "start",
    "uri",
}  # fmt: skip
#: In no example, but in what was recorded of the voice API itself (a call of 2022).
_RECORDED: Final = {"annotation"}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "number": (int, float),
}


class Description:
    """One document."""

    def __init__(self, file: str, *, setting: str, examples_count: bool = False) -> None:
        """`setting` is the environment's name for its place. Where `examples_count`, what the
        example of an answer shows may be there though it is not described.
        """
        self.path = Path(os.environ.get(setting) or _BESIDE / file)
        self._examples_count = examples_count

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """None where there is none."""
        if not self.path.is_file():
            return None
        read: dict[str, Any] = json.loads(self.path.read_bytes())
        return read

    @cached_property
    def operations(self) -> dict[str, tuple[str, str]]:
        """{operationId: (method, path)} of the whole document."""
        return {
            operation["operationId"]: (method.upper(), path)
            for path, item in self._paths.items()
            for method in _METHODS
            if (operation := item.get(method))
        }

    @property
    def _paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = (self.document or {"paths": {}})["paths"]
        return paths

    @cached_property
    def _routes(self) -> list[tuple[re.Pattern[str], int, dict[str, Any]]]:
        routes = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path.count("{"), item)
            for path, item in self._paths.items()
        ]
        return sorted(routes, key=lambda route: route[1])

    def operation_of(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document says of that request; None where it says nothing."""
        for pattern, _, item in self._routes:
            if pattern.fullmatch(path) and method.lower() in item:
                found: dict[str, Any] = item[method.lower()]
                return found
        return None

    def parameters_of(self, method: str, path: str) -> set[str]:
        """The parameters that an operation takes in its form or query."""
        operation = self.operation_of(method, path) or {}
        form = operation.get("requestBody", {}).get("content", {})
        fields = form.get("application/x-www-form-urlencoded", {}).get("schema", {})
        query = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        return query | set(self._resolved(fields).get("properties", {}))

    def faults(self, method: str, path: str, status: int, content: bytes) -> list[str]:
        """What the document finds wrong with an answer; empty where there is no document."""
        if self.document is None:
            return []
        if status >= 400:
            return _error_faults(status, json.loads(content))
        operation = self.operation_of(method, path)
        if operation is None:
            return [f"{method} {path} is not described"]
        return self._answer_faults(operation, status, content)

    def _answer_faults(self, operation: dict[str, Any], status: int, content: bytes) -> list[str]:
        response = operation["responses"].get(str(status))
        if response is None:
            return [f"status {status} is not described"]
        described = response.get("content", {}).get("application/json")
        if described is None:
            return [f"a body where none is described: {content!r}"] if content else []
        shown = _Shown(described.get("examples", {})) if self._examples_count else _Shown(None)
        return self._value_faults("$", described["schema"], json.loads(content), shown)

    def _value_faults(
        self, place: str, schema: dict[str, Any], value: Any, shown: "_Shown"
    ) -> list[str]:
        schema = self._resolved(schema)
        if value is None:
            name = place.rpartition(".")[2]
            allowed = schema.get("nullable") or "type" not in schema or name in shown.nulls
            return [] if allowed else [f"{place} is null"]
        kinds = _TYPES.get(schema.get("type", ""))
        if kinds is not None and (
            not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        ):
            return [f"{place} is {value!r}, not {schema['type']}"]
        if isinstance(value, dict):
            return self._object_faults(place, schema, value, shown)
        if isinstance(value, list):
            items = schema.get("items", {})
            return [
                fault
                for index, member in enumerate(value)
                for fault in self._value_faults(f"{place}[{index}]", items, member, shown)
            ]
        if self._examples_count and place[2:] in _FRAME:
            return []
        return list(_scalar_faults(place, schema, value))

    def _object_faults(
        self, place: str, schema: dict[str, Any], value: dict[str, Any], shown: "_Shown"
    ) -> list[str]:
        described = schema.get("properties")
        if not described:
            return []
        unknown = value.keys() - described.keys() - shown.names
        found = [f"{place}.{name} is not described" for name in unknown]
        found += [f"{place}.{name} is missing" for name in described.keys() - value.keys()]
        for name in value.keys() & described.keys():
            found += self._value_faults(f"{place}.{name}", described[name], value[name], shown)
        return found

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        assert self.document is not None
        schemas = self.document["components"]["schemas"]
        resolved: dict[str, Any] = schemas[reference.rpartition("/")[2]]
        return resolved


class _Shown:
    """What the examples of an answer show: every name, and which of them may be null."""

    def __init__(self, examples: Any) -> None:
        self.names = set() if examples is None else set(_RECORDED)
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


def _error_faults(status: int, body: dict[str, Any]) -> list[str]:
    """What is wrong with a refusal: its shape is Twilio's, and says nothing beyond that."""
    if set(body) != _ERROR or body["status"] != status:
        return [f"error body {body}"]
    code, message = body["code"], body["message"]
    if not isinstance(code, int) or not isinstance(message, str) or not message:
        return [f"error code {code!r} with message {message!r}"]
    told = f"https://www.twilio.com/docs/errors/{code}"
    return [] if body["more_info"] == told else [f"more_info {body['more_info']!r}"]


def _scalar_faults(place: str, schema: dict[str, Any], value: Any) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r}, not one of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place} is {value!r}, not {schema['pattern']}"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield f"{place} is longer than {schema['maxLength']}"
    form = schema.get("format")
    if form in _FORMS and not _FORMS[form](value):
        yield f"{place} is {value!r}, not of the form {form}"


def _is_date_time(text: str) -> bool:
    """In the form that Twilio's clients parse, and no other."""
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        return False
    return True


def _is_date_of_rfc_2822(text: str) -> bool:
    parsed = email.utils.parsedate_tz(text)
    return parsed is not None and parsed[9] == 0 and text.endswith(" +0000")


def _is_absolute_or_empty(text: str) -> bool:
    return not text or re.match(r"https?://[^/]+", text) is not None


_FORMS: Final = {
    "date-time": _is_date_time,
    "date-time-rfc-2822": _is_date_of_rfc_2822,
    "uri": _is_absolute_or_empty,
}

taskrouter: Final = Description("twilio_taskrouter_v1.json", setting="OPENAPI_TASKROUTER")
voice: Final = Description("twilio_api_v2010.json", setting="OPENAPI_VOICE", examples_count=True)
