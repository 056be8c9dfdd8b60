"""Questions of lessons: their answers, computed by the engine, and the judgement of a guess."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from effviz.core.errors import look_up
from effviz.core.units import si
from effviz.lessons.answers import compute

_PLACE = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_DECIMALS = {"×": 2, "%": 1}
_NEAR = 0.05
"""Largest distance of a guess from a naive answer that explains it, as a share of the latter."""
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|(?:px|ms|[kMG]|[kKM]i?B|elements|classes|blocks|channels|points)\b)")
_POINTS = {"%": "percentage points", "points": "points"}
"""Units of an error by the unit of the number; the error of other numbers is in per cent."""


@dataclass(frozen=True)
class Form:
    """How a number is written.

    Attributes:
        unit: ``"×"``, ``"%"``, a noun, or empty.
        digits: decimals; ``"si"`` for a prefix; None for the usual number of the unit.
    """

    unit: str = ""
    digits: int | str | None = None

    @property
    def precise(self) -> Form:
        """The form with two more decimals, for worksheets; integers have none."""
        decimals = _DECIMALS.get(self.unit, 0) if self.digits is None else self.digits
        return Form(self.unit, decimals + 2) if isinstance(decimals, int) and decimals else self

    def show(self, value: float) -> str:
        """Write a number with its unit."""
        if self.digits == "si":
            return si(value, self.unit)
        decimals = _DECIMALS.get(self.unit, 0) if self.digits is None else int(self.digits)
        number = f"{value:,.{decimals}f}"
        return f"{number}{self.unit}" if self.unit == "×" else f"{number} {self.unit}".strip()

    def within(self, low: float, high: float) -> tuple[str, ...]:
        """Write the ends of an interval, rounded inward; one end if both are written alike, and none if it is empty."""
        if self.digits == "si":
            decimals = 2 - math.floor(math.log10(max(abs(low), abs(high)) or 1))
        else:
            decimals = _DECIMALS.get(self.unit, 0) if self.digits is None else int(self.digits)
        scale = 10.0**decimals
        first, last = math.ceil(low * scale - 1e-9) / scale, math.floor(high * scale + 1e-9) / scale
        return tuple(dict.fromkeys(map(self.show, (first, last)))) if first <= last else ()


@dataclass(frozen=True)
class Choice:
    """One option of a question.

    Attributes:
        text: of the option.
        reason: why it is right or wrong.
        value: formula of its number, for the questions "largest" and "smallest".
        above, below: the interval of the answer in which it is right, for the question "within".
    """

    text: str
    reason: str
    value: Mapping[str, Any] | None = field(default=None, hash=False)
    above: float = float("-inf")
    below: float = float("inf")


@dataclass(frozen=True)
class Naive:
    """A wrong answer that many students give.

    Attributes:
        value: formula of the number.
        reason: why it is wrong.
    """

    value: Mapping[str, Any] = field(hash=False)
    reason: str


@dataclass(frozen=True)
class Prediction:
    """A question that is answered before the instruments are shown.

    Attributes:
        question: with places such as ``[[phi]]`` for the given values.
        form: of the number.
        tolerance: of a correct number, in per cent of the answer.
        given: values of the question in the lesson.
        draw: values from which a worksheet takes others, by name.
        answer: formula of the number; None if the choices have their own.
        choices: empty for a number.
        right: which choice is right: ``"largest"``, ``"smallest"`` or ``"within"``.
        solution: explanation in the key of a worksheet, with places.
        naive: wrong answers with their own explanation. An answer that is closer to one of them than to the truth is
            not right, whatever the tolerance.
    """

    question: str
    form: Form
    tolerance: float
    given: Mapping[str, Any] = field(hash=False)
    draw: Mapping[str, Sequence[Any]] = field(hash=False)
    answer: Mapping[str, Any] | None = field(hash=False)
    choices: tuple[Choice, ...]
    right: str
    solution: str
    naive: tuple[Naive, ...] = ()

    def asked(self, given: Mapping[str, Any] | None = None) -> str:
        """Return the question with its values."""
        return fill(self.question, texts(self.given if given is None else given))

    def value(self, given: Mapping[str, Any] | None = None) -> float:
        """Compute the answer: the number, or the index of the right choice."""
        given = self.given if given is None else given
        if not self.choices:
            return compute(self.answer or {}, given)
        if self.right == "within":
            number = compute(self.answer or {}, given)
            return next(place for place, each in enumerate(self.choices) if each.above <= number < each.below)
        values = [compute(each.value or {}, given) for each in self.choices]
        return values.index(max(values) if self.right == "largest" else min(values))

    def show(self, value: float) -> str:
        """Write an answer or a guess: the number with its unit, or the text of the choice."""
        return self.choices[int(value)].text if self.choices else self.form.show(value)

    def error(self, guess: float) -> float:
        """Return the distance of a number from the answer, in per cent of the answer."""
        answer = self.value()
        return 100 * abs(guess - answer) / abs(answer) if answer else 100 * abs(guess)

    def signed_error(self, guess: float) -> tuple[float, str]:
        """Return how much a number exceeds the answer, and the unit: per cent, or points if both are percentages."""
        answer = self.value()
        if self.form.unit in _POINTS:
            return guess - answer, _POINTS[self.form.unit]
        return math.copysign(self.error(guess), guess - answer), "%"

    def distance(self, guess: float) -> str:
        """Describe the error of a number: ``22 % too low``; that of a percentage in percentage points."""
        error, unit = self.signed_error(guess)
        amount = f"{float(f'{abs(error):.2g}'):,.12g}" if unit == "%" else f"{abs(error):.3g}"
        return f"{amount} {unit} too {'low' if error < 0 else 'high'}"

    def correct(self) -> tuple[float, float]:
        """Return the lowest and the highest number that is right."""
        answer = self.value()
        room = abs(answer) * self.tolerance / 100 if answer else self.tolerance / 100
        halves = [(answer + each) / 2 for each in self.naive_values()]
        # A number in the middle between the answer and a naive one is wrong.
        inside = [half + 1e-6 * (answer - half) for half in halves]
        low = max([answer - room, *(half for half in inside if half < answer)])
        return low, min([answer + room, *(half for half in inside if half > answer)])

    def accepted(self) -> str:
        """Name the numbers that are right: ``7.5 % to 11.3 % count as correct``."""
        ends = self.form.within(*self.correct())
        return f"{' to '.join(ends or (self.show(self.value()),))} count{'' if len(ends) == 2 else 's'} as correct"

    def is_right(self, guess: float) -> bool:
        """Whether a choice is the right one, or a number is within the tolerance."""
        if self.choices:
            return int(guess) == int(self.value())
        # A guess that is written like the answer is right, too.
        if self.show(guess) == self.show(self.value()):
            return True
        away = abs(guess - self.value())
        return self.error(guess) <= self.tolerance and all(abs(guess - each) > away for each in self.naive_values())

    def naive_values(self) -> list[float]:
        """Compute the naive answers, in order."""
        return [compute(each.value, self.given) for each in self.naive]

    def hint(self, guess: float) -> str:
        """Explain a wrong guess that is close to a naive answer, with the value of that answer; otherwise empty."""
        naive = self.mistake(guess)
        if naive is None:
            return ""
        # The reason follows the size of the error, to which "that" could refer.
        value, what = self.show(compute(naive.value, self.given)), naive.reason.removeprefix("That is ")
        return f"{value} is {what}" if what != naive.reason else f"{value} is wrong: {what}"

    def mistake(self, guess: float) -> Naive | None:
        """Return the naive answer that a wrong guess is close to; None if it is close to none."""
        if self.choices or self.is_right(guess):
            return None
        near = [
            (abs(guess - value), each)
            for each, value in zip(self.naive, self.naive_values(), strict=True)
            if abs(guess - value) <= _NEAR * abs(value) or self.show(guess) == self.show(value)
        ]
        return min(near, key=lambda each: each[0])[1] if near else None


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace places such as ``[[phi]]``; a number and its unit stay in one line.

    Raises:
        DesignError: a place has no value.
    """
    filled = _PLACE.sub(lambda found: look_up("place", found[1], values), text)
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", filled)


def texts(given: Mapping[str, Any]) -> dict[str, str]:
    """Write the values of a question for its places."""
    written = {name: f"{value:g}" if isinstance(value, float) else _text(value) for name, value in given.items()}
    return {name: text.replace("-", "−") for name, text in written.items()}


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
