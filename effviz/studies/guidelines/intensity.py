"""Arithmetic intensity of the layer kinds of a network."""

from functools import lru_cache
from typing import NamedTuple

from effviz.count.report import analyze
from effviz.studies.guidelines.theory import (
    _sums,
)
from effviz.zoo import architecture


class Intensity(NamedTuple):
    """Multiply-adds against memory access of all layers of one kind.

    Attributes:
        kind: one of `effviz.count.kinds.KINDS`.
        macs: multiply-adds.
        memory_access: elements.
        share: of the network's memory access.
    """

    kind: str
    macs: int
    memory_access: int
    share: float

    @property
    def per_element(self) -> float:
        """Multiply-adds per element read or written; 0 without memory access."""
        return self.macs / self.memory_access if self.memory_access else 0.0


@lru_cache(maxsize=256)
def intensities(name: str, memory: str = "fused") -> tuple[Intensity, ...]:
    """Return the arithmetic intensity of every kind of layer with memory access in a network of the zoo.

    Args:
        name: of the zoo.
        memory: assumption about memory access, as in `effviz.analyze`.
    """
    sums = _sums(analyze(architecture(name), memory=memory))
    total = sum(access for _, access in sums.values())
    return tuple(Intensity(kind, macs, access, access / total) for kind, (macs, access) in sums.items() if access)
