"""Why linear bottlenecks: figure 1 of MobileNetV2 (arXiv 1801.04381) as numbers.

A random matrix embeds a spiral in `dimensions` channels. An activation is applied there, and the result is projected
back. ReLU destroys the spiral in few channels and preserves it in many. So activations belong to the wide layers, and
the narrow ends of an inverted residual are linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import fail, one_of, whole

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

ACTIVATIONS = ("relu", "none", "relu6")
DIMENSIONS = (2, 3, 5, 10, 15, 30, 50)
MAX_DIMENSIONS = 128
MAX_POINTS = 1_000
MAX_SEEDS = 100
POINTS = 200
TURNS = 2.5


@dataclass(frozen=True, eq=False)
class Embedding:
    """One embedding of the spiral and its projection back."""

    dimensions: int  # channels of the embedding, n in the paper
    seed: int  # of the random matrix T
    activation: str  # applied in the embedding
    original: Array  # the spiral, ``(points, 2)``
    projected: Array  # ``activation(original @ T.T) @ pinv(T).T``, ``(points, 2)``, as drawn in the paper
    lost: float  # share of the spiral that no linear layer after the activation can restore, 0 to 1; see `lost`


class Loss(NamedTuple):
    """The share lost in one number of dimensions: quartiles over the seeds."""

    dimensions: int
    lower: float
    median: float
    upper: float


def spiral(points: int = POINTS) -> Array:
    """Return a spiral of two and a half turns around the origin, ``(points, 2)``, coordinates of mean square 1.

    The points are almost equidistant along the curve. Batch norm also gives an activation inputs of mean square 1.

    Raises:
        DesignError: `points` is not an integer from 3 to `MAX_POINTS`.
    """
    return _spiral(whole("points", points, 3, MAX_POINTS)).copy()


@remembered
def _spiral(points: int) -> Array:
    import numpy as np

    angle = 2 * np.pi * TURNS * np.sqrt(np.linspace(0.0, 1.0, points))
    curve = angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    made: Array = curve / np.sqrt(np.mean(curve**2))
    return made


def matrix(dimensions: int, seed: int) -> Array:
    """Return the random matrix T, ``(dimensions, 2)``, with entries from the standard normal distribution.

    With the same seed, a larger matrix starts with the rows of a smaller one.
    """
    import numpy as np

    dimensions = whole("dimensions", dimensions, 2, MAX_DIMENSIONS)
    return np.random.default_rng(whole("seed", seed, 0, 2**63 - 1)).standard_normal((dimensions, 2))


def embed(dimensions: int, seed: int, activation: str = "relu", *, points: int = POINTS) -> Embedding:
    """Embed the spiral in `dimensions` channels, apply an activation, and project back.

    Args:
        dimensions: 2 to `MAX_DIMENSIONS`.
        seed: of the random matrix; the same seed gives the same picture.
        activation: one of `ACTIVATIONS`; ``"none"`` is the linear bottleneck.
        points: of the spiral.

    Raises:
        DesignError: an argument is illegal.
    """
    import numpy as np

    activation = one_of("activation", activation, ACTIVATIONS)
    original = spiral(points)
    transform = matrix(dimensions, seed)
    features = _activated(original @ transform.T, activation)
    projected = features @ np.linalg.pinv(transform).T
    share = float(lost(original, features)[-1])
    return Embedding(len(transform), int(seed), activation, original, projected, share)


def _activated(values: Array, activation: str) -> Array:
    import numpy as np

    if activation == "none":
        return values
    positive: Array = np.maximum(values, 0.0)
    return np.minimum(positive, 6.0) if activation == "relu6" else positive


def lost(original: Array, features: Array) -> Array:
    """Return the share of `original` that is lost in the features: 1 - R² of the best affine map back.

    Least squares fit the original points to the features and a constant. The sum of the squared errors is divided by
    that of the mean point. At 0, a linear layer after the activation restores every point. At 1, it returns the mean
    for all points. The layer is linear because a 1x1 convolution with batch norm follows in the network. It is the best
    one because the projection by the pseudo-inverse of T, as in the paper, is about half as large after ReLU. That is
    no loss: the next layer can double it.

    Args:
        original: ``(points, 2)``.
        features: ``(..., points, dimensions)``, one or many embeddings.

    Returns:
        ``(..., dimensions)``: the loss with the first feature, with the first two, ..., with all.
    """
    import numpy as np

    # Modified Gram-Schmidt over all embeddings at once: each direction is subtracted from the following features and
    # from the original, whose remainder is the error. Small numpy steps without threads are fastest.
    columns = np.ascontiguousarray(np.moveaxis(features, -1, 0))
    columns -= columns.mean(axis=-1, keepdims=True)
    centred = original - original.mean(axis=0)
    rest = np.broadcast_to(centred.T.reshape(2, *[1] * (columns.ndim - 2), -1), (2, *columns.shape[1:])).copy()
    sizes = np.sqrt(np.sum(columns**2, axis=-1, keepdims=True))
    errors = np.empty(columns.shape[:-1])
    for index, column in enumerate(columns):
        left = np.sqrt(np.sum(column**2, axis=-1, keepdims=True))
        # A feature that depends on the former ones adds no direction.
        own = left > 1e-10 * sizes[index]
        direction = np.where(own, column / np.where(own, left, 1.0), 0.0)
        for others in (columns[index + 1 :], rest):
            others -= np.einsum("k...p,...p->k...", others, direction)[..., None] * direction
        errors[index] = np.sum(rest**2, axis=(0, -1))
    shares: Array = np.moveaxis(errors, 0, -1) / np.sum(centred**2)
    return shares


def loss_curve(
    dimensions: Sequence[int] = DIMENSIONS, seeds: int = 20, activation: str = "relu", *, points: int = POINTS
) -> list[Loss]:
    """Return median and quartiles of `lost` over the seeds 0 to ``seeds - 1``, for every number of dimensions.

    Raises:
        DesignError: an argument is illegal, or `dimensions` is empty.
    """
    import numpy as np

    if not isinstance(dimensions, Sequence) or isinstance(dimensions, str) or not dimensions:
        fail("dimensions", dimensions, "must be a list of at least one integer")
    sizes = [whole("dimensions", each, 2, MAX_DIMENSIONS) for each in dimensions]
    activation = one_of("activation", activation, ACTIVATIONS)
    original = spiral(points)
    # The first rows of the largest matrix of a seed are its smaller matrices.
    transforms = np.stack([matrix(max(sizes), seed) for seed in range(whole("seeds", seeds, 1, MAX_SEEDS))])
    features = _activated(original @ transforms.transpose(0, 2, 1), activation)
    shares = lost(original, features)
    quartiles = np.quantile(shares[:, [size - 1 for size in sizes]], (0.25, 0.5, 0.75), axis=0)
    return [Loss(size, *map(float, row)) for size, row in zip(sizes, quartiles.T, strict=True)]


check_border(globals())
