"""The Gaussian law of the weights of a linear model, held by the directions in which data narrow the prior.

With the prior `w ~ N(0, prior_scale^2)` and u = w / prior_scale, orthonormal directions V and what the data add to the
precision along them, a, in units of the prior's,

    w = mean + prior_scale (V diag(1 + a)^-1/2 V' + I - V V') eps,      eps standard normal

Random is eps. The posterior after `y = x w + noise` has this form: with the thin singular value decomposition
`x prior_scale = U diag(l) V'` and `a = (l / noise_scale)^2` (Bishop 2006, "Pattern Recognition and Machine Learning",
section 3.3, in these coordinates),

    mean = prior_scale V diag(l / (l^2 + noise_scale^2)) U'y

No precision matrix is formed, whose condition number would be the square of that of x, and nothing is inverted: fewer
rows than columns, equal columns and rows of zeros are no special cases. The decomposition is that of the standard's
`linalg` extension, which NumPy, CuPy, torch and JAX have.
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array


class LinearLaw(NamedTuple):
    mean: Array  # (d, k), for each of k targets, whose weights are independent and share the rest
    prior_scale: Array  # (d,)
    directions: Array  # (r, d), rows orthonormal, or 0
    signal: Array  # (r,), a


class Spectrum(NamedTuple):
    """All that posterior and evidence need of the data, whatever the noise."""

    prior_scale: Array  # (d,)
    values: Array  # (r,), singular values of x * prior_scale, r = min(n, d)
    directions: Array  # (r, d), V'
    targets: Array  # (r, k), U'y
    unexplained: Array  # (), |y - U U'y|^2


def decompose(x: Array, y: Array, prior_scale: Array) -> Spectrum:
    """The data `x (n, d)`, `y (n, k)` under a prior of scales `(d,)`."""
    xp = array_namespace(x)
    left, values, directions = xp.linalg.svd(x * prior_scale, full_matrices=False)
    targets = xp.matmul(left.T, y)
    rest = y - xp.matmul(left, targets)
    return Spectrum(prior_scale, values, directions, targets, xp.sum(rest * rest))


def posterior(spectrum: Spectrum, noise_scale: float) -> LinearLaw:
    """The exact law of the weights given the data."""
    prior_scale, values, directions, targets, _ = spectrum
    ratio = values / noise_scale
    signal = ratio * ratio
    along = (ratio / (1.0 + signal))[:, None] * (targets / noise_scale)
    mean = prior_scale[:, None] * array_namespace(along).matmul(directions.T, along)
    return LinearLaw(mean, prior_scale, directions, signal)


def independent(law: LinearLaw, x: Array, noise_scale: float) -> LinearLaw:
    """The best Gaussian law with independent weights: the mean of the posterior, variances 1 / its precisions.

    Bishop 2006, section 10.1.2. The precision of weight i is `1 / prior_scale_i^2 + sum_n x_ni^2 / noise_scale^2`.
    """
    ratio = x * law.prior_scale / noise_scale
    return law._replace(directions=_identity(law.prior_scale), signal=array_namespace(x).sum(ratio * ratio, axis=0))


def _identity(scales: Array) -> Array:
    return array_namespace(scales).eye(scales.shape[0], dtype=scales.dtype, device=device(scales))


def _split(law: LinearLaw, rows: Array) -> tuple[Array, Array]:
    """Rows `(m, d)` by their parts along the directions, `(m, r)`, and beside them, `(m, d)`.

    Twice, for what rounding leaves of the first subtraction may exceed a narrow law.
    """
    xp = array_namespace(rows)
    along = xp.matmul(rows, law.directions.T)
    beside = rows - xp.matmul(along, law.directions)
    again = xp.matmul(beside, law.directions.T)
    return along + again, beside - xp.matmul(again, law.directions)


def _narrowed(law: LinearLaw, rows: Array) -> Array:
    """Rows `(m, d)` times the symmetric root of the covariance of `w / prior_scale`."""
    xp = array_namespace(rows)
    along, beside = _split(law, rows)
    return beside + xp.matmul(along / xp.sqrt(1.0 + law.signal), law.directions)


def variance(law: LinearLaw, x: Array) -> Array:
    """The variance of `x w`, the same for each target: `(m, d) -> (m,)`."""
    root = _narrowed(law, x * law.prior_scale)
    return array_namespace(root).sum(root * root, axis=1)


def covariance(law: LinearLaw) -> Array:
    """The covariance `(d, d)` of the weights of one target."""
    root = _narrowed(law, law.prior_scale * _identity(law.prior_scale))
    return array_namespace(root).matmul(root, root.T)


def sample(law: LinearLaw, eps: Array) -> Array:
    """A draw of the weights from standard normal numbers: `(d, k) -> (d, k)`."""
    return law.mean + law.prior_scale[:, None] * _narrowed(law, eps.T).T


def kl(law: LinearLaw) -> Array:
    """The divergence from the law to the prior, over all targets, shape ()."""
    xp = array_namespace(law.mean)
    spread = xp.sum(xp.log1p(law.signal) - law.signal / (1.0 + law.signal))
    shift = law.mean / law.prior_scale[:, None]
    return 0.5 * (law.mean.shape[1] * spread + xp.sum(shift * shift))


def expected_squares(law: LinearLaw, x: Array, y: Array) -> Array:
    """`E |y - x w|^2` under the law, shape ()."""
    xp = array_namespace(x)
    rest = y - xp.matmul(x, law.mean)
    return xp.sum(rest * rest) + y.shape[1] * xp.sum(variance(law, x))
