"""The result of profiling: one row per layer, totals, and the operations that were not counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from effviz.backend.profile.tensors import Sizes, times

if TYPE_CHECKING:
    import pandas as pd

# Kinds that do not occur in a `Report`.
MATRIX = "matrix product"
OTHER = "other"
NOT_RUN = "not run"


class ProfileRow(NamedTuple):
    """One row of `Profile.table`; the columns are those of `Report.table`."""

    path: str  # name of the executing module in ``module.named_modules()``
    stage: str  # first part of the path
    block: str  # class of the outermost enclosing module that is not a class of torch.nn
    layer: str  # class of a torch.nn module; the operation for code in another module's forward method
    # One of `effviz.count.kinds.KINDS`, "matrix product" (of two activations), "other", or "not run"
    # for parameters that no operation reads.
    kind: str
    # First dimension of the first input and of the output, without the batch.
    in_channels: int
    out_channels: int
    # Of a convolution or pooling, else empty.
    kernel_size: str
    stride: str
    groups: int  # of a convolution, else 1
    # Of the activations, without the batch.
    input_shape: str
    output_shape: str
    params: int  # trainable numbers and quantized weights that are read here for the first time
    macs: int  # multiply-adds
    flops: int  # 2 x macs
    memory_access: int  # elements read and written, summed over the torch operations
    operations: str  # names of these operations


class Uncounted(NamedTuple):
    """An operation without a counting rule, or parameters without an owner."""

    operation: str  # its name, including the library
    path: str  # the executing module
    calls: int  # number of calls
    elements: int  # elements written in all calls; elements read if it writes none


@dataclass(frozen=True)
class Profile:
    """The cost of one forward pass of a module. Memory is in elements.

    Attributes:
        name: class of the module.
        input_shapes: shapes of the input tensors, with the batch.
        rows: one per call of a torch.nn layer, and one per operation in the forward method of any other module.
        uncounted: operations without a rule and parameters that `module.parameters()` does not list.
        peak_activation: most elements of inputs and results that are needed at the same time, operation by operation:
            no operations are fused, an operation in place needs no new memory, a view is free, and nothing is kept for
            training. `effviz.analyze` counts the peak of the fused network.
        ran_on: ``"meta"`` if shapes were enough, otherwise the device of the real forward pass.
    """

    name: str
    input_shapes: tuple[Sizes, ...]
    rows: tuple[ProfileRow, ...] = field(repr=False)
    uncounted: tuple[Uncounted, ...]
    ran_on: str
    peak_activation: int

    @property
    def status(self) -> Literal["complete", "partial"]:
        """``"complete"`` if parameters and multiply-adds cover everything that ran, ``"partial"`` with `uncounted`."""
        return "partial" if self.uncounted else "complete"

    @property
    def params(self) -> int:
        """Trainable numbers: ``sum(p.numel() for p in module.parameters())`` plus quantized weights and biases."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Fused multiply-adds of convolutions and matrix products; a complex one counts three."""
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

        return pd.DataFrame(self.rows, columns=list(ProfileRow._fields))

    def __repr__(self) -> str:
        shapes = ", ".join(map(times, self.input_shapes))
        missing = f", uncounted={len(self.uncounted)} operations" if self.uncounted else ""
        return (
            f"Profile({self.name}, {shapes}: params={self.params:,}, macs={self.macs:,}, "
            f"memory_access={self.memory_access:,} (eager){missing})"
        )
