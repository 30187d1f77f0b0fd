r"""From text to tree: the grammar of expressions and nothing of their meaning.

    expression  =  conjunction { OR conjunction }
    conjunction =  condition { AND condition }
    condition   =  NOT condition  |  "(" expression ")"  |  operand operator operand
    operator    =  == | = | != | > | >= | < | <= | CONTAINS | HAS | >- | IN | <- | NOT IN
    operand     =  literal | list | reference
    literal     =  "text" | 'text' | number | true | false | null
    list        =  "[" [ literal { "," literal } ] "]"
    reference   =  name { "." name | "[" digits "]" }
    order       =  worker.path [ ASC | DESC ] { "," worker.path [ ASC | DESC ] }

Words of the language count in any case; after a dot every word is a name. A name is made of
letters, digits, `_` and `$` and does not begin with a digit, so it has no hyphen. In a text a
backslash takes the next character as it is, but for `\n \t \r \b \f` and `\uXXXX`, which mean what
they mean in JSON. `>-` directly before a digit is `>` and a negative number (`balance >-5`): read
as HAS it could hardly ever be true. The same goes for `<-`.

The parser descends once per parenthesis and NOT, chains of AND and OR are flat, and the limits
below are checked on the way down: no text can exhaust the stack, and time grows with the length.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, TypeAlias

from routing.errors import ExpressionError

#: Bytes of UTF-8, levels of parentheses and NOT, and parts (operators, operands, list elements):
#: what is evaluated against every worker must have a price that can be named.
MAX_BYTES = 65_536
MAX_DEPTH = 100
MAX_NODES = 1_000

#: What a comparison counts that has to look at every worker: CONTAINS, or one attribute beside
#: another. All others are decided by looking values up (routing/population), at a thirtieth of the
#: price; with this weight no text that is legal takes longer than another by much.
WALKING_NODES = 30

#: Names and indexes in one reference. JSON from outside is not nested deeper than this.
MAX_PATH = 100

#: A number that a double or a 64-bit integer can hold never needs more.
MAX_DIGITS = 30

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Literal:
    """A constant: written in the text, or an attribute's value that was bound into it.

    A list is a tuple; a bound attribute may hold objects and lists inside.
    """

    value: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The way to an attribute: names and zero-based indexes."""

    path: tuple[str | int, ...]

    @property
    def text(self) -> str:
        first, *rest = self.path
        return str(first) + "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest
        )


Operand: TypeAlias = Literal | Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two operands and an operator in its first spelling: `==`, never `=`; `HAS`, never `>-`."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, kw_only=True, slots=True)
class And:
    """True if all are; there are at least two."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Or:
    """True if one is; there are at least two."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Always:
    """A condition that no longer depends on anything. No text has it: it is left by binding."""

    value: bool


Node: TypeAlias = Comparison | Not | And | Or | Always


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderKey:
    """One key of an `order_by`: an attribute, and whether the largest value comes first."""

    reference: Reference
    descending: bool


def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError: what was expected, and where."""
    parser = _Parser(text)
    tree = parser.disjunction()
    parser.end("AND, OR or the end of the expression")
    return tree


def parse_reference(text: str, *, root: str) -> Reference:
    """The way to an attribute below `root`, and nothing else: `task.agent.sid`."""
    parser = _Parser(text)
    reference = parser.reference_below(root)
    parser.end("the end of the reference")
    return reference


def parse_order_by(text: str) -> tuple[OrderKey, ...]:
    """The keys of `worker.level DESC, worker.cost`, the most important first."""
    parser = _Parser(text)
    keys = [parser.order_key()]
    while parser.take(","):
        keys.append(parser.order_key())
    parser.end('"," or the end of the order')
    return tuple(keys)


class _Token(NamedTuple):
    kind: str  # "name", "number", "string", "end", or the mark or word of the language itself
    text: str
    start: int


_TOKEN = re.compile(
    r"""
      (?P<name>   (?:[^\W\d]|\$)[\w$]* )
    | (?P<number> -?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
    | (?P<string> "[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\]*+(?:\\.[^'\\]*+)*+' )
    | (?P<mark>   >-(?![0-9.]) | <-(?![0-9.]) | == | != | >= | <= | [=<>()\[\].,] )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_CODE_MARK = "\ud800"
#: Of a text that was made here, not of JSON from outside.
_text_of_json = json.JSONDecoder(strict=False).decode
_CODE = re.compile(_CODE_MARK + "[0-9a-fA-F]{4}")

_ALIASES = {"=": "==", ">-": "HAS", "<-": "IN"}
_WORDS = frozenset({"AND", "OR", "NOT", "HAS", "IN", "CONTAINS", "TRUE", "FALSE", "NULL"})
_OPERATORS = frozenset({"==", "!=", ">", ">=", "<", "<=", "CONTAINS", "HAS", "IN"})
_CONSTANTS: dict[str, Scalar] = {"TRUE": True, "FALSE": False, "NULL": None}
#: Longer findings are cut in messages.
_SHOWN = 40
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\b": "\b", "\\f": "\f"}


class _Parser:
    """One pass over one text; `_token` is the one being looked at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes = 0
        self._depth = 0
        self._check_text()
        self._token = self._scan(0)

    # --- what the three readers above ask for

    def disjunction(self) -> Node:
        operands = [self._conjunction()]
        while self.take("OR"):
            self._count()
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Or(operands=tuple(operands))

    def reference_below(self, root: str) -> Reference:
        start = self._token.start
        if self._token.kind != "name":
            self._refuse(f"expected {root}.<attribute>")
        reference = self._reference()
        if reference.path[0] != root or len(reference.path) == 1:
            self._refuse(f"expected {root}.<attribute>", start)
        return reference

    def order_key(self) -> OrderKey:
        reference = self.reference_below("worker")
        descending = False
        if self._token.kind == "name":
            direction = self._token.text.upper()
            if direction not in {"ASC", "DESC"}:
                self._refuse('expected ASC, DESC, "," or the end of the order')
            descending = direction == "DESC"
            self._advance()
        return OrderKey(reference=reference, descending=descending)

    def take(self, kind: str) -> bool:
        """True, and one token further, if the next token is of this kind."""
        if self._token.kind != kind:
            return False
        self._advance()
        return True

    def end(self, expected: str) -> None:
        if self._token.kind != "end":
            self._refuse(f"expected {expected}")

    # --- the grammar, rule by rule

    def _conjunction(self) -> Node:
        operands = [self._condition()]
        while self.take("AND"):
            self._count()
            operands.append(self._condition())
        return operands[0] if len(operands) == 1 else And(operands=tuple(operands))

    def _condition(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"expected at most {MAX_DEPTH} levels of parentheses and NOT")
        condition: Node
        if self.take("NOT"):
            self._count()
            condition = Not(operand=self._condition())
        elif self.take("("):
            condition = self.disjunction()
            self._expect(")", 'AND, OR or ")"')
        else:
            condition = self._comparison()
        self._depth -= 1
        return condition

    def _comparison(self) -> Comparison:
        left = self._operand('a value, an attribute, NOT or "("')
        operator = self._operator()
        self._count()
        right = self._operand(f"a value or an attribute after {operator}")
        if operator == "CONTAINS" or (isinstance(left, Reference) and isinstance(right, Reference)):
            self._count(WALKING_NODES - 3)
        return Comparison(operator=operator, left=left, right=right)

    def _operator(self) -> str:
        if self.take("NOT"):
            self._expect("IN", "IN after NOT")
            return "NOT IN"
        operator = self._token.kind
        if operator not in _OPERATORS:
            self._refuse("expected an operator (== != > >= < <= CONTAINS HAS IN or NOT IN)")
        self._advance()
        return operator

    def _operand(self, expected: str) -> Operand:
        self._count()
        if self._token.kind == "name":
            return self._reference()
        if self.take("["):
            return Literal(value=self._list())
        return Literal(value=self._literal(expected))

    def _list(self) -> tuple[Scalar, ...]:
        if self.take("]"):
            return ()
        elements = [self._element()]
        while self.take(","):
            elements.append(self._element())
        self._expect("]", '"," or "]"')
        return tuple(elements)

    def _element(self) -> Scalar:
        self._count()
        return self._literal("a text, a number, true, false or null")

    def _literal(self, expected: str) -> Scalar:
        token = self._token
        if token.kind == "string":
            value: Scalar = self._string(token)
        elif token.kind == "number":
            value = self._number(token)
        elif token.kind in _CONSTANTS:
            value = _CONSTANTS[token.kind]
        else:
            self._refuse(f"expected {expected}")
        self._advance()
        return value

    def _reference(self) -> Reference:
        path: list[str | int] = [self._token.text]
        self._advance()
        while self._token.kind in {".", "["}:
            if len(path) == MAX_PATH:
                self._refuse(f"expected at most {MAX_PATH} names and indexes")
            if self.take("."):
                path.append(self._name())
            else:
                self._advance()
                path.append(self._index())
                self._expect("]", '"]"')
        return Reference(path=tuple(path))

    def _name(self) -> str:
        token = self._token
        if token.kind != "name" and token.text.upper() not in _WORDS:
            self._refuse('expected a name after "."')
        self._advance()
        return token.text

    def _index(self) -> int:
        token = self._token
        if not (token.kind == "number" and token.text.isdecimal()):
            self._refuse("expected an index: 0, 1, 2, ...")
        index = self._number(token)
        self._advance()
        return int(index)

    # --- values

    def _number(self, token: _Token) -> int | float:
        if len(token.text) > MAX_DIGITS:
            self._refuse(f"expected a number of at most {MAX_DIGITS} digits")
        if token.text.lstrip("-").isdecimal():
            return int(token.text)
        number = float(token.text)
        if math.isinf(number):
            self._refuse("expected a number within the range of a double")
        return number

    def _string(self, token: _Token) -> str:
        inner = token.text[1:-1]
        if "\\" not in inner:
            return inner
        # Whole texts may be escapes: they are replaced kind by kind instead of one by one. Neither
        # U+0000 nor a lone surrogate is in a text, so both can mark places in it.
        value = inner.replace("\\\\", "\x00")
        for escape, character in _ESCAPES.items():
            value = value.replace(escape, character)
        value = value.replace("\\u", _CODE_MARK)
        if len(_CODE.findall(value)) != value.count(_CODE_MARK):
            self._refuse("expected four hexadecimal digits after \\u")
        value = value.replace("\\", "").replace("\x00", "\\")
        return self._decoded(value) if _CODE_MARK in value else value

    def _decoded(self, marked: str) -> str:
        """Each mark and the four digits behind it as the character they stand for."""
        # As JSON, which is read in a fraction of the time that looking at each mark takes.
        written = marked.replace("\\", "\\\\").replace('"', '\\"').replace(_CODE_MARK, "\\u")
        value: str = _text_of_json(f'"{written}"')
        try:  # two halves of a pair have become one character; half a pair is refused
            value.encode()
        except UnicodeEncodeError:
            self._refuse("expected no lone surrogate in a text")
        if "\x00" in value:
            self._refuse("expected no U+0000 in a text")
        return value

    # --- tokens and limits

    def _check_text(self) -> None:
        try:
            size = len(self._text.encode())
        except UnicodeEncodeError as error:
            self._refuse("expected no lone surrogate", error.start)
        if size > MAX_BYTES:
            self._refuse(f"expected at most {MAX_BYTES} bytes", 0)
        if "\x00" in self._text:
            self._refuse("expected no U+0000", self._text.index("\x00"))
        if not self._text.strip():
            self._refuse("expected an expression, the text is empty", 0)

    def _advance(self) -> None:
        self._token = self._scan(self._token.start + len(self._token.text))

    def _scan(self, position: int) -> _Token:
        position = _SPACE.match(self._text, position).end()  # type: ignore[union-attr]  # it may be empty
        if position == len(self._text):
            return _Token("end", "", position)
        match = _TOKEN.match(self._text, position)
        if match is None:
            self._refuse(_stray(self._text[position]), position)
        text = match[0]
        kind = str(match.lastgroup)
        if kind == "mark":
            kind = _ALIASES.get(text, text)
        elif kind == "name" and text.upper() in _WORDS:
            kind = text.upper()
        return _Token(kind, text, position)

    def _expect(self, kind: str, expected: str) -> None:
        if not self.take(kind):
            self._refuse(f"expected {expected}")

    def _count(self, parts: int = 1) -> None:
        self._nodes += parts
        if self._nodes > MAX_NODES:
            self._refuse(
                f"expected at most {MAX_NODES} operators, operands and list elements (CONTAINS, "
                f"and one attribute beside another, count {WALKING_NODES})"
            )

    def _refuse(self, expected: str, position: int | None = None) -> NoReturn:
        """Raise ExpressionError at `position`, or at the token being looked at."""
        if position is None:
            position = self._token.start
            found = self._token.text
            expected += f", found {_shown(found)}" if found else ", the text ends"
        line_start = self._text.rfind("\n", 0, position) + 1
        raise ExpressionError(
            expected,
            line=self._text.count("\n", 0, position) + 1,
            column=position - line_start + 1,
        )


def _stray(character: str) -> str:
    if character in "\"'":
        return f"expected a closing {character} to this text"
    if character == "-":
        return 'expected no "-": it cannot be part of a name, and there is no arithmetic'
    return f"expected no {_shown(character)}"


def _shown(text: str) -> str:
    """What was found, quoted and shortened to what a message can bear."""
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
