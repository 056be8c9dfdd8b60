"""Layers that arrange other layers: one after another, or side by side with a merge."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from effviz.core.errors import fail, flag, one_of, text
from effviz.model.layers.base import Container, Layer, Shape, image
from effviz.model.layers.primitives import Identity

MERGES = ("add", "mul", "concat", "resize")
RESIZE = "resize"


def check_name(argument: str, name: object) -> str:
    """Return `name` if it is legal in ``module.named_modules()``."""
    # Nearly all names are of this kind, and the checks below take longer.
    if type(name) is str and name.isidentifier() and name.isascii() and len(name) <= 60 and name != "training":
        return name
    text(argument, name, 60)
    if not str(name).strip() or "." in str(name):
        fail(argument, name, "must be text without dots")
    if name == "training":
        fail(argument, name, "is reserved: every torch module has an attribute of this name")
    return str(name)


def _named(children: Iterable[tuple[str, Layer]], *, inline: bool) -> tuple[tuple[str, Layer], ...]:
    """Check that the names of `children` are legal and unique in torch."""
    children = tuple(children)
    seen: set[str] = set()
    for name, layer in children:
        if not isinstance(layer, Layer):
            fail(f"layer {name!r}", layer, "must be a Layer")
        if inline and isinstance(name, str) and not name:
            if not isinstance(layer, Sequential):
                fail("layer", layer, "must be a Sequential if the branch has no name")
            names = [child for child, _ in layer.children]
        else:
            check_name("name", name)
            names = [name]
        for each in names:
            if each in seen:
                fail("name", each, "must be used once among its siblings")
            seen.add(each)
    return children


@dataclass(frozen=True)
class Sequential(Container):
    """Children one after another, with their names in ``module.named_modules()``."""

    children: tuple[tuple[str, Layer], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "children", _named(self.children, inline=False))

    @classmethod
    def of(cls, **layers: Layer | None) -> Self:
        """Build from named children in order; None is skipped."""
        return cls(tuple((name, layer) for name, layer in layers.items() if layer is not None))

    @classmethod
    def numbered(cls, layers: Iterable[Layer]) -> Self:
        """Build from children named "0", "1", ..., as in ``torch.nn.Sequential``."""
        return cls(tuple((str(index), layer) for index, layer in enumerate(layers)))


@dataclass(frozen=True)
class Branches(Container):
    """Parallel branches and a merge. All branches read the input, or equal shares of its channels with `split`.

    The merge ``"resize"`` enlarges or reduces the map of the first branch to the height and width of the second one, by
    copying the nearest pixel. Nothing but the size of the second map is used.

    The merge is a separate step with the path of this container. A branch named ``""`` must be a `Sequential`. Its
    children appear as children of this container, as in the usual code of a residual body.
    """

    branches: tuple[tuple[str, Layer], ...]
    merge: str = "add"
    split: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", _named(self.branches, inline=True))
        one_of("merge", self.merge, MERGES)
        flag("split", self.split)
        if len(self.branches) < 2:
            fail("branches", len(self.branches), "must be at least 2")
        if self.merge == RESIZE and len(self.branches) > 2:
            fail("branches", len(self.branches), "must be 2 to resize the first one")

    def shares(self, shape: Shape) -> Shape:
        """Return the input shape of each branch."""
        if not self.split:
            return shape
        channels, height, width = image(shape, self)
        if channels % len(self.branches):
            fail("branches", len(self.branches), f"must divide the {channels} channels that are split among them")
        return (channels // len(self.branches), height, width)

    def merged(self, shapes: list[Shape]) -> Shape:
        """Return the shape of the merged outputs."""
        first = shapes[0]
        if self.merge == RESIZE:
            if any(len(shape) != 3 for shape in shapes):
                fail("branch outputs", shapes, "must be maps to be resized")
            return (first[0], *shapes[1][1:])
        if self.merge == "concat":
            if any(shape[1:] != first[1:] or len(shape) != len(first) for shape in shapes):
                fail("branch outputs", shapes, "must agree in height and width to be concatenated")
            return (sum(shape[0] for shape in shapes), *first[1:])
        if self.merge == "add":
            if any(shape != first for shape in shapes):
                fail("branch outputs", shapes, "must have equal shapes to be added")
            return first
        if any(len(shape) != len(first) for shape in shapes):
            fail("branch outputs", shapes, "must have the same number of dimensions to be multiplied")
        dimensions = list(zip(*shapes, strict=True))
        if any(not {*sides} <= {1, max(sides)} for sides in dimensions):
            fail("branch outputs", shapes, "must be equal or 1 in every dimension to be multiplied")
        return tuple(map(max, dimensions))


def residual(body: Sequential, shortcut: Layer | None = None) -> Branches:
    """Build ``body(x) + shortcut(x)``; the default shortcut is the identity."""
    return Branches((("", body), ("shortcut", shortcut or Identity())), "add")
