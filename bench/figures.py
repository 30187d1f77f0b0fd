"""A measured figure, the bound it has to keep, and the baseline it was measured beside."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    #: What it was measured beside, for people.
    beside: str = ""

    @property
    def is_met(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def __str__(self) -> str:
        bound = ""
        if self.at_least is not None:
            bound = f"at least {self.at_least:g}"
        elif self.at_most is not None:
            bound = f"at most {self.at_most:g}"
        mark = "" if not bound else ("ok    " if self.is_met else "MISSED")
        beside = f"  [{self.beside}]" if self.beside else ""
        return f"{mark:6} {self.name:58} {self.value:9.2f} {self.unit:5} {bound}{beside}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)
