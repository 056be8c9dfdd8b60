"""Why is the bottleneck linear? Figure 1 of MobileNetV2 (arXiv 1801.04381) as numbers.

A spiral in the plane is embedded in `dimensions` channels by a random matrix, passes an activation there, and is
projected back. In few channels ReLU destroys the spiral, in many it survives: an activation belongs where the
network is wide, and the narrow ends of an inverted residual stay linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

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
    """One embedding of the spiral and its way back.

    Attributes:
        dimensions: channels of the embedding, n in the paper.
        seed: of the random matrix T.
        activation: what acts in the embedding.
        original: the spiral, ``(points, 2)``.
        projected: ``activation(original @ T.T) @ pinv(T).T``, ``(points, 2)``: what the paper draws.
        lost: share of the spiral that no linear layer behind the activation can give back, 0 to 1; see `lost`.
    """

    dimensions: int
    seed: int
    activation: str
    original: Array
    projected: Array
    lost: float


class Loss(NamedTuple):
    """The share lost in one number of dimensions: quartiles over the seeds."""

    dimensions: int
    lower: float
    median: float
    upper: float


def spiral(points: int = POINTS) -> Array:
    """A spiral of two and a half turns around the origin, ``(points, 2)``, coordinates of mean square 1.

    The points are equally far apart along the curve, as nearly as the square root of the angle gives it. A mean square
    of 1 is what batch norm gives an activation as its input.

    Raises:
        DesignError: `points` is not an integer from 3 to `MAX_POINTS`.
    """
    return _spiral(whole("points", points, 3, MAX_POINTS)).copy()


@lru_cache(maxsize=8)
def _spiral(points: int) -> Array:
    import numpy as np

    angle = 2 * np.pi * TURNS * np.sqrt(np.linspace(0.0, 1.0, points))
    curve = angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    made: Array = curve / np.sqrt(np.mean(curve**2))
    return made


def matrix(dimensions: int, seed: int) -> Array:
    """The random matrix T, ``(dimensions, 2)``, entries from the standard normal distribution.

    With one seed the matrix of more dimensions starts with the rows of that of fewer.
    """
    import numpy as np

    dimensions = whole("dimensions", dimensions, 2, MAX_DIMENSIONS)
    return np.random.default_rng(whole("seed", seed, 0, 2**63 - 1)).standard_normal((dimensions, 2))


def embed(dimensions: int, seed: int, activation: str = "relu", *, points: int = POINTS) -> Embedding:
    """The spiral through `dimensions` channels with an activation, and back.

    Args:
        dimensions: 2 to `MAX_DIMENSIONS`.
        seed: of the random matrix; the same seed gives the same picture.
        activation: one of `ACTIVATIONS`; ``"none"`` is the linear bottleneck.
        points: of the spiral.

    Raises:
        DesignError: an argument is not what it may be.
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
    """The share of `original` that is lost in the features: 1 - R² of the best affine map back.

    The original points are fitted on the features and a constant by least squares; what is left over, the sum of the
    squared errors, is divided by that of the mean point. 0: a linear layer behind the activation restores every point.
    1: it can do no better than to answer the mean for all. A linear layer, because that is what follows in the network,
    a 1x1 convolution with batch norm; and the best one, because the projection by the pseudo-inverse of T, which the
    paper draws, is about half as large behind ReLU, which is no loss: the next layer can double it.

    Args:
        original: ``(points, 2)``.
        features: ``(..., points, dimensions)``, one or many embeddings.

    Returns:
        ``(..., dimensions)``: what is lost in the first feature, in the first two, ..., in all.
    """
    import numpy as np

    # Modified Gram-Schmidt over all embeddings at once: each direction is taken out of the features after it and out
    # of the original, whose rest is the error. In small steps of numpy alone, without threads, that is quickest.
    columns = np.ascontiguousarray(np.moveaxis(features, -1, 0))
    columns -= columns.mean(axis=-1, keepdims=True)
    centred = original - original.mean(axis=0)
    rest = np.broadcast_to(centred.T.reshape(2, *[1] * (columns.ndim - 2), -1), (2, *columns.shape[1:])).copy()
    sizes = np.sqrt(np.sum(columns**2, axis=-1, keepdims=True))
    errors = np.empty(columns.shape[:-1])
    for index, column in enumerate(columns):
        left = np.sqrt(np.sum(column**2, axis=-1, keepdims=True))
        # A feature that those before it give already is no direction of its own.
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
    """Median and quartiles of `lost` over the seeds 0 to ``seeds - 1``, for every number of dimensions.

    Raises:
        DesignError: an argument is not what it may be; no dimensions.
    """
    import numpy as np

    if not isinstance(dimensions, Sequence) or isinstance(dimensions, str) or not dimensions:
        fail("dimensions", dimensions, "must be a list of at least one integer")
    sizes = [whole("dimensions", each, 2, MAX_DIMENSIONS) for each in dimensions]
    activation = one_of("activation", activation, ACTIVATIONS)
    original = spiral(points)
    # The first rows of the largest matrix of a seed are its smaller ones.
    transforms = np.stack([matrix(max(sizes), seed) for seed in range(whole("seeds", seeds, 1, MAX_SEEDS))])
    features = _activated(original @ transforms.transpose(0, 2, 1), activation)
    shares = lost(original, features)
    quartiles = np.quantile(shares[:, [size - 1 for size in sizes]], (0.25, 0.5, 0.75), axis=0)
    return [Loss(size, *map(float, row)) for size, row in zip(sizes, quartiles.T, strict=True)]


__all__ = [
    "ACTIVATIONS",
    "DIMENSIONS",
    "Embedding",
    "Loss",
    "embed",
    "loss_curve",
    "lost",
    "matrix",
    "spiral",
]
