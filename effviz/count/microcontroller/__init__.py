"""Networks on a microcontroller: operators of TensorFlow Lite, places of tensors in the arena, bytes in flash."""

from effviz.count.microcontroller.kernels import KERNELS, Kernels
from effviz.count.microcontroller.report import ArenaTerm, MicrocontrollerReport, microcontroller

__all__ = ["KERNELS", "ArenaTerm", "Kernels", "MicrocontrollerReport", "microcontroller"]
