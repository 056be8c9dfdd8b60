"""The spiral of MobileNetV2's figure 1: what comes back, and how much is lost."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import effviz
from effviz.studies.manifold import DIMENSIONS, Embedding, embed, loss_curve, lost, matrix, spiral


def _by_lstsq(original: Any, features: Any) -> float:
    """1 - R² of numpy's own least squares."""
    regressors = np.column_stack([np.ones(len(features)), features])
    errors = original - regressors @ np.linalg.lstsq(regressors, original, rcond=None)[0]
    return float((errors**2).sum() / ((original - original.mean(axis=0)) ** 2).sum())


def _features(made: Embedding) -> Any:
    values = made.original @ np.random.default_rng(made.seed).standard_normal((made.dimensions, 2)).T
    return {"none": values, "relu": values.clip(min=0), "relu6": values.clip(0, 6)}[made.activation]


def test_the_spiral() -> None:
    points = spiral(200)
    assert points.shape == (200, 2)
    assert np.mean(points**2) == pytest.approx(1)
    radius = np.hypot(*points.T)
    assert (np.diff(radius) > 0).all(), "it winds outwards"
    turns = np.unwrap(np.arctan2(points[1:, 1], points[1:, 0]))
    assert abs(turns[-1] - turns[0]) / 2 / np.pi == pytest.approx(2.5, abs=0.3)
    steps = np.hypot(*np.diff(points, axis=0).T)[20:]
    assert steps.max() / steps.min() < 1.2, "equally far apart"


def test_the_spiral_is_a_copy() -> None:
    spiral()[:] = 0
    assert np.mean(spiral() ** 2) == pytest.approx(1)


@pytest.mark.parametrize("dimensions", [2, 3, 15, 50, 128])
def test_a_linear_embedding_loses_nothing(dimensions: int) -> None:
    for seed in range(5):
        made = embed(dimensions, seed, "none")
        assert made.lost < 1e-20
        np.testing.assert_allclose(made.projected, made.original, atol=1e-9)


def test_loss_falls_with_the_dimensions() -> None:
    curve = loss_curve(seeds=30)
    assert [each.dimensions for each in curve] == list(DIMENSIONS)
    for column in ("lower", "median", "upper"):
        values = [getattr(each, column) for each in curve]
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == len(values)
    assert all(0 <= each.lower <= each.median <= each.upper <= 1 for each in curve)


def test_a_seed_loses_less_with_every_dimension() -> None:
    """The matrix of more dimensions begins with that of fewer, and more features never fit worse."""
    np.testing.assert_array_equal(matrix(5, 3), matrix(50, 3)[:5])
    for seed in range(5):
        shares = [embed(size, seed).lost for size in range(2, 20)]
        assert all(more <= fewer + 1e-15 for fewer, more in pairwise(shares))


def test_relu_in_two_dimensions_loses_much() -> None:
    """Where both are negative, a sector of the plane becomes one point."""
    (two,) = loss_curve((2,), 100)
    assert 0.2 < two.lower < two.median < two.upper < 0.6
    made = embed(2, 0)
    dead = (_features(made) == 0).all(axis=1)
    assert dead.sum() > 5
    assert np.ptp(made.projected[dead], axis=0).max() == 0
    (many,) = loss_curve((30,), 100)
    assert many.median < 1e-4


def test_what_is_lost_by_hand() -> None:
    """Of four corners, one feature keeps the first coordinate, half of the spread; a constant keeps nothing."""
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert lost(corners, corners[:, :1]).tolist() == pytest.approx([0.5])
    assert lost(corners, np.ones((4, 1))).tolist() == pytest.approx([1.0])
    assert lost(corners, 3 * corners + 7).tolist() == pytest.approx([0.5, 0.0], abs=1e-15)
    assert lost(corners, corners[:, [0, 0, 1]]).tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-15)
    assert lost(corners + 100, corners[:, :1]).tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("activation", ["relu", "relu6"])
@pytest.mark.parametrize("dimensions", [2, 3, 5, 10, 15, 30])
def test_lost_is_that_of_least_squares(activation: str, dimensions: int) -> None:
    for seed in range(8):
        made = embed(dimensions, seed, activation)
        assert made.lost == pytest.approx(_by_lstsq(made.original, _features(made)), rel=1e-6, abs=1e-13)


def test_lost_with_features_that_repeat() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((60, 3))
    features = np.column_stack([features, features @ rng.standard_normal((3, 4)), rng.standard_normal((60, 2))])
    original = rng.standard_normal((60, 2))
    expected = [_by_lstsq(original, features[:, :count]) for count in range(1, 10)]
    assert lost(original, features).tolist() == pytest.approx(expected, rel=1e-9)


def test_lost_with_more_features_than_points() -> None:
    made = embed(50, 1, points=20)
    assert made.lost < 1e-12


def test_the_projection_is_the_pseudo_inverse() -> None:
    made = embed(7, 4)
    transform = matrix(7, 4)
    inverse = np.linalg.inv(transform.T @ transform) @ transform.T
    np.testing.assert_allclose(made.projected, _features(made) @ inverse.T, atol=1e-12)


def test_curve_and_pictures_agree() -> None:
    for activation in ("relu", "relu6", "none"):
        curve = loss_curve((3, 10), 11, activation)
        for each in curve:
            shares = [embed(each.dimensions, seed, activation).lost for seed in range(11)]
            expected = np.quantile(shares, (0.25, 0.5, 0.75))
            assert each[1:] == pytest.approx(tuple(expected), rel=1e-9, abs=1e-15)


def test_seeds_are_reproducible() -> None:
    first, again, other = embed(5, 11), embed(5, 11), embed(5, 12)
    np.testing.assert_array_equal(first.projected, again.projected)
    assert first.lost == again.lost != other.lost
    assert loss_curve((2, 5), 7) == loss_curve((2, 5), 7)


def test_relu6_clips_what_is_beyond_6() -> None:
    seed = next(seed for seed in range(50) if (spiral() @ matrix(5, seed).T).max() > 6.2)
    assert embed(5, seed, "relu6").lost != embed(5, seed, "relu").lost
    assert (_features(embed(5, seed, "relu6")) <= 6).all()


def test_a_curve_is_fast() -> None:
    """Every move of a slider needs one. Processor time, because other processes may use the machine."""
    loss_curve((2, 3), 2)
    spent = []
    for _ in range(5):
        start = time.process_time()
        loss_curve((2, 3, 5, 10, 15, 20, 30, 50), 20)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spiral(2), "points = 2 must be at least 3"),
        (lambda: spiral(1001), "points = 1001 must be at most 1000"),
        (lambda: embed(1, 0), "dimensions = 1 must be at least 2"),
        (lambda: embed(129, 0), "dimensions = 129 must be at most 128"),
        (lambda: embed(2.5, 0), "dimensions = 2.5 must be an integer"),  # type: ignore[arg-type]
        (lambda: embed(2, -1), "seed = -1 must be at least 0"),
        (lambda: embed(2, 0, "gelu"), "activation = 'gelu' must be one of relu, none, relu6"),
        (lambda: loss_curve((2,), 0), "seeds = 0 must be at least 1"),
        (lambda: loss_curve((2,), 101), "seeds = 101 must be at most 100"),
        (lambda: loss_curve((2, 0)), "dimensions = 0 must be at least 2"),
        (lambda: loss_curve(()), "dimensions = () must be a list of at least one integer"),
        (lambda: loss_curve(5), "dimensions = 5 must be a sequence"),  # type: ignore[arg-type]
        (lambda: loss_curve((2,), 3, "tanh"), "activation = 'tanh' must be one of relu, none, relu6"),
    ],
)
def test_errors_name_argument_and_value(call: Any, message: str) -> None:
    with pytest.raises(effviz.DesignError) as caught:
        call()
    assert str(caught.value) == message
