"""What structured Gaussian noise adds to a loss, to second order: a reading of it, not a term of any objective.

    E loss(h * xi) - loss(h) ~ (1/2) <H, diag(h) U diag(alpha) U' diag(h)>

with H the Hessian of the loss by the activations h. Exact where the loss is quadratic in h. Nguyen et al. 2021 (arXiv
2102.07927) read the method so; the factor 1/2 of the expansion is missing where this is quoted without it.
"""

from __future__ import annotations

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array
from bayesnoise.noise.householder import rotate
from bayesnoise.noise.structured_gaussian import StructuredGaussian, StructuredGaussianParams


def structured_regularizer(
    layer: StructuredGaussian, params: StructuredGaussianParams, h: Array, hessian: Array
) -> Array:
    """For each example, `sum_k (h * c_k)' H (h * c_k) / 2` with c_k column k of `U diag(alpha)^(1/2)`.

    Activations (n, k) and their Hessians (n, k, k) -> (n,). TypeError or ValueError for a wrong dtype or shape.
    """
    _checks.layer_input(h, params)
    _checks.floating("hessian", hessian)
    _checks.same_kind("hessian", hessian, "h", h)
    _checks.shape("h", h, (h.shape[0], layer.units))
    _checks.shape("hessian", hessian, (h.shape[0], layer.units, layer.units))
    xp = array_namespace(h)
    root_alpha = xp.exp(0.5 * params.log_alpha)
    scaled_basis = xp.eye(layer.units, dtype=h.dtype, device=device(h)) * root_alpha
    columns = rotate(layer.vectors.directions(params.reflections).units, scaled_basis)
    directions = columns[None, :, :] * h[:, None, :]
    return 0.5 * xp.sum(xp.matmul(directions, hessian) * directions, axis=(1, 2))
