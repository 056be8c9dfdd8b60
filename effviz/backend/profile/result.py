"""The result of profiling: one row per layer, totals, and the operations that were not counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from effviz.backend.profile.tensors import Sizes, times

if TYPE_CHECKING:
    import pandas as pd

# Kinds that do not occur in a `Report`.
MATRIX = "matrix product"
OTHER = "other"
NOT_RUN = "not run"


class Row(NamedTuple):
    """One row of `Profile.table`; the columns are those of `Report.table`.

    Attributes:
        path: name of the executing module in ``module.named_modules()``.
        stage: first part of the path.
        block: class of the outermost enclosing module that is not a class of torch.nn.
        layer: class of a torch.nn module; the operation for code in another module's forward method.
        kind: one of `effviz.count.kinds.KINDS`, ``"matrix product"`` (of two activations), ``"other"``, or
            ``"not run"`` for parameters that no operation reads.
        in_channels, out_channels: first dimension of the first input and of the output, without the batch.
        kernel_size, stride: of a convolution or pooling, else empty.
        groups: of a convolution, else 1.
        input_shape, output_shape: of the activations, without the batch.
        params: trainable numbers that are read here for the first time.
        macs: multiply-adds.
        flops: 2 x macs.
        memory_access: elements read and written, summed over the torch operations.
        operations: names of these operations.
    """

    path: str
    stage: str
    block: str
    layer: str
    kind: str
    in_channels: int
    out_channels: int
    kernel_size: str
    stride: str
    groups: int
    input_shape: str
    output_shape: str
    params: int
    macs: int
    flops: int
    memory_access: int
    operations: str


class Uncounted(NamedTuple):
    """An operation without a counting rule.

    Attributes:
        operation: its name, including the library.
        path: the executing module.
        calls: number of calls.
        elements: elements written in all calls; elements read if it writes none.
    """

    operation: str
    path: str
    calls: int
    elements: int


@dataclass(frozen=True)
class Profile:
    """The cost of one forward pass of a module. Memory is in elements.

    Attributes:
        name: class of the module.
        input_shapes: shapes of the input tensors, with the batch.
        rows: one per call of a torch.nn layer, and one per operation in the forward method of any other module.
        uncounted: operations without a rule; the multiply-adds are complete if it is empty.
        ran_on: ``"meta"`` if shapes were enough, otherwise the device of the real forward pass.
    """

    name: str
    input_shapes: tuple[Sizes, ...]
    rows: tuple[Row, ...] = field(repr=False)
    uncounted: tuple[Uncounted, ...]
    ran_on: str

    @property
    def params(self) -> int:
        """Trainable numbers, as ``sum(p.numel() for p in module.parameters())``."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Fused multiply-adds of convolutions and matrix products."""
        return sum(row.macs for row in self.rows)

    @property
    def flops(self) -> int:
        """2 x macs."""
        return 2 * self.macs

    @property
    def memory_access(self) -> int:
        """Elements read and written by each torch operation: ``"eager"`` in `effviz.count.memory`."""
        return sum(row.memory_access for row in self.rows)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows in execution order; the columns add up to the totals."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(Row._fields))

    def __repr__(self) -> str:
        shapes = ", ".join(map(times, self.input_shapes))
        missing = f", uncounted={len(self.uncounted)} operations" if self.uncounted else ""
        return (
            f"Profile({self.name}, {shapes}: params={self.params:,}, macs={self.macs:,}, "
            f"memory_access={self.memory_access:,} (eager){missing})"
        )
