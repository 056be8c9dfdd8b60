"""Lessons as data: `assets/lessons/*.yaml`, checked and read into frozen records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, look_up
from effviz.lessons import schema
from effviz.lessons.answers import compute
from effviz.lessons.goals import Goal, goal_of
from effviz.lessons.prediction import Choice, Form, Naive, Prediction, fill, texts
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
_TARGET = re.compile(r"\[([^]]+)\]\(#(\w+)\)")


class _Loader(yaml.SafeLoader):
    """Refuses a repeated field, of which YAML itself takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        fields = [key.value for key, _ in node.value]
        for place, (key, _) in enumerate(node.value):
            if key.value in fields[:place]:
                problem = f"the field {key.value!r} is repeated"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        return super().construct_mapping(node, deep)


class Common(NamedTuple):
    """A common mistake with its answer, and the number of the step that is about it; 0 for none."""

    mistake: str
    answer: str
    step: int


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
        optional: whether a class that is short of time can skip it.
        look: what to look at. Its links, such as ``[the chart](#stages)``, name elements of the page by their keys.
        prediction: None for a step without a question.
        sheet: question of the worksheets; None without one. It is another one if the prediction has one answer only.
        explanation: after the answer.
        goal: what to build; None without one.
        hide: keys of controls that are not shown.
        lock: keys of controls that are disabled.
        use: keys of controls that the step needs, which are shown above the numbers of the page.
        conceal: keys of charts and cards (``card_latency``) that are not shown, because they have the answer of a
            later step or because the step does not need them.
        teacher: notes for the teacher.
    """

    name: str
    title: str
    minutes: int
    text: str
    page: str
    state: Mapping[str, str] | None = field(hash=False)
    keeps: bool
    optional: bool
    look: str
    prediction: Prediction | None
    sheet: Prediction | None
    explanation: str
    goal: Goal | None
    hide: frozenset[str]
    lock: frozenset[str]
    use: frozenset[str]
    conceal: frozenset[str]
    teacher: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Keys of the elements to look at; that of a card begins with ``card_``."""
        return tuple(key for _, key in _TARGET.findall(self.look))

    @property
    def look_elsewhere(self) -> str:
        """The text of `look` without links, for another page."""
        return _TARGET.sub(r"\1", self.look)


@dataclass(frozen=True)
class Lesson:
    """A lesson of 35 to 45 minutes.

    Attributes:
        name: of the file, and in links.
        title, summary: on the list of lessons.
        learn: what a student can do afterwards.
        notes: for the teacher, paragraphs.
        mistakes: common mistakes.
        questions: further questions with their answers.
        steps: in order.
    """

    name: str
    title: str
    summary: str
    learn: tuple[str, ...]
    notes: tuple[str, ...]
    mistakes: tuple[Common, ...]
    questions: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...] = field(hash=False)

    @property
    def minutes(self) -> int:
        """Planned time of all steps, without the time to join a classroom."""
        return sum(step.minutes for step in self.steps)


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
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
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
    whole = _Reader(path.name, {"name": "", "numbers": content.get("numbers", {})})
    return Lesson(
        path.stem, content["title"], content["summary"], tuple(content["learn"]),
        tuple(content["notes"]),
        tuple(
            Common(each["mistake"], each["answer"], _about(path.name, each.get("step", ""), steps))
            for each in content.get("mistakes", [])
        ),
        tuple((each["question"], whole.filled("questions", each["answer"])) for each in content["questions"]),
        tuple(steps),
    )  # fmt: skip


def _about(file: str, name: str, steps: Sequence[Step]) -> int:
    """Return the number of the step whose question has wrong answers for a common mistake."""
    if not name:
        return 0
    place = next((place for place, step in enumerate(steps, 1) if step.name == name), 0)
    asked = steps[place - 1].prediction if place else None
    if asked is None or not (asked.naive or asked.choices):
        raise schema.broken(file, "", "mistakes", f"the step {name!r} has neither `naive` answers nor choices")
    return place


class _Reader:
    """One entry of `steps`; an error of the engine names the file, the step and the field."""

    def __init__(self, file: str, entry: Mapping[str, Any]) -> None:
        self._file, self._entry = file, entry
        self._values: dict[str, str] = {
            name: self._tried(f"numbers.{name}", lambda formula=formula: _number(formula))
            for name, formula in entry.get("numbers", {}).items()
        }

    def step(self) -> Step:
        """Return the step, with its numbers in the texts and its answer tried."""
        entry = self._entry
        prediction = self._prediction("prediction")
        if prediction is not None:
            self._values |= {"answer": prediction.show(prediction.value()), **texts(prediction.given)}
        state = entry.get("state")
        goal = entry.get("goal")
        after = self.filled("goal.after", (goal or {}).get("after", ""))
        return Step(
            entry["name"], entry["title"], entry["minutes"], self._text("text"), entry["page"],
            None if state is None else {key: self._parameter(key, value) for key, value in state.items()},
            entry.get("keep", state is None), entry.get("optional", False),
            self._text("look"), prediction, self._prediction("worksheet") or prediction, self._text("explanation"),
            None if goal is None else self._tried("goal", lambda: goal_of({**goal, "after": after})),
            self._keys("hide"), self._keys("lock"), self._keys("use"), self._keys("conceal"), self._text("teacher"),
        )  # fmt: skip

    def _keys(self, name: str) -> frozenset[str]:
        return frozenset(self._entry.get(name, []))

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
        return replace(made, naive=tuple(self._naive(made, each) for each in entry.get("naive", ())))

    def _naive(self, made: Prediction, entry: Mapping[str, Any]) -> Naive:
        value = self._tried("prediction.naive", lambda: compute(entry["value"], made.given))
        if made.show(value) == made.show(made.value()):
            raise self._broken("prediction.naive", f"{made.show(value)} is the answer")
        places = self._values | texts(made.given) | {"value": made.show(value)}
        return Naive(entry["value"], self._tried("prediction.naive", lambda: fill(entry["reason"], places)))

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
        return self.filled(name, self._entry.get(name, ""))

    def filled(self, name: str, text: str) -> str:
        """Return a text with the numbers of the entry."""
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
