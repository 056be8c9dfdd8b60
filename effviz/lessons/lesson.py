"""Lessons as data: `assets/lessons/*.yaml`, checked and read into frozen records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, look_up
from effviz.core.units import si
from effviz.lessons import schema
from effviz.lessons.answers import compute
from effviz.lessons.goals import Goal, goal_of
from effviz.lessons.subjects import packed

_PACKAGE = Path(__file__).resolve().parents[1]
# The wheel stores the files of the top level in `effviz/_app`, see pyproject.toml.
_SHIPPED, _CHECKOUT = (folder / "assets" / "lessons" for folder in (_PACKAGE / "_app", _PACKAGE.parent))
FOLDER = _SHIPPED if _SHIPPED.is_dir() else _CHECKOUT
"""The folder of the lessons' files."""
PAGES = sorted(path.stem for path in (FOLDER.parents[1] / "pages").glob("*.py"))
"""The pages on which a step can be played."""
ORDER = ("compound_scaling", "mobilenet", "latency", "design")
"""Names of the lessons that ship, in the order of a course."""
_PLACE = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_DECIMALS = {"×": 2, "%": 1}
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|(?:px|ms|[kMG]|[kKM]i?B|elements|classes|blocks|channels|points)\b)")


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

    def asked(self, given: Mapping[str, Any] | None = None) -> str:
        """Return the question with its values."""
        return fill(self.question, _texts(self.given if given is None else given))

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

    def distance(self, guess: float) -> str:
        """Describe the error of a number: ``22 % too low``; that of a percentage in percentage points."""
        answer = self.value()
        word = "low" if guess < answer else "high"
        if self.form.unit == "%":
            return f"{abs(guess - answer):.3g} percentage points too {word}"
        return f"{float(f'{self.error(guess):.2g}'):,.12g} % too {word}"

    def is_right(self, guess: float) -> bool:
        """Whether a choice is the right one, or a number is within the tolerance."""
        if self.choices:
            return int(guess) == int(self.value())
        # A guess that is written like the answer is right, too.
        return self.error(guess) <= self.tolerance or self.show(guess) == self.show(self.value())


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes:
        name: the same in all versions of the lesson: answers are stored under it.
        title: a few words.
        minutes: planned time.
        text: the idea, in Markdown with KaTeX.
        page: `url_path` of the page on which it is played.
        state: URL parameters of the page; None to keep what the visitor has built.
        keeps: whether what the visitor has built in the step before takes precedence over the state.
        look: what to look at.
        prediction: None for a step without a question.
        sheet: question of the worksheets; None without one. It is another one if the prediction has one answer only.
        explanation: after the answer.
        goal: what to build; None without one.
        hide: keys of controls that are not shown.
        lock: keys of controls that are disabled.
        teacher: notes for the teacher.
    """

    name: str
    title: str
    minutes: int
    text: str
    page: str
    state: Mapping[str, str] | None = field(hash=False)
    keeps: bool
    look: str
    prediction: Prediction | None
    sheet: Prediction | None
    explanation: str
    goal: Goal | None
    hide: frozenset[str]
    lock: frozenset[str]
    teacher: str


@dataclass(frozen=True)
class Lesson:
    """A lesson of 35 to 45 minutes.

    Attributes:
        name: of the file, and in links.
        title, summary: on the list of lessons.
        minutes: sum of the steps.
        learn: what a student can do afterwards.
        notes: for the teacher, paragraphs.
        mistakes: common mistakes with their answers.
        questions: further questions with their answers.
        steps: in order.
    """

    name: str
    title: str
    summary: str
    minutes: int
    learn: tuple[str, ...]
    notes: tuple[str, ...]
    mistakes: tuple[tuple[str, str], ...]
    questions: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...] = field(hash=False)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace places such as ``[[phi]]``; a number and its unit stay in one line.

    Raises:
        DesignError: a place has no value.
    """
    filled = _PLACE.sub(lambda found: look_up("place", found[1], values), text)
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", filled)


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: f"{value:g}" if isinstance(value, float) else _text(value) for name, value in given.items()}
    return {name: text.replace("-", "−") for name, text in texts.items()}


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


@remembered
def lesson(name: str) -> Lesson:
    """Return a lesson by its name.

    Raises:
        UnknownNameError: there is no such lesson.
        LessonError: its file is broken.
    """
    look_up("lesson", name, dict.fromkeys(ORDER))
    return read(FOLDER / f"{name}.yaml")


def read(path: Path) -> Lesson:
    """Read and check a lesson's file; its numbers are computed.

    Raises:
        LessonError: the file, a step or a field is broken.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise schema.broken(path.name, "", "", " ".join(str(error).split())) from None
    schema.check(path.name, content)
    steps: list[Step] = []
    for entry in content["steps"]:
        if any(entry["name"] == each.name for each in steps):
            raise schema.broken(path.name, entry["name"], "name", "another step has the same name")
        if entry["page"] not in PAGES:
            problem = f"{entry['page']!r} is unknown. Choices: {', '.join(PAGES)}"
            raise schema.broken(path.name, entry["name"], "page", problem)
        steps.append(_Reader(path.name, entry).step())
    minutes = sum(step.minutes for step in steps)
    if minutes != content["minutes"]:
        raise schema.broken(path.name, "", "minutes", f"{content['minutes']}, but the steps take {minutes} minutes")
    return Lesson(
        path.stem, content["title"], content["summary"], content["minutes"], tuple(content["learn"]),
        tuple(content["notes"]),
        tuple((each["mistake"], each["answer"]) for each in content.get("mistakes", [])),
        tuple((each["question"], each["answer"]) for each in content["questions"]), tuple(steps),
    )  # fmt: skip


class _Reader:
    """One entry of `steps`; an error of the engine names the file, the step and the field."""

    def __init__(self, file: str, entry: Mapping[str, Any]) -> None:
        self._file, self._entry = file, entry
        self._values: dict[str, str] = {}

    def step(self) -> Step:
        """Return the step, with its numbers in the texts and its answer tried."""
        entry = self._entry
        for name, formula in entry.get("numbers", {}).items():
            self._values[name] = self._tried(f"numbers.{name}", lambda formula=formula: _number(formula))
        prediction = self._prediction("prediction")
        if prediction is not None:
            self._values |= {"answer": prediction.show(prediction.value()), **_texts(prediction.given)}
        state = entry.get("state")
        goal = entry.get("goal")
        return Step(
            entry["name"], entry["title"], entry["minutes"], self._text("text"), entry["page"],
            None if state is None else {key: self._parameter(key, value) for key, value in state.items()},
            entry.get("keep", state is None),
            self._text("look"), prediction, self._prediction("worksheet") or prediction, self._text("explanation"),
            None if goal is None else self._tried("goal", lambda: goal_of(goal)),
            frozenset(entry.get("hide", [])), frozenset(entry.get("lock", [])), self._text("teacher"),
        )  # fmt: skip

    def _prediction(self, name: str) -> Prediction | None:
        entry = self._entry.get(name)
        if entry is None:
            return None
        drawn = {each: _range(values) for each, values in entry.get("draw", {}).items()}
        choices = tuple(Choice(**each) for each in entry.get("choices", []))
        made = Prediction(
            entry["question"], Form(entry.get("unit", ""), entry.get("digits")), entry.get("tolerance", 5.0),
            entry.get("given") or {each: values[0] for each, values in drawn.items()}, drawn,
            entry.get("answer"), choices, entry.get("right", ""), entry.get("solution", ""),
        )  # fmt: skip
        self._check_choices(made)
        self._tried(f"{name}.question", made.asked)
        self._tried(name, made.value)
        return made

    def _check_choices(self, made: Prediction) -> None:
        if not made.choices:
            if made.answer is None:
                raise self._broken("prediction", "needs an answer or choices")
            return
        if not made.right:
            raise self._broken("prediction.right", "is missing")
        if made.right == "within":
            if made.answer is None:
                raise self._broken("prediction.answer", "is missing")
            number = self._tried("prediction.answer", lambda: compute(made.answer or {}, made.given))
            if sum(each.above <= number < each.below for each in made.choices) != 1:
                raise self._broken("prediction.choices", f"not exactly one contains {number:g}")
        elif any(each.value is None for each in made.choices):
            raise self._broken("prediction.choices", f"{made.right}: every choice needs a value")

    def _parameter(self, key: str, value: Any) -> str:
        return value if isinstance(value, str) else str(self._tried(f"state.{key}", lambda: packed(value)))

    def _text(self, name: str) -> str:
        text = self._entry.get(name, "")
        return str(self._tried(name, lambda: fill(text, self._values)))

    def _tried(self, name: str, make: Any) -> Any:
        try:
            return make()
        except DesignError as error:
            raise self._broken(name, str(error)) from None

    def _broken(self, name: str, problem: str) -> schema.LessonError:
        return schema.broken(self._file, self._entry["name"], name, problem)


def _number(formula: Mapping[str, Any]) -> str:
    form = Form(formula.get("unit", ""), formula.get("digits"))
    return form.show(compute({key: each for key, each in formula.items() if key not in ("unit", "digits")}))


def _range(entry: Any) -> Sequence[Any]:
    if isinstance(entry, list):
        return tuple(entry)
    count = round((entry["to"] - entry["from"]) / entry["step"]) + 1
    values = [round(entry["from"] + place * entry["step"], 6) for place in range(count)]
    return tuple(int(each) if all(value == int(value) for value in values) else each for each in values)
