"""Compound scaling: depth, width and resolution from one coefficient (EfficientNet, arXiv 1905.11946, section 3.3)."""

from __future__ import annotations

from effviz.design import Design
from effviz.errors import DesignError, fail, number

MAX_PHI = 100.0


def compound_scale(design: Design, phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> Design:
    """`design` with depth x alpha**phi, width x beta**phi and resolution round(resolution * gamma**phi).

    The paper fixes alpha * beta**2 * gamma**2 close to 2, so that phi + 1 doubles the multiply-adds; its own values,
    the defaults, give 1.92.

    Args:
        design: the baseline, phi = 0.
        phi: compound coefficient; fractions and negative values are legal.
        alpha, beta, gamma: bases for depth, width and resolution, positive.

    Raises:
        DesignError: a value is not finite, or the scaled network is out of bounds.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    phi = number("phi", phi, -MAX_PHI, MAX_PHI)
    bases = {
        name: number(name, value, 0, 10, open_below=True)
        for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma))
    }
    try:
        return design.scaled(
            depth_mult=bases["alpha"] ** phi,
            width_mult=bases["beta"] ** phi,
            resolution=round(design.resolution * bases["gamma"] ** phi),
        )
    except OverflowError:
        fail("phi", phi, f"scales beyond all numbers with {bases}")
    except DesignError as error:
        raise DesignError(f"phi = {phi:g}: {error.problem}", path=error.path) from None
