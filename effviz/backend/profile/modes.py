"""Modes of torch that observe a forward pass for the recorder."""

from typing import Any

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from effviz.backend.profile import operations as rules
from effviz.backend.profile import packed
from effviz.backend.profile.recorder import Recorder
from effviz.backend.profile.tensors import storage, tensors


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Passes every operation that torch runs to the recorder."""

    supports_higher_order_operators = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.recorder.paused:
            result = func(*args, **kwargs)
            self.recorder.accept(result)
            return result
        if isinstance(func, HigherOrderOperator):
            result = func(*args, **kwargs)
            self.recorder.accept(result)
            self.recorder.miss(str(func), sum(tensor.numel() for tensor in tensors(result)))
            return result
        # Nested tensors have a separate implementation of composite operations.
        is_nested = any(tensor.is_nested for tensor in tensors((args, kwargs)))
        if not is_nested and not rules.is_listed(rules.base_name(func)):
            # In inference mode, composite operations are dispatched as a whole.
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        if func is torch.ops.aten.lift_fresh.default:
            # Its argument is a list of numbers that torch has just converted.
            self.recorder.accept(args)
        self.recorder.check(tensors((args, kwargs)))
        self.recorder.save(func, args, kwargs)
        result = func(*args, **kwargs)
        self.recorder.accept(result)
        # Nested tensors pass requests for their sizes as operations.
        if tensors(result if is_nested else (args, kwargs, result)) or packed.weights(args):
            self.recorder.run(func, args, kwargs, result)
        return result


_ARRAYS = ("numpy", "__array__", "__dlpack__", "tolist", "data_ptr")
_NUMBERS = ("item", "__float__", "__complex__")


class Exits(TorchFunctionMode):
    """Reports tensors that are converted to arrays or numbers, because later arithmetic is invisible.

    A conversion of one number is no exit: ``x.max().item()`` and ``float(loss)`` serve for control flow and scales,
    which have no multiply-adds. Two different elements of one tensor are an exit, as the list of both by ``tolist`` is:
    ``sum(a.item() * b.item() for a, b in zip(x, weight))`` is a product. They are elements of a parameter, an input or
    a result, and floating-point. Conversions to ``int`` and ``bool`` are indices and conditions.
    """

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        # Positions of the converted elements by storage.
        self._converted: dict[int, set[int]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in _ARRAYS and isinstance(args[0], Tensor):
            self.recorder.miss(f"Tensor.{name}", args[0].numel())
        elif name in _NUMBERS and isinstance(args[0], Tensor):
            self._convert(name, args[0])
        return func(*args, **(kwargs or {}))

    def _convert(self, name: str, tensor: Tensor) -> None:
        is_number = tensor.is_floating_point() or tensor.is_complex()
        if not is_number or tensor.layout is not torch.strided or not self.recorder.is_data(tensor):
            return
        places = self._converted.setdefault(storage(tensor), set())
        before = len(places)
        places.add(int(tensor.storage_offset()))
        if len(places) > max(before, 1):
            # The first element is reported with the second one.
            self.recorder.miss(f"Tensor.{name}", 2 if before == 1 else 1)
