"""The operators: each carries out one instruction at a time, and none of them looks for work.

One thread asks for all of them what is due. Where each asked for itself, all would wake for every
instruction, and all but one in vain; that costs those who answer webhooks in the same process.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from routing.call import Instruction
from routing.ports import Signal


class Operator:
    """One of them: a place for the instruction in hand. Its `step` runs in a thread of its own."""

    def __init__(self, board: "Switchboard", signal: Signal) -> None:
        self._board = board
        self._instruction: Instruction | None = None
        self.signal = signal

    def give(self, instruction: Instruction) -> None:
        """To be carried out now; to an operator who was engaged for it."""
        self._instruction = instruction
        self.signal.notify()

    def step(self) -> bool:
        """Carries out what is in hand; it never says that there is more."""
        instruction, self._instruction = self._instruction, None
        if instruction is not None:
            try:
                self._board.carry_out(instruction)
            finally:
                self._board.dismiss(self)
        return False


class Switchboard:
    """Who is free, and `step`, which gives them what is due."""

    def __init__(
        self,
        lease: Callable[[int], Sequence[Instruction]],
        carry_out: Callable[[Instruction], None],
        *,
        signals: Sequence[Signal],
        signal: Signal,
    ) -> None:
        """`lease` gets hold of so many instructions that are due, or fewer. One operator for each
        of the `signals`; `signal` wakes whoever calls `step`.
        """
        self._lease = lease
        self.carry_out = carry_out
        self.signal = signal
        self.operators = tuple(Operator(self, each) for each in signals)
        self._free = deque(self.operators)
        self._door = threading.Lock()
        #: `step` found nobody free, so that something due may have been left.
        self._is_missed = False

    def engage(self) -> Operator | None:
        """Somebody who is free, for an instruction that will be leased; None where all are busy."""
        with self._door:
            # Whoever was busy last has an open connection to Twilio.
            return self._free.pop() if self._free else None

    def dismiss(self, operator: Operator) -> None:
        """They are free again."""
        with self._door:
            self._free.append(operator)
            missed, self._is_missed = self._is_missed, False
        if missed:
            self.signal.notify()

    def step(self) -> bool:
        """Leases what is due and gives it to those who are free; True if there may be more."""
        with self._door:
            engaged = list(self._free)
            self._free.clear()
            self._is_missed = not engaged
        if not engaged:
            return False
        try:
            for instruction in self._lease(len(engaged)):
                engaged.pop().give(instruction)
            return not engaged
        finally:
            with self._door:
                self._free.extend(engaged)
