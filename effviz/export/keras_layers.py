"""The Keras function of every layer, with the arguments and defaults of torch; a file has those that it needs."""

from effviz.model import layers
from effviz.model.layers import Primitive

INFERRED = ("in_channels", "in_features", "num_features")
"""Arguments of torch layers that Keras takes from the input."""

FUNCTIONS: dict[type[Primitive], str] = {
    layers.Activation: "activate",
    layers.AdaptiveAvgPool2d: "adaptive_avg_pool2d",
    layers.AvgPool2d: "avg_pool2d",
    layers.BatchNorm2d: "batch_norm2d",
    layers.ChannelSelect: "channel_select",
    layers.ChannelShuffle: "channel_shuffle",
    layers.Conv2d: "conv2d",
    layers.Dropout: "drop_features",
    layers.Flatten: "flatten",
    layers.GlobalAvgPool: "global_avg_pool2d",
    layers.LayerNorm2d: "layer_norm2d",
    layers.LayerScale: "layer_scale",
    layers.Linear: "linear",
    layers.MaxPool2d: "max_pool2d",
    layers.Slice: "channel_slice",
    layers.StochasticDepth: "stochastic_depth",
    layers.Subsample: "subsample",
    layers.ZeroPadChannels: "zero_pad_channels",
}
"""The function of every layer. `Identity` needs none."""

HELPERS = {
    "conv2d": '''
def conv2d(x, name, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
    """Convolve with the padding of torch, which is symmetric; "same" of Keras is not for stride 2.

    One group per channel is a DepthwiseConv2D, because TensorFlow has no grouped convolution on CPUs.
    """
    window, strides, spread = pair(kernel_size), pair(stride), pair(dilation)
    if any(pair(padding)):
        x = keras.layers.ZeroPadding2D(pair(padding), name=f"{name}-pad")(x)
    # Keras has no convolution with both a stride and a dilation.
    steps = strides if max(spread) == 1 else (1, 1)
    if 1 < groups == x.shape[-1] and steps[0] == steps[1]:
        x = keras.layers.DepthwiseConv2D(
            window, steps, depth_multiplier=out_channels // groups, dilation_rate=spread, use_bias=bias, name=name
        )(x)
    else:
        x = keras.layers.Conv2D(
            out_channels, window, steps, dilation_rate=spread, groups=groups, use_bias=bias, name=name
        )(x)
    return x if steps == strides else x[:, :: strides[0], :: strides[1]]''',
    "max_pool2d": '''
def max_pool2d(x, name, kernel_size, stride=None, padding=0, ceil_mode=False):
    """Return the maximum of sliding windows; pixels outside the map never win."""
    window, strides = pair(kernel_size), pair(stride or kernel_size)
    edges = [pool_edges(*each, ceil_mode) for each in zip(x.shape[1:3], window, strides, pair(padding))]
    if any(map(any, edges)):
        x = keras.ops.pad(x, [(0, 0), *edges, (0, 0)], constant_values=float("-inf"))
    return keras.layers.MaxPooling2D(window, strides, name=name)(x)''',
    "avg_pool2d": '''
def avg_pool2d(x, name, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Return the mean of sliding windows; the last windows of ceil_mode count only the pixels that they cover."""
    window, strides = pair(kernel_size), pair(stride or kernel_size)
    sides, margins = x.shape[1:3], pair(padding)
    edges = [pool_edges(*each, ceil_mode) for each in zip(sides, window, strides, margins)]
    if any(map(any, edges)):
        x = keras.layers.ZeroPadding2D(edges, name=f"{name}-pad")(x)
    x = keras.layers.AveragePooling2D(window, strides, name=name)(x)
    inside = [side + 2 * margin * count_include_pad for side, margin in zip(sides, margins)]
    outside = [(0, end - start) if count_include_pad else (start, end) for start, end in edges]
    if not any(map(any, outside)):
        return x
    counted = keras.ops.pad(keras.ops.ones((1, *inside, 1)), [(0, 0), *outside, (0, 0)])
    return x / keras.ops.average_pool(counted, window, strides, data_format="channels_last")''',
    "adaptive_avg_pool2d": '''
def adaptive_avg_pool2d(x, name, output_size):
    """Return the mean of one window per output pixel; windows overlap if the sizes do not divide."""
    (height, width), (rows, columns) = x.shape[1:3], pair(output_size)
    if height % rows == 0 and width % columns == 0:
        return keras.layers.AveragePooling2D((height // rows, width // columns), name=name)(x)
    down = [x[:, i * height // rows : -(-(i + 1) * height // rows)] for i in range(rows)]
    x = keras.ops.concatenate([keras.ops.mean(part, axis=1, keepdims=True) for part in down], axis=1)
    across = [x[:, :, i * width // columns : -(-(i + 1) * width // columns)] for i in range(columns)]
    return keras.ops.concatenate([keras.ops.mean(part, axis=2, keepdims=True) for part in across], axis=2)''',
    "pool_edges": '''
def pool_edges(size, window, stride, padding, ceil_mode):
    """Return the pixels to add before and after one side, so that torch's windows fit."""
    count = (size + 2 * padding - window + (stride - 1) * ceil_mode) // stride + 1
    if (count - 1) * stride >= size + padding:
        count -= ceil_mode  # torch drops a window that starts in the padding
    return padding, max(padding, (count - 1) * stride + window - size - padding)''',
    "pair": '''
def pair(size):
    """Return the height and the width of a size that may be one number."""
    return tuple(size) if isinstance(size, (tuple, list)) else (size, size)''',
    "batch_norm2d": '''
def batch_norm2d(x, name, eps=1e-5, momentum=0.1, affine=True):
    """Normalise with the defaults of torch, whose momentum is the share of the new value."""
    return keras.layers.BatchNormalization(
        momentum=1 - momentum, epsilon=eps, center=affine, scale=affine, name=name
    )(x)''',
    "layer_norm2d": '''
def layer_norm2d(x, name, eps=1e-6):
    """Normalise the channels of each pixel."""
    return keras.layers.LayerNormalization(epsilon=eps, name=name)(x)''',
    "layer_scale": '''
class LayerScale(keras.layers.Layer):
    """One trained factor per channel."""

    def build(self, shape):
        start = keras.initializers.Constant(1e-6)
        self.scale = self.add_weight(shape=(shape[-1],), initializer=start, name="scale")

    def call(self, x):
        return x * self.scale


def layer_scale(x, name):
    """Scale the channels."""
    return LayerScale(name=name)(x)''',
    "channel_select": '''
class ChannelSelect(keras.layers.Layer):
    """Copies of chosen channels; the indices are evenly spaced until trained weights are loaded."""

    def __init__(self, out_channels, **options):
        super().__init__(**options)
        self.out_channels = out_channels

    def build(self, shape):
        def spaced(size, dtype=None):
            return keras.ops.cast(keras.ops.arange(size[0]) * shape[-1] // size[0], dtype)

        size = (self.out_channels,)
        self.index = self.add_weight(size, spaced, "int32", trainable=False, name="index")

    def call(self, x):
        return keras.ops.take(x, self.index, axis=-1)

    def get_config(self):
        return super().get_config() | {"out_channels": self.out_channels}


def channel_select(x, name, out_channels):
    """Copy chosen channels."""
    return ChannelSelect(out_channels, name=name)(x)''',
    "channel_shuffle": '''
def channel_shuffle(x, name, groups):
    """Interleave the channels of the groups."""
    _, height, width, channels = x.shape
    x = keras.layers.Reshape((height, width, groups, channels // groups), name=f"{name}-split")(x)
    x = keras.layers.Permute((1, 2, 4, 3), name=f"{name}-swap")(x)
    return keras.layers.Reshape((height, width, channels), name=name)(x)''',
    "channel_slice": '''
def channel_slice(x, name, start, stop):
    """Return the channels from start up to, not including, stop."""
    return x[..., start:stop]''',
    "subsample": '''
def subsample(x, name, stride):
    """Return every stride-th pixel of both sides."""
    return x[:, ::stride, ::stride]''',
    "zero_pad_channels": '''
def zero_pad_channels(x, name, out_channels):
    """Add channels of zeros before and after those of the input."""
    more = out_channels - x.shape[-1]
    return keras.ops.pad(x, [(0, 0), (0, 0), (0, 0), (more // 2, more - more // 2)])''',
    "global_avg_pool2d": '''
def global_avg_pool2d(x, name):
    """Return the mean of each channel, as a map of one pixel."""
    return keras.layers.GlobalAveragePooling2D(keepdims=True, name=name)(x)''',
    "flatten": '''
def flatten(x, name):
    """Reshape the map into features in the order of torch: channels first."""
    if len(x.shape) == 4 and x.shape[1] * x.shape[2] > 1:
        x = keras.layers.Permute((3, 1, 2), name=f"{name}-order")(x)
    return keras.layers.Flatten(name=name)(x)''',
    "linear": '''
def linear(x, name, out_features, bias=True):
    """Multiply the features by a matrix."""
    return keras.layers.Dense(out_features, use_bias=bias, name=name)(x)''',
    "activate": '''
def activate(x, name, function):
    """Apply a function to every element; leaky_relu has the slope of torch."""
    if function == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=0.01, name=name)(x)
    return keras.layers.Activation(function, name=name)(x)''',
    "drop_features": '''
def drop_features(x, name, p=0.5):
    """Set elements to zero with probability p, in training only."""
    return keras.layers.Dropout(p, name=name)(x)''',
    "stochastic_depth": '''
def stochastic_depth(x, name, p):
    """Drop the whole branch of single images with probability p, in training only (arXiv 1603.09382)."""
    return keras.layers.Dropout(p, noise_shape=(None, *(1 for _ in x.shape[1:])), name=name)(x)''',
    "resize_like": '''
def resize_like(x, like):
    """Copy the nearest pixels, so that the map gets the size of another one."""
    for axis in (1, 2):
        old, new = x.shape[axis], like.shape[axis]
        x = keras.ops.take(x, [i * old // new for i in range(new)], axis=axis)
    return x''',
}
"""Names and code of the functions."""
