"""Worksheets, keys and teacher notes as Markdown and as printable HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from effviz.core.printed import document
from effviz.lessons.lesson import Lesson, Step
from effviz.lessons.worksheet import Question, Worksheet, letter

_SIGNS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "phi": "φ", "rho": "ρ", "cdot": " · ", "times": " × ", "approx": " ≈ ",
    "lceil": "⌈", "rceil": "⌉", "ln": "ln ", "le": "≤", "ge": "≥", "to": "→", "sqrt": "√", "log": "log ", "quad": " ",
}  # fmt: skip
JOINING = 4
"""Minutes that a class needs to join."""
_FRACTION = re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}")
_RAISED, _LOWERED = re.compile(r"\^(?:\{([^{}]*)\}|(\w))"), re.compile(r"_(?:\{([^{}]*)\}|(\w))")
_ROOT = re.compile(r"√\{([^{}]*)\}")
_CODE = re.compile(r"`([^`]+)`")
_STYLE = """
.name { display: flex; gap: 2rem; }
.name span { flex: 1; border-bottom: 1px solid #8a8a94; padding-bottom: 0.2rem; }
.name span:last-child { flex: 0 0 9rem; }
ol.options { list-style: upper-alpha; margin: 0.3rem 0 0; padding-left: 1.6rem; }
.work { height: 3rem; }
.answer { margin-top: 0.4rem; display: flex; align-items: flex-end; gap: 0.5rem; }
.answer span { display: inline-block; width: 9rem; border-bottom: 1px solid #1b1b22; height: 1.2rem; }
.key { font-weight: 600; font-variant-numeric: tabular-nums; }
"""


def markdown(sheet: Worksheet, *, key: bool = False, site: str = "") -> str:
    """Write a worksheet as Markdown with LaTeX between dollar signs; with `key`, its answers.

    `site` is the address of the app, to which that of a page is added.
    """
    lines = [f"# {_heading(sheet, key)}", "", _subtitle(sheet, key), ""]
    lines += [] if key else [f"Name: ________________    Number: {sheet.seed}", ""]
    for number, each in enumerate(sheet.questions, 1):
        lines += [f"## {number}. {each.title}", "", each.text, "", f"Page: {site}/{each.page}", ""]
        lines += [f"- {letter(place)}: {option}" for place, option in enumerate(each.options)]
        lines += [""] * bool(each.options)
        lines += (
            [f"**Answer: {each.answer}**{_within(each)}", "", each.solution]
            if key
            else [f"Answer: ________ {each.unit}".strip()]
        )
        lines += [""]
    return "\n".join(lines)


def page(sheet: Worksheet, *, key: bool = False, site: str = "") -> str:
    """Write a worksheet as an HTML page for printing, with the arguments of `markdown`."""
    parts = []
    for number, each in enumerate(sheet.questions, 1):
        options = "".join(f"<li>{rich(option)}</li>" for option in each.options)
        body = f"<h2>{number}. {rich(each.title)}</h2><p>{rich(each.text)}</p>"
        body += f'<ol class="options">{options}</ol>' if options else ""
        if key:
            body += f'<p class="key">{rich(each.answer)}{_within(each)}</p><p>{rich(each.solution)}</p>'
        else:
            body += "" if options else '<div class="work"></div>'
            body += (
                f'<div class="answer">Answer: <span></span> {rich(each.unit)} '
                f"<small>{html.escape(site)}/{each.page}</small></div>"
            )
        parts.append(f"<section>{body}</section>")
    line = "" if key else f'<p class="name"><span>Name:</span><span>Number: {sheet.seed}</span></p>'
    head = f"<p>{rich(_subtitle(sheet, key))}</p>{line}"
    return document(rich(_heading(sheet, key)), head, "".join(parts), _STYLE)


def _within(question: Question) -> str:
    return f" (± {question.tolerance:g} % is right)" if question.tolerance else ""


def notes(chosen: Lesson) -> str:
    """Write the teacher's notes of a lesson as Markdown: timing, answers, notes, common mistakes, questions."""
    lines = [f"# {chosen.title}: teacher notes", "", chosen.summary, "", "Afterwards a student can:", ""]
    lines += [f"- {each}" for each in chosen.learn]
    lines += ["", "## Timing", "", timetable(chosen)]
    lines += ["", "## Answers", "", *_paragraphs(answers(chosen))]
    lines += ["## Notes", "", *_paragraphs(chosen.notes), "## Common mistakes", "", *mistakes(chosen)]
    lines += ["", "## Further questions", ""]
    for number, (question, answer) in enumerate(chosen.questions, 1):
        lines += [f"{number}. {question}", "", f"   Answer: {answer}", ""]
    return "\n".join(lines)


def mistakes(chosen: Lesson) -> list[str]:
    """Write the common mistakes as a Markdown list, with the step that is about each."""
    return [
        f"- *{each.mistake}* {each.answer}" + (f" (Step {each.step}.)" if each.step else "") for each in chosen.mistakes
    ]


def answers(chosen: Lesson) -> list[str]:
    """Write question and answer of every step, as the class plays them, in Markdown."""
    return [
        f"**{number}. {step.title}.** {step.prediction.asked() if step.prediction else ''} {answer(step)}"
        for number, step in enumerate(chosen.steps, 1)
        if step.prediction is not None or step.goal is not None
    ]


def answer(step: Step) -> str:
    """Write the answer of a step with its tolerance, the wrong answers that many students give, and the goal."""
    asked, texts = step.prediction, []
    if asked is not None:
        within = "" if asked.choices else f" (± {asked.tolerance:g} % is right)"
        texts.append(f"Answer: **{asked.show(asked.value())}**{within}.")
        texts += [
            f"*{asked.show(value)}* is wrong: {each.reason}"
            for value, each in zip(asked.naive_values(), asked.naive, strict=True)
        ]
        if asked is not step.sheet:
            texts.append("The worksheets have another question.")
    if step.goal is not None:
        texts.append(f"Goal: {step.goal.text}")
    return " ".join(texts)


def timetable(chosen: Lesson) -> str:
    """Write the steps with their times and notes as a Markdown table, from the moment at which a class joins."""
    lines = ["| Minute | Step | Duration | Note |", "|---:|---|---:|---|"]
    lines += [f"| 0 | Join | {JOINING} min | Room, QR code, nicknames. |"]
    lines += [f"| {start + JOINING} | {number}. {title}{' (optional)' * optional} | {length} min | {note} |"
              for start, number, title, length, note, optional in timing(chosen)]  # fmt: skip
    optional = sum(step.minutes for step in chosen.steps if step.optional)
    total = f"The steps take {chosen.minutes} minutes, and joining the room {JOINING}"
    rest = f"Without the optional steps, the class needs {JOINING + chosen.minutes - optional} minutes with joining."
    lines += ["", f"{total}. {rest}"]
    return "\n".join(lines)


def timing(chosen: Lesson) -> list[tuple[int, int, str, int, str, bool]]:
    """Return start, number, title, minutes and note of every step, and whether a class can skip it."""
    starts = [sum(each.minutes for each in chosen.steps[:place]) for place in range(len(chosen.steps))]
    return [
        (start, number, step.title, step.minutes, step.teacher, step.optional)
        for number, (start, step) in enumerate(zip(starts, chosen.steps, strict=True), 1)
    ]


def _paragraphs(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in (text, "")]


def _heading(sheet: Worksheet, key: bool) -> str:
    return f"{sheet.lesson}: {'answer key' if key else 'worksheet'}"


def _subtitle(sheet: Worksheet, key: bool) -> str:
    if key:
        return f"Answers to worksheet {sheet.seed}. All numbers are computed by effviz."
    return (
        "Multiply-adds are those of convolution and linear layers for one image. Write down how you found each number. "
        "To check one, open the page and set its controls to the numbers of the question. The page Architectures sets "
        "width, depth and resolution of any network."
    )


def rich(text: str) -> str:
    """Return text with LaTeX between dollar signs, and code, as HTML with signs, superscripts and subscripts."""
    pieces = _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False)).split("$")
    return "".join(_typeset(piece) if place % 2 else piece for place, piece in enumerate(pieces))


def _typeset(formula: str) -> str:
    formula = re.sub(r"\\(?:text|mathrm)\{([^{}]*)\}", r"\1", formula)
    formula = re.sub(r"\\([a-z]+) ?", lambda found: _SIGNS.get(found[1], found[0].rstrip()), formula)
    formula = _ROOT.sub(lambda found: f"√{_factor(found[1])}", formula)
    formula = _RAISED.sub(lambda found: f"<sup>{found[1] or found[2]}</sup>", formula)
    formula = _LOWERED.sub(lambda found: f"<sub>{found[1] or found[2]}</sub>", formula)
    formula = _FRACTION.sub(lambda found: f"{_factor(found[1])} / {_factor(found[2])}", formula)
    return " ".join(re.sub(r"[{}]|\\,", " ", formula).split())


def _factor(term: str) -> str:
    """Return a term in parentheses if it is a sum or a product."""
    return f"({term.strip()})" if " " in term.strip() else term.strip()
