"""`GET /v1/openapi.json`: the door describes itself, from the parameters that its views read.

There is no second list: paths, parameters, types, bounds and defaults come from the operations and
their `Parameters` records. What Twilio has no such operation for is marked `x-extension`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from routing.api.operations import Operation
from routing.api.parameters import FORM, JSON, JSONParameters, Parameters, described_fields

Document = dict[str, Any]

_IN_PATH: Final = re.compile(r"<(\w+)>")
_TEXTS: Final = {"type": "string"}
#: How a parameter is read decides what a client may write, where it is not the type's own way.
_WRITTEN: Final[Mapping[str, Document]] = {
    "date-time": {"type": "string", "format": "date-time"},
    "truth": {"type": "boolean"},
}
_ERROR: Final = {
    "type": "object",
    "required": ["code", "message", "more_info", "status"],
    "properties": {
        "code": {"type": "integer", "description": "Twilio's number for what is wrong"},
        "message": {"type": "string", "description": "what is wrong, by the parameter's name"},
        "more_info": {"type": "string", "format": "uri"},
        "status": {"type": "integer", "description": "the HTTP status"},
    },
}


def described(operations: Iterable[Operation], public_url: str, prefix: str) -> Document:
    """The OpenAPI 3.1 document of these operations."""
    paths: dict[str, Document] = {}
    for operation in operations:
        path = prefix + _IN_PATH.sub(lambda found: f"{{{_pascal(found[1])}}}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": "1",
            "description": "TaskRouter v1 as its official clients know it. What is marked with "
            "x-extension is Tandem's own.",
        },
        "servers": [{"url": public_url.rstrip("/")}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Account SID and auth token, or an API key's SID and secret",
                }
            },
            "schemas": {"Error": _ERROR},
        },
    }


def _operation(operation: Operation) -> Document:
    names = _IN_PATH.findall(operation.path)
    parameters: list[Document] = [
        {"name": _pascal(name), "in": "path", "required": True, "schema": _TEXTS} for name in names
    ]
    if operation.has_version:
        meaning = "the ETag that the resource has to have; any, where it is left out"
        parameters.append(
            {"name": "If-Match", "in": "header", "description": meaning, "schema": _TEXTS}
        )
    told: Document = {"operationId": operation.name, "parameters": parameters}
    schemas, required = _schemas(operation.takes)
    if operation.method == "POST":
        form: Document = {"type": "object", "properties": schemas}
        if required:
            form["required"] = required
        kind = JSON if issubclass(operation.takes, JSONParameters) else FORM
        told["requestBody"] = {"required": bool(required), "content": {kind: {"schema": form}}}
    else:
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in schemas.items()
        ]
    told["responses"] = _responses(operation)
    if operation.is_extension:
        told["x-extension"] = True
    return told


def _responses(operation: Operation) -> Document:
    success: Document = {"description": "No Content" if operation.status == 204 else "OK"}  # noqa: PLR2004
    if operation.status != 204:  # noqa: PLR2004 - HTTP's No Content
        success["content"] = {operation.content_type: {}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(operation.status): success,
        "default": {"description": "What is wrong", "content": error},
    }


def _schemas(takes: type[Parameters]) -> tuple[dict[str, Document], list[str]]:
    """{name: schema} of what an operation takes, and the names that have to be there."""
    (_reference,), components = msgspec.json.schema_components([takes])
    [whole] = [found for name, found in components.items() if name == takes.__name__]
    schemas = {
        field.name: _schema(whole["properties"][field.name], field.reading)
        for field in described_fields(takes)
    }
    return schemas, list(whole.get("required", []))


def _schema(schema: Document, reading: str) -> Document:
    """The type's own schema; that nothing was given is said by leaving the parameter out."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    own = {**kinds[0]} if kinds else {**schema}
    if schema.get("default") is not None:
        own["default"] = schema["default"]
    written = _WRITTEN.get(reading)
    if written is not None:
        own = {**written, **{k: own[k] for k in ("description", "default") if k in own}}
    if "pattern" in own:
        own["pattern"] = own["pattern"].replace(r"(?!\n)", "")
    return own


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
