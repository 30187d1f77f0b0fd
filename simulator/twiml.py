"""TwiML, read strictly: text -> verbs whose names, attributes and values are all known.

Where Twilio only warns (12200) and goes on as it pleases, the simulator refuses: an application
should hear of its mistake here, not from a caller. What is allowed stands in `vocabulary`.
"""

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from simulator.vocabulary import NOT_SIMULATED, SCHEMA_WARNING, SHAPES, VERBS, Shape

PARSE_FAILURE = 12100
TOO_LARGE = 11750
LARGEST_DOCUMENT = 64 * 1024  # bytes; Twilio's own limit
RESPONSE = Shape(attributes={}, children=VERBS)


class TwimlError(Exception):
    """The document cannot be followed. `code` is the number in Twilio's debugger."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclasses.dataclass(frozen=True, kw_only=True)
class Element:
    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple["Element", ...]

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.attributes.get(name)
        return default if value is None else value.lower() == "true"

    def number(self, name: str, default: int) -> int:
        value = self.attributes.get(name)
        return default if value is None else int(value)


def parse(text: str) -> tuple[Element, ...]:
    """The verbs of a document, in order. Raises TwimlError, which names what was wrong."""
    if len(text.encode()) > LARGEST_DOCUMENT:
        raise TwimlError(TOO_LARGE, "the document is longer than 64 kB")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TwimlError(PARSE_FAILURE, "a document type or entity is not allowed in TwiML")
    try:
        # Without a document type there are no entities to expand, and the length is bounded.
        root = ET.fromstring(text.strip())  # noqa: S314 - see the two checks above
    except ET.ParseError as error:
        raise TwimlError(PARSE_FAILURE, f"not XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(SCHEMA_WARNING, f"<{root.tag}> at the root, <Response> was expected")
    if root.attrib:
        raise TwimlError(SCHEMA_WARNING, "<Response> has no attributes")
    _refuse_text(root)
    return tuple(_element(child, RESPONSE, "Response") for child in root)


def _element(node: ET.Element, within: Shape, parent: str) -> Element:
    name = node.tag
    if name not in within.children:
        if name in NOT_SIMULATED:
            raise TwimlError(SCHEMA_WARNING, f"<{name}> is Twilio's, but it is not simulated")
        expected = ", ".join(within.children)
        message = f"<{name}> in <{parent}>; one of {expected} was expected"
        raise TwimlError(within.wrong_child, message)
    if name not in SHAPES:  # SSML inside <Say>: only its words matter
        return Element(name=name, attributes={}, text="".join(node.itertext()), children=())
    shape = SHAPES[name]
    _check_attributes(node, shape)
    if not shape.has_text:
        _refuse_text(node)
    text = "".join(node.itertext()) if name == "Say" else (node.text or "")
    return Element(
        name=name,
        attributes=dict(node.attrib),
        text=" ".join(text.split()) if name != "Task" else text.strip(),
        children=tuple(_element(child, shape, name) for child in node),
    )


def _check_attributes(node: ET.Element, shape: Shape) -> None:
    for name, value in node.attrib.items():
        rule = shape.attributes.get(name)
        if rule is None:
            expected = ", ".join(shape.attributes) or "none"
            message = f'<{node.tag}> has no attribute "{name}"; it knows: {expected}'
            raise TwimlError(SCHEMA_WARNING, message)
        if not rule.accepts(value):
            message = f'<{node.tag} {name}="{value}">: {rule.meaning} was expected'
            raise TwimlError(rule.code, message)


def _refuse_text(node: ET.Element) -> None:
    texts = [node.text or "", *(child.tail or "" for child in node)]
    if any(text.strip() for text in texts):
        raise TwimlError(SCHEMA_WARNING, f"text in <{node.tag}>, only elements were expected")
