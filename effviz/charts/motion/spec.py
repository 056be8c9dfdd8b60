"""The description of an animation: phases of equal steps, captions, and what the browser draws.

The browser gets plain JSON and computes nothing but positions between two steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from effviz.charts.style import KIND_COLORS, Spec, json_of
from effviz.core.units import exact

Caption = tuple[int, str]
"""The first step of a caption, and its text."""


@dataclass(frozen=True)
class Phase:
    """Steps of one kind, one after another."""

    kind: str  # of the layer, a key of `KIND_COLORS`
    steps: int
    macs: int = 0  # multiplications of each step
    track: int = 0  # of the meter that counts them
    drawn: Spec = field(default_factory=dict)  # what its scene needs


@dataclass(frozen=True)
class Track:
    """One bar of the meter below the drawing."""

    label: str
    total: int  # multiplications at its end
    live: bool = True  # whether the phases fill it; others are for comparison
    real: int | None = None  # multiply-adds with the reader's numbers, where the drawing is smaller


@dataclass(frozen=True)
class Motion:
    """An animation with its text."""

    name: str
    title: str  # the finding, a sentence computed from the numbers
    alt: str  # the alternative text: the finding and the numbers
    scene: str  # the script `motion_<scene>.js` draws it
    phases: tuple[Phase, ...]
    tracks: tuple[Track, ...]
    captions: tuple[Caption, ...]
    twin: int  # the step that a static picture shows
    note: str  # the numbers of the drawing and those of the reader
    scenery: Spec  # what the scene draws besides the phases

    @property
    def steps(self) -> int:
        """Number of steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    def multiplications(self, track: int = 0) -> int:
        """Sum the multiplications of all steps that count on one bar."""
        return sum(phase.steps * phase.macs for phase in self.phases if phase.track == track)

    @cached_property
    def json(self) -> bytes:
        """The animation for the browser."""
        phases, start = [], 0
        for phase in self.phases:
            own = {"kind": phase.kind, "color": KIND_COLORS[phase.kind], "start": start, "steps": phase.steps}
            phases.append(own | {"macs": phase.macs, "track": phase.track} | phase.drawn)
            start += phase.steps
        texts = {name: getattr(self, name) for name in ("name", "title", "alt", "scene", "twin", "note", "captions")}
        tracks = [vars(track) for track in self.tracks]
        return json_of(texts | self.scenery | {"steps": start, "phases": phases, "tracks": tracks})


def motion_of(
    name: str, title: str, details: Sequence[str], scene: str, phases: Sequence[Phase], captions: Sequence[Caption], *,
    twin: int, tracks: Sequence[Track] = (), note: str = "", **scenery: Any,
) -> Motion:  # fmt: skip
    """Build an animation. `details` are further sentences of the alternative text, without a full stop."""
    alt = f"{'. '.join([title, *details])}."
    return Motion(name, title, alt, scene, tuple(phases), tuple(tracks), tuple(captions), twin, note, scenery)


def products(count: int) -> str:
    """Return a count of multiplications with its noun."""
    return f"{exact(count)} multiplication{'' if count == 1 else 's'}"


def drawn_note(amounts: Sequence[tuple[int, int, str]], sides: tuple[int, int], *further: str) -> str:
    """Compare the numbers of a drawing with the real ones, where they differ.

    Args:
        amounts: drawn number, real number and noun.
        sides: of the drawn map and the real one, in pixels.
        further: other differences; empty ones are left out.
    """
    parts = [f"{ours} of {theirs:,} {noun}" for ours, theirs, noun in amounts if ours != theirs]
    if sides[0] != sides[1]:
        parts.append(f"{sides[0]}×{sides[0]} of {sides[1]}×{sides[1]} pixels")
    parts += filter(None, further)
    return f"Drawn: {', '.join(parts)}." if parts else "Drawn: all channels and pixels."
