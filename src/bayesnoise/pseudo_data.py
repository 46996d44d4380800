"""A matrix of Gaussian weights given pseudo-data: learned inputs, and what the layer is to answer to them.

Louizos, Welling 2016, "Structured and Efficient Variational Deep Learning with Matrix Gaussian Posteriors" (arXiv
1603.04733), the section on pseudo-data. With `W ~ MN(M, diag(u), diag(v))` and m inputs A, of which the outputs
`A W + (jitter v)^1/2 N`, N standard normal, are known to be B, a dense layer has weights from the law of W given B. For
each example, from the law of a Gaussian vector given some of its numbers,

    Z = x U A' K^-1,   K = A U A' + jitter I,   r = x - Z A
    y = r M + Z B + ((r^2 u + jitter |Z|^2) v)^1/2 zeta

The paper has the mean `x M + Z (B - A M)` and the variance `(x^2 u - (Z K) . Z) v`: the same numbers, but a difference
of near ones, where this is a sum of squares. It is moreover the output of a matrix Gaussian with m more rows, of means
B and variances jitter, at the input (r, Z): whatever carries that law to its output carries this one. Random is what
that estimator draws.

With g the gradient of Z, that through r included, and G that of x and `q = g K^-1 A`, the rest by the chain rule is

    dx = G + u q,   du = sum r q,   dA = K^-1 g' (r u) - Z' dx
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._linalg import cholesky_factor, eye, solve_lower, solve_lower_transposed
from bayesnoise._typing import Array, Noise, Residuals, Rng, Shape
from bayesnoise.divergences import Divergence, GaussianKL, Zero
from bayesnoise.estimators import Estimator, Local
from bayesnoise.maps import Dense
from bayesnoise.maps.map import check_input
from bayesnoise.posteriors import MatrixGaussian, MatrixGaussianParams, Traits
from bayesnoise.stochastic import Stochastic


class PseudoDataParams(NamedTuple):
    matrix: MatrixGaussianParams  # of the law before the pseudo-data
    inputs: Array  # (m, in)
    outputs: Array  # (m, out)


class PseudoDataResiduals(NamedTuple):
    params: PseudoDataParams
    root: Array  # (m, m), the Cholesky factor of K
    solved: Array  # (m, in), K^-1 A
    rest: Array  # like x, r
    z: Array  # (n, ..., m)
    extended: Residuals


def _solve(root: Array, b: Array) -> Array:
    """`K^-1 b`: (m, m), (m, k) -> (m, k)."""
    return solve_lower_transposed(root, solve_lower(root, b))


@dataclass(frozen=True)
class PseudoData:
    """A dense layer with so many pseudo-data, whose outputs are known to a variance of `jitter` times those of v.

    The divergence is that of the law before the pseudo-data, as in the paper. TypeError for a map that is not dense;
    ValueError for fewer than one, a jitter or an initial scale not above 0, and a Monte Carlo divergence.
    """

    map: Dense
    count: int
    estimator: Estimator = Local()  # noqa: RUF009 - frozen, without state
    divergence: Divergence = GaussianKL()  # noqa: RUF009
    jitter: float = 1e-2
    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        if not isinstance(self.map, Dense):
            raise TypeError(f"map is {self.map}, expected Dense: pseudo-data are inputs of a product with the weights")
        _checks.positive_integer("count", self.count)
        _checks.positive("jitter", self.jitter)
        if self.divergence.monte_carlo:
            raise ValueError(f"divergence is {self.divergence}, a Monte Carlo one: expected a closed form")
        _ = self.matrix  # which refuses a scale, or an estimator that cannot carry it

    @property
    def matrix(self) -> Stochastic:
        """The layer before its pseudo-data."""
        return Stochastic(self.map, MatrixGaussian(self.initial_scale), self.estimator, self.divergence)

    @property
    def extended(self) -> Stochastic:
        """The layer of the input (r, Z), whose last rows are the pseudo-outputs."""
        more = Dense(self.map.in_features + self.count, self.map.out_features)
        return Stochastic(more, MatrixGaussian(self.initial_scale), self.estimator, Zero())

    @property
    def traits(self) -> Traits:
        """Of the whole law: the weights of an output are correlated."""
        return Traits(independent=False)

    @property
    def independent_examples(self) -> bool:
        return self.estimator.independent_examples

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.map.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> PseudoDataParams:
        """Standard normal pseudo-inputs, with the outputs that the mean gives them: fresh ones do not move it."""
        for_matrix, for_inputs = rng.split(2)
        matrix = self.matrix.init(for_matrix, like=like)
        inputs = for_inputs.normal((self.count, self.map.in_features), like=like)
        return PseudoDataParams(matrix, inputs, self.map.apply(inputs, matrix.mu))

    def draw(self, rng: Rng, params: PseudoDataParams, x_shape: Shape, *, like: Array) -> Noise:
        return self.extended.draw(rng, self._extended_params(params), self._extended_shape(x_shape), like=like)

    def _extended_shape(self, x_shape: Shape) -> Shape:
        self.output_shape(x_shape)
        return (*x_shape[:-1], self.map.in_features + self.count)

    def _extended_params(self, params: PseudoDataParams) -> MatrixGaussianParams:
        (mu, log_u, log_v), _, outputs = params
        xp = array_namespace(mu)
        of_jitter = xp.full((self.count,), log(self.jitter), dtype=mu.dtype, device=device(mu))
        return MatrixGaussianParams(xp.concat([mu, outputs]), xp.concat([log_u, of_jitter]), log_v)

    def _regressed(self, params: PseudoDataParams, x: Array) -> tuple[Array, Array, Array, Array]:
        """The Cholesky factor of K, `K^-1 A`, r and Z."""
        check_input(self.map, x, params)
        self.output_shape(x.shape)
        xp, a, u = array_namespace(x), params.inputs, array_namespace(x).exp(params.matrix.log_u)
        gram = xp.matmul(a * u, a.T)
        root = cholesky_factor(gram + self.jitter * eye(gram))
        solved = _solve(root, a)
        z = xp.matmul(x * u, solved.T)
        return root, solved, x - xp.matmul(z, a), z

    def forward(self, params: PseudoDataParams, noise: Noise, x: Array) -> tuple[Array, PseudoDataResiduals]:
        root, solved, rest, z = self._regressed(params, x)
        both = array_namespace(x).concat([rest, z], axis=-1)
        y, extended = self.extended.forward(self._extended_params(params), noise, both)
        return y, PseudoDataResiduals(params, root, solved, rest, z, extended)

    def backward(
        self, residuals: PseudoDataResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, PseudoDataParams]:
        params, root, solved, rest, z, extended = residuals
        grad_both: Array
        grad_both, grad = self.extended.backward(extended, grad_y)
        i, xp = self.map.in_features, array_namespace(rest)
        a, u = params.inputs, xp.exp(params.matrix.log_u)
        grad_rest = grad_both[..., :i]
        grad_z = grad_both[..., i:] - xp.matmul(grad_rest, a.T)
        q = xp.matmul(grad_z, solved)
        grad_x = grad_rest + u * q
        grad_u = _rows(rest * q)
        grad_inputs = _solve(root, xp.matmul(_rows(grad_z).T, _rows(rest * u))) - xp.matmul(_rows(z).T, _rows(grad_x))
        grad_log_u = grad.log_u[:i] + u * xp.sum(grad_u, axis=0)
        matrix = MatrixGaussianParams(grad.mu[:i, :], grad_log_u, grad.log_v)
        return (grad_x if input_grad else None), PseudoDataParams(matrix, grad_inputs, grad.mu[i:, :])

    def _both(self, params: PseudoDataParams, x: Array) -> Array:
        """The input (r, Z)."""
        _, _, rest, z = self._regressed(params, x)
        return array_namespace(x).concat([rest, z], axis=-1)

    def predict(self, params: PseudoDataParams, x: Array) -> Array:
        return self.extended.predict(self._extended_params(params), self._both(params, x))

    def moments(self, params: PseudoDataParams, x: Array) -> tuple[Array, Array]:
        """Exact mean and variance of each output; across outputs the estimators differ."""
        return self.extended.moments(self._extended_params(params), self._both(params, x))

    def kl(self, params: PseudoDataParams, noise: Noise | None = None) -> Array:
        return self.matrix.kl(params.matrix)

    def kl_grad(self, params: PseudoDataParams, noise: Noise | None = None) -> PseudoDataParams:
        xp = array_namespace(params.inputs)
        matrix = self.matrix.kl_grad(params.matrix)
        return PseudoDataParams(matrix, xp.zeros_like(params.inputs), xp.zeros_like(params.outputs))


def _rows(x: Array) -> Array:
    """`(n, ..., k) -> (rows, k)`."""
    return array_namespace(x).reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
