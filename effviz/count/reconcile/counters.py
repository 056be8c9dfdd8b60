"""The rules of public counters, as data: the numbers that each prints, and what each adds to the counts of effviz.

A rule names the operations that it counts, what it counts of them, and how often. An operation without a rule must be
listed as free, because unknown operations are errors here; most counters count them as 0. `effviz.count.reconcile`
computes the numbers. The tests run the counters themselves.
"""

from collections.abc import Callable

from effviz.count.reconcile.rules import FLOAT, GIGA, THOP, Counter, CounterRule, PrintedCount, Rounding
from effviz.model.layers import RESIZE

PRODUCTS = ("Conv2d", "Conv2d with bias", "Linear", "Linear with bias")
"""The operations with multiply-adds."""

_BIASED = ("Conv2d with bias", "Linear with bias")
_NORM, _PLAIN_NORM = "BatchNorm2d", "BatchNorm2d without scale and shift"
_LAYER_NORM, _LAYER_SCALE = "LayerNorm2d", "LayerScale"
_PER_CHANNEL = (_LAYER_NORM, _LAYER_SCALE)
_GLOBAL_POOLS = ("AdaptiveAvgPool2d", "GlobalAvgPool")
_WINDOWS = ("AvgPool2d", "MaxPool2d")
_MERGES = ("add", "mul", "concat")
_COPIES = ("ChannelShuffle", "ChannelSelect", "ZeroPadChannels")
_VIEWS = ("Flatten", "Identity", "Dropout", "StochasticDepth", "Slice", "Subsample")
_SMOOTH = ("hardswish", "sigmoid", "hardsigmoid", "tanh")
_ACTIVATIONS = ("relu", "relu6", "leaky_relu", "elu", "gelu", "silu", *_SMOOTH)
_MOVES = (*_MERGES, *_COPIES, *_VIEWS)
_NO_PRODUCT = (_NORM, _PLAIN_NORM, *_PER_CHANNEL, *_GLOBAL_POOLS, *_WINDOWS, *_ACTIVATIONS, RESIZE, *_MOVES)


# --- the numbers as the counters print them ---------------------------------------------------------------------------


def _scaled(number: int, *units: tuple[int, str]) -> str:
    """Round to two decimals of the largest unit below the number, as ptflops; the last unit is 1."""
    for size, unit in units[:-1]:
        if number // size:
            return f"{round(number / size, 2)} {unit}"
    return f"{number} {units[-1][1]}".strip()


def _params_by_ptflops(number: int) -> str:
    return _scaled(number, (10**6, "M"), (10**3, "k"), (1, ""))


def _by_calflops(number: int, units: str = "TGMK") -> str:
    for place, unit in enumerate(units):
        size = 1000.0 ** (len(units) - place)
        if number >= size:
            return f"{round(number / size, 2):g} {unit}"
    return f"{number:g} "


def _params_by_calflops(number: int) -> str:
    return _by_calflops(number).replace("G", "B").strip()


def _by_torchinfo(number: int) -> str:
    # The names of an enumeration, since Python 3.11.
    units = (1e12, "TERABYTES"), (1e9, "GIGABYTES"), (1e6, "MEGABYTES")
    size, unit = next((each for each in units if number >= each[0]), units[-1])
    scaled = number / size
    return f"Total mult-adds (Units.{unit}): {int(scaled) if scaled.is_integer() else f'{scaled:,.2f}'}"


def _params(
    call: str, name: str = "params", text: Callable[[int], str] = str, rules: tuple[CounterRule, ...] = (),
    rounding: Rounding | None = None,
) -> PrintedCount:  # fmt: skip
    return PrintedCount(name, "params", call, text, rules, _NO_PRODUCT, rounding=rounding)


def _batch_norm(affine: int, plain: int) -> tuple[CounterRule, ...]:
    """Return the rules of a counter with `affine` operations per element, and `plain` without scale and shift."""
    named = ("batch norm", _NORM, affine), ("batch norm without scale and shift", _PLAIN_NORM, plain)
    return tuple(
        CounterRule(
            label, (norm,), f"{each} operation{'s' * (each > 1)} per element normalised by {{layers}}", factor=each
        )
        for label, norm, each in named
    )


_LAYER_NORMS = CounterRule("layer norm", (_LAYER_NORM,), "5 operations per element normalised by {layers}", factor=5)
_RESIZED = CounterRule("resizing", (RESIZE,), "1 operation per output element of {layers}", ("outputs",))
_BIAS = CounterRule("bias", _BIASED, "1 addition per output element of {layers}", ("outputs",))

# --- the counters -----------------------------------------------------------------------------------------------------

_THOP = Counter(
    "thop", "0.1.1-2209072238",
    "Multiply-adds, 4 operations per element of a batch norm, 1 per output of an average pooling, and the additions "
    "and divisions of adaptive pooling. Biases and activation functions count 0.",
    "thop/profile.py, thop/vision/basic_hooks.py", "https://github.com/Lyken17/pytorch-OpCounter",
    (
        PrintedCount(
            "macs", "macs", "thop.profile(module, (image,))[0]", lambda number: repr(float(number)),
            (
                *_batch_norm(4, 2),
                CounterRule("average pooling", ("AvgPool2d",),
                            "1 operation per output element of {layers}, whatever the window", ("outputs",)),
                CounterRule("adaptive and global average pooling", _GLOBAL_POOLS,
                            "1 addition per input element and 1 division per output element of {layers}",
                            ("inputs", "outputs")),
            ),
            ("MaxPool2d", *_PER_CHANNEL, *_ACTIVATIONS, RESIZE, *_MOVES), rounding=THOP,
        ),
        _params(
            "thop.profile(module, (image,))[1]", text=lambda number: repr(float(number)), rounding=THOP,
            rules=(
                CounterRule("layer norm", (_LAYER_NORM,),
                            "no rule for {layers}, so 0 for 2 parameters per channel", ("channels",), -2),
                CounterRule("layer scale", (_LAYER_SCALE,),
                            "no rule for {layers}, so 0 for 1 parameter per channel", ("channels",), -1),
            ),
        ),
    ),
)  # fmt: skip

_FVCORE = Counter(
    "fvcore", "0.1.5.post20221221",
    "Multiply-adds under the name FLOPs, 2 operations per element of a batch norm, and 1 per input element of an "
    "adaptive pooling. Biases, activation functions, other pooling and merges count 0.",
    "fvcore/nn/flop_count.py, fvcore/nn/jit_handles.py", "https://github.com/facebookresearch/fvcore",
    (
        PrintedCount(
            "flops", "macs", "FlopCountAnalysis(module, image).total()", str,
            (
                *_batch_norm(2, 1),
                _LAYER_NORMS,
                CounterRule("adaptive and global average pooling", _GLOBAL_POOLS,
                            "1 operation per input element of {layers}"),
                _RESIZED,
            ),
            (*_WINDOWS, _LAYER_SCALE, *_ACTIVATIONS, *_MOVES),
        ),
        _params('parameter_count(module)[""]'),
    ),
)  # fmt: skip

_MAC = (10**9, "GMac"), (10**6, "MMac"), (10**3, "KMac"), (1, "Mac")
_PTFLOPS_LINK = "https://github.com/sovrasov/flops-counter.pytorch"
_PTFLOPS = Counter(
    "ptflops", "0.7.5",
    "Multiply-adds, biases, 2 operations per element of a batch norm, and pooling and some activation functions per "
    "input element. Its hook of a module and its patch of the function that the module calls both count, so most of "
    "the latter count twice. The operators + and × of merges count 0.",
    "ptflops/pytorch_engine.py, ptflops/pytorch_ops.py", _PTFLOPS_LINK,
    (
        PrintedCount(
            "MACs", "macs", "get_model_complexity_info(module, shape)[0]", lambda number: _scaled(number, *_MAC),
            (
                _BIAS,
                *_batch_norm(2, 1),
                CounterRule("activation functions counted twice", ("relu", "elu", "gelu"),
                            "2 operations per element of {layers}, by module and by function", factor=2),
                CounterRule("activation functions counted once", ("relu6", "leaky_relu", "silu"),
                            "1 operation per element of {layers}, by module or by function"),
                CounterRule("pooling counted twice", (*_GLOBAL_POOLS, *_WINDOWS),
                            "2 operations per input element of {layers}, by module and by function", factor=2),
                _RESIZED,
            ),
            (*_PER_CHANNEL, *_SMOOTH, *_MOVES), rounding=FLOAT,
        ),
        _params("get_model_complexity_info(module, shape)[1]", text=_params_by_ptflops),
    ),
)  # fmt: skip

_PTFLOPS_ATEN = Counter(
    "ptflops-aten", _PTFLOPS.version,
    "The backend that reads ATen operations counts multiply-adds and biases; everything else counts 0.",
    "ptflops/aten_engine.py, ptflops/aten_ops.py", _PTFLOPS_LINK,
    (
        PrintedCount(
            "MACs", "macs", 'get_model_complexity_info(module, shape, backend="aten")[0]',
            lambda number: _scaled(number, *_MAC), (_BIAS,), _NO_PRODUCT,
        ),
        _params('get_model_complexity_info(module, shape, backend="aten")[1]', text=_params_by_ptflops),
    ),
)  # fmt: skip

_TORCHINFO = Counter(
    "torchinfo", "1.8.0",
    "The weights and biases of a convolution once per output pixel, those of any other layer once per image. So a "
    "batch norm adds its two parameters per channel, and everything without parameters counts 0.",
    "torchinfo/layer_info.py", "https://github.com/TylerYep/torchinfo",
    (
        PrintedCount(
            "Total mult-adds", "macs", "torchinfo.summary(module, input_size).total_mult_adds", _by_torchinfo,
            (
                _BIAS,
                CounterRule("batch norm", (_NORM,),
                            "2 parameters per channel of {layers}, once per image", ("channels",), 2),
                CounterRule("layer norm", (_LAYER_NORM,),
                            "2 parameters per channel of {layers}, once per image", ("channels",), 2),
                CounterRule("layer scale", (_LAYER_SCALE,),
                            "1 parameter per channel of {layers}, once per image", ("channels",)),
            ),
            (_PLAIN_NORM, *_GLOBAL_POOLS, *_WINDOWS, *_ACTIVATIONS, RESIZE, *_MOVES),
        ),
        _params("torchinfo.summary(module, input_size).total_params", "Total params", "Total params: {:,}".format),
    ),
)  # fmt: skip

_CALFLOPS = Counter(
    "calflops", "0.3.2",
    "MACs are multiply-adds. FLOPs are 2 per multiply-add, 1 per biased output of a convolution, and 2 per element of "
    "a batch norm. A pooling and some activation functions add 1 per input element. Biases of linear layers count 0.",
    "calflops/pytorch_ops.py", "https://github.com/MrYxJ/calculate-flops.pytorch",
    (
        PrintedCount(
            "MACs", "macs", "calculate_flops(module, shape)[1]", lambda number: f"{_by_calflops(number)}MACs",
            free=_NO_PRODUCT,
        ),
        PrintedCount(
            "FLOPs", "macs", "calculate_flops(module, shape)[0]", lambda number: f"{_by_calflops(number)}FLOPS",
            (
                CounterRule("bias of convolutions", ("Conv2d with bias",),
                            "1 addition per output element of {layers}", ("outputs",)),
                *_batch_norm(2, 1),
                _LAYER_NORMS,
                CounterRule("activation functions", ("relu", "leaky_relu", "elu", "gelu", "silu"),
                            "1 operation per element of {layers}"),
                CounterRule("pooling", (*_GLOBAL_POOLS, *_WINDOWS), "1 operation per input element of {layers}"),
                CounterRule("resizing", (RESIZE,),
                            "1 operation per output pixel of {layers}, whatever the channels", ("pixels",)),
            ),
            ("relu6", _LAYER_SCALE, *_SMOOTH, *_MOVES), per_product=2,
        ),
        _params("calculate_flops(module, shape)[2]", text=_params_by_calflops),
    ),
)  # fmt: skip

_TORCH = Counter(
    "FlopCounterMode", "2.13.0",
    "2 operations per multiply-add of convolutions and matrix products; everything else counts 0.",
    "torch/utils/flop_counter.py", "https://docs.pytorch.org/docs/stable/index.html",
    (PrintedCount("total flops", "macs", "FlopCounterMode().get_total_flops()", str, free=_NO_PRODUCT, per_product=2),),
)  # fmt: skip

_TORCHVISION = Counter(
    "torchvision", "0.29.2",
    "The metadata of its weights has multiply-adds of convolutions and matrix products under the name GFLOPS, in units "
    "of 10⁹ with 3 decimals.",
    "test/common_extended_utils.py", "https://github.com/pytorch/vision/blob/main/test/common_extended_utils.py",
    (
        PrintedCount(
            "_ops", "macs", 'weights.meta["_ops"]', lambda number: str(round(number / 1e9, 3)), free=_NO_PRODUCT,
            rounding=GIGA,
        ),
        _params('weights.meta["num_params"]', "num_params"),
    ),
)  # fmt: skip

_KERAS = Counter(
    "Keras", "3",
    "All numbers that layers store. A batch norm stores four per channel, of which the moving mean and the moving "
    "variance are not trainable. It prints no operations.",
    "keras/src/utils/summary_utils.py",
    "https://github.com/keras-team/keras/blob/master/keras/src/utils/summary_utils.py",
    (
        _params(
            "model.summary()", "Total params", "Total params: {:,}".format,
            rules=(
                CounterRule("moving statistics of batch norm", (_NORM, _PLAIN_NORM),
                            "2 numbers per channel of {layers}",
                            ("channels",), 2),
            ),
        ),
    ),
)  # fmt: skip

COUNTERS = {
    each.name: each
    for each in (
        _THOP, _FVCORE, _PTFLOPS, _PTFLOPS_ATEN, _TORCHINFO, _CALFLOPS, _TORCH, _TORCHVISION, _KERAS,
    )
}  # fmt: skip
