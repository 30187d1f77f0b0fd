"""The index itself: workers come, change and go; expressions ask who of them match."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar, Final

from routing.expressions import Expression, references_in
from routing.memory import undisturbed
from routing.population.changes import REMEMBERED, Changes, Names
from routing.population.column import Column
from routing.population.evaluating import Path, evaluated, from_root

_NOBODY: dict[str, object] = {}
#: Workers who are asked what there is in the objects among their attributes.
_ASKED: Final = 200
#: Arrivals and departures, in the lists of changes.
_PRESENCE = None


@dataclass(slots=True, kw_only=True)
class _Answer:
    """Who matched at a moment of the changes."""

    expression: Expression
    root: str | None
    names: Names
    bits: int
    moment: int


class Population:
    """The workers' attributes, and which workers match which expression.

    `put` and `drop` cost the same however many expressions are remembered. An answer is brought up
    to date when it is asked for, by asking those workers alone of whom it reads something that
    changed.
    """

    #: Remembered answers at most, and the characters of their expressions altogether; those that
    #: were not asked for the longest are forgotten first, and cost a computation when asked again.
    most_answers: ClassVar[int] = 4096
    most_characters: ClassVar[int] = 8_388_608

    #: Attributes whose columns are kept, likewise. One of 15,000 different texts takes 3 MB, one of
    #: a few values takes 200 kB.
    most_columns: ClassVar[int] = 100

    def __init__(self) -> None:
        self._contexts: list[dict[str, object]] = []
        self._everybody = 0
        self._changes = Changes()
        #: How many workers have an attribute of that name.
        self._names: Counter[str] = Counter()
        #: Both: the one that was not used for the longest comes first.
        self._columns: dict[Path, tuple[Column, int]] = {}
        self._answers: OrderedDict[tuple[str, str | None], _Answer] = OrderedDict()
        self._characters = 0
        self._nothing = Column([])

    @property
    def everybody(self) -> int:
        """The slots that are in use."""
        return self._everybody

    def put(self, slot: int, context: Mapping[str, object]) -> None:
        """A worker came, or changed: attributes and built-ins, as JSON has them, by bare names.

        The context is kept, and must not be changed afterwards: put another one.
        """
        worker = context if isinstance(context, dict) else dict(context)
        self._contexts.extend([_NOBODY] * (slot + 1 - len(self._contexts)))
        before = self._contexts[slot]
        if self._everybody >> slot & 1:
            changed: list[str | None] = list(_differences(before, worker))
        else:
            changed = [_PRESENCE]
            self._everybody |= 1 << slot
        self._contexts[slot] = worker
        self._names.update(worker.keys() - before.keys())
        self._lose_names(before.keys() - worker.keys())
        if changed:
            self._changes.note(slot, changed)

    def drop(self, slot: int) -> None:
        """The worker is gone, and the slot empty; nothing happens if it was."""
        if not self._everybody >> slot & 1:
            return
        self._everybody &= ~(1 << slot)
        self._lose_names(self._contexts[slot].keys())
        self._contexts[slot] = _NOBODY
        self._changes.note(slot, [_PRESENCE])

    def matching(self, expression: Expression, *, root: str | None = None) -> int:
        """The slots whose worker meets the expression.

        With a `root`, the expression reads the worker below that name (`worker.level`), and
        whatever else it reads is missing.
        """
        key = (expression.key, root)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._answer(expression, root)
            self._characters += len(expression.key)
            self._forget_oldest()
        else:
            self._answers.move_to_end(key)
            if answer.moment != self._changes.moment:
                self._bring_up_to_date(answer)
        return answer.bits

    def meets(self, slot: int, expression: Expression, root: str | None = None) -> bool:
        """Does the worker of this slot meet the expression? False for an empty slot."""
        context = self._contexts[slot] if slot < len(self._contexts) else _NOBODY
        if context is _NOBODY:
            return False
        return expression.matches(context if root is None else {root: context})

    def columns(self, paths: Sequence[Path]) -> tuple[list[Column], Collection[int]]:
        """What all workers have at each of these places, and the slots of those who have changed
        since: of them it says nothing.
        """
        columns, behind = self._columns_of(dict.fromkeys(paths))
        return [columns[path] for path in paths], behind

    # --- what changed

    def _lose_names(self, names: Iterable[str]) -> None:
        for name in names:
            self._names[name] -= 1
            if not self._names[name]:
                del self._names[name]

    # --- answers

    def _forget_oldest(self) -> None:
        while len(self._answers) > self.most_answers or self._characters > self.most_characters:
            (text, _root), _answer = self._answers.popitem(last=False)
            self._characters -= len(text)

    def _answer(self, expression: Expression, root: str | None) -> _Answer:
        """Asks everybody, by columns."""
        question = from_root(expression, root)
        paths = {reference.path for reference in references_in(question.tree)}
        names = (_PRESENCE, *dict.fromkeys(str(path[0]) for path in paths))
        columns, behind = self._columns_of(paths)
        bits = evaluated(question.tree, self._everybody, columns)
        answer = _Answer(
            expression=expression,
            root=root,
            names=names,
            bits=bits,
            moment=self._changes.moment,
        )
        if behind:
            self._ask(answer, behind)
        return answer

    def _bring_up_to_date(self, answer: _Answer) -> None:
        """Asks those again who changed since; everybody if they are too many."""
        changed = self._changes.since(answer.moment, answer.names)
        if changed is None:
            anew = self._answer(answer.expression, answer.root)
            answer.bits = anew.bits
        elif changed:
            self._ask(answer, changed)
        answer.moment = self._changes.moment

    def _ask(self, answer: _Answer, slots: Iterable[int]) -> None:
        """Sets these workers' bits as the expression itself says."""
        matches, root, bits = answer.expression.matches, answer.root, answer.bits
        for slot in slots:
            context = self._contexts[slot]
            belongs = context is not _NOBODY and matches(
                context if root is None else {root: context}
            )
            if belongs is not bool(bits >> slot & 1):
                bits ^= 1 << slot
        answer.bits = bits

    # --- columns

    def _columns_of(self, paths: Iterable[Path]) -> tuple[dict[Path, Column], set[int]]:
        """The columns of these attributes, and the workers who changed since one was made."""
        with undisturbed():  # it would look at all that every worker has
            if not self._columns:
                self._make_the_common_columns()
            columns, behind = self._found_columns(paths)
            if len(behind) > REMEMBERED:
                for path in columns:
                    self._columns.pop(path, None)
                columns, behind = self._found_columns(columns)
        while len(self._columns) > self.most_columns:
            del self._columns[next(iter(self._columns))]
        return columns, behind

    def _found_columns(self, paths: Iterable[Path]) -> tuple[dict[Path, Column], set[int]]:
        columns: dict[Path, Column] = {}
        behind: set[int] = set()
        reading = _Reading(self._contexts)
        for path in paths:
            columns[path], changed = self._column(path, reading)
            behind.update(changed)
        return columns, behind

    def _make_the_common_columns(self) -> None:
        """Those of the attributes that most workers have, all at once at the beginning.

        Otherwise the first expression that reads many of them would be kept waiting for all.
        """
        most = self.most_columns // 2
        common: list[Path] = [(name,) for name, _count in self._names.most_common(most)]
        common += _within(self._contexts[:: len(self._contexts) // _ASKED + 1])
        reading = _Reading(self._contexts)
        for path in common[:most]:
            self._column(path, reading)[0].derive()

    def _column(self, path: Path, reading: "_Reading") -> tuple[Column, Collection[int]]:
        """A column, and the workers whom it shows as they were before."""
        known = self._columns.pop(path, None)
        if known is not None:
            changed = self._changes.since(known[1], (_PRESENCE, str(path[0])))
            if changed is not None:
                self._columns[path] = known
                return known[0], changed
        if path[0] not in self._names:
            return self._nobody_has_it(), ()
        column = Column(reading.values(path))
        self._columns[path] = (column, self._changes.moment)
        return column, ()

    def _nobody_has_it(self) -> Column:
        if self._nothing.size != len(self._contexts):
            self._nothing = Column([None] * len(self._contexts))
        return self._nothing


def _within(some: Iterable[Mapping[str, object]]) -> list[Path]:
    """What most of these workers have in an object, the commonest first."""
    counts = Counter[Path](
        (name, inner)
        for worker in some
        for name, value in worker.items()
        if isinstance(value, dict)
        for inner in value
    )
    return [path for path, _count in counts.most_common()]


class _Reading:
    """Reads what every worker has, place by place; what lies above several of them, once.

    To go from worker to worker through all of the memory takes longer than all else about a column.
    """

    def __init__(self, contexts: Sequence[object]) -> None:
        self._known: dict[Path, Sequence[object]] = {(): contexts}

    def values(self, path: Path) -> Sequence[object]:
        """What every worker has there, by slot; None where there is nothing."""
        for end in range(1, len(path) + 1):
            if path[:end] not in self._known:
                self._known[path[:end]] = _below(self._known[path[: end - 1]], path[end - 1])
        return self._known[path]


def _below(values: Sequence[Any], part: str | int) -> list[object]:
    if isinstance(part, int):
        return [_element(value, part) for value in values]
    try:
        return list(map(itemgetter(part), values))  # mostly, everybody has it
    except (KeyError, TypeError):
        return [value.get(part) if isinstance(value, dict) else None for value in values]


def _element(value: object, index: int) -> object:
    return value[index] if isinstance(value, list) and index < len(value) else None


def _differences(before: dict[str, object], after: dict[str, object]) -> Iterable[str]:
    """The names whose values an expression could tell apart."""
    for name, value in after.items():
        if not _is_same(before.get(name), value):
            yield name
    for name in before.keys() - after.keys():
        yield name


def _is_same(before: object, after: object) -> bool:
    if before is after:
        return True
    # Python holds True == 1, inside of arrays and objects too.
    return (
        before.__class__ is after.__class__
        and before == after
        and (not isinstance(after, list | dict) or repr(before) == repr(after))
    )
