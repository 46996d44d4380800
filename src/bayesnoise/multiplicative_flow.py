"""Multiplicative normalizing flows: the means of the weights times a random factor a unit, whose law is a flow.

    z = f(mean_z + scale_z * eps),    w | z ~ N(z * mean, scale^2),    y = B(x z, mean) + sqrt(B(x^2, scale^2)) * zeta

Louizos, Welling 2017, "Multiplicative Normalizing Flows for Variational Bayesian Neural Networks" (arXiv 1703.01961),
section 3 and algorithm 1 (numbering as reported). `z` is drawn anew for each example; it multiplies the inputs of a
dense map, or the filters of a convolution, where it leaves the product: `y = z B(x, mean) + ...`. Given `z` the noise
is that of local reparameterization, with its reservation about convolutions. `q(w)` itself is a mixture without a
closed density; with an auxiliary density r(z | w) the divergence to the prior p is at most

    E [ KL(q(w | z) || p) + log q(z) - log r(z | w) ]

which is estimated with one draw of `z` and of `w`, apart from those of the examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.divergences import Divergence, GaussianKL
from bayesnoise.estimators.estimator import Operands
from bayesnoise.estimators.local import Local, LocalNoise, LocalNoiseResiduals, local_noise, local_noise_backward
from bayesnoise.estimators.plain import Plain, PlainResiduals
from bayesnoise.flows import Auxiliary, Bound, Factor, Flow, MultiplicativeFlowParams
from bayesnoise.flows.bound import BoundResiduals
from bayesnoise.flows.factor import FactorResiduals
from bayesnoise.layer import Empty
from bayesnoise.maps import Map
from bayesnoise.maps.map import check_numbers
from bayesnoise.posteriors import Coordinates, Gaussian


class MultiplicativeFlowNoise(NamedTuple):
    eps: Array  # (n, d), standard normal, behind z
    zeta: Array  # like y, standard normal
    kl_eps: Array  # (1, d), standard normal, behind the z of the divergence
    kl_eta: Array  # (1, k), standard normal, behind its weights: k of them a unit


class MultiplicativeFlowResiduals(NamedTuple):
    params: MultiplicativeFlowParams
    scale: Array  # like the weights
    z: Array  # broadcasts to x or to y
    factor: FactorResiduals
    x: Array
    centre: Array  # like y: the part that is not noise, before z multiplies it
    plain: PlainResiduals
    noise: LocalNoiseResiduals


@dataclass(frozen=True)
class MultiplicativeFlow:
    """Weights without a bias; `unit` says whether `z` has one number an input or one an output.

    `steps` and `hidden` are the sizes of the flow of `z` and of that of the auxiliary density. ValueError for a size
    below 1, a unit that the map has not, or a divergence without a closed form, TypeError for a map of integers.
    """

    map: Map
    unit: Literal["input", "output"] = "input"
    posterior: Gaussian = Gaussian()  # noqa: RUF009 - frozen, without state
    divergence: Divergence = GaussianKL()  # noqa: RUF009 - frozen, without state
    steps: int = 2
    hidden: int = 50

    def __post_init__(self) -> None:
        check_numbers(self.map)
        _checks.one_of("unit", self.unit, ("input", "output"))
        if self.divergence.monte_carlo:
            raise ValueError(f"divergence is {self.divergence}, expected one in closed form, such as GaussianKL")
        Flow(self._units, self.steps, self.hidden)  # raises for sizes out of range

    @property
    def _units(self) -> int:
        return prod(self.map.unit_shape(self.unit))

    @property
    def _factor(self) -> Factor:
        return Factor(Flow(self._units, self.steps, self.hidden))

    @property
    def _bound(self) -> Bound:
        shape, auxiliary = self.map.unit_shape(self.unit), Auxiliary(self._factor.flow)
        return Bound(shape, self.posterior, self.divergence, self._factor, auxiliary)

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.map.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> MultiplicativeFlowParams:
        for_weight, for_factor, for_auxiliary = rng.split(3)
        return MultiplicativeFlowParams(
            self.posterior.init(for_weight, self.map, like=like),
            self._factor.init(for_factor, like=like),
            self._bound.auxiliary.init(for_auxiliary, like=like),
        )

    def _noise_shapes(self, x_shape: Shape) -> MultiplicativeFlowNoise:
        d = self._units
        k = prod(self.map.weight_shape) // d
        return MultiplicativeFlowNoise((x_shape[0], d), self.map.output_shape(x_shape), (1, d), (1, k))

    def draw(
        self, rng: Rng, params: MultiplicativeFlowParams, x_shape: Shape, *, like: Array
    ) -> MultiplicativeFlowNoise:
        shapes = self._noise_shapes(x_shape)
        drawn = (r.normal(s, like=like) for r, s in zip(rng.split(len(shapes)), shapes, strict=True))
        return MultiplicativeFlowNoise(*drawn)

    def _beside(self, z: Array, x_shape: Shape) -> Array:
        """`(n, d)` in the shape in which it multiplies the input, or the output."""
        at_input, at_output = self.map.sign_shapes((z.shape[0], *x_shape[1:]))
        return array_namespace(z).reshape(z, at_input if self.unit == "input" else at_output)

    def forward(
        self, params: MultiplicativeFlowParams, noise: MultiplicativeFlowNoise, x: Array
    ) -> tuple[Array, MultiplicativeFlowResiduals]:
        _checks.layer_input(x, params)
        self.map.output_shape(x.shape)
        _checks.noise(noise, self._noise_shapes(x.shape))
        z, _, factor = self._factor.forward(params.factor, noise.eps)
        z = self._beside(z, x.shape)
        mean, scale = self.posterior.mean(params.weight), self.posterior.scale(params.weight)
        centre, plain = Plain().contract(self.map, x * z if self.unit == "input" else x, Operands(mean), Empty())
        noisy, residuals = local_noise(self.map, x, scale * scale, noise.zeta)
        y = (centre if self.unit == "input" else z * centre) + noisy
        return y, MultiplicativeFlowResiduals(params, scale, z, factor, x, centre, plain, residuals)

    def backward(
        self, residuals: MultiplicativeFlowResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, MultiplicativeFlowParams]:
        params, scale, z, factor, x, centre, plain, noise = residuals
        xp, inside = array_namespace(z), self.unit == "input"
        grad_x, grad = Plain().contract_backward(
            self.map, plain, grad_y if inside else z * grad_y, input_grad=inside or input_grad
        )
        grad_z = sum_to(grad_x * x if inside else grad_y * centre, z.shape)
        more, grad_variance = local_noise_backward(self.map, noise, grad_y, input_grad=input_grad)
        operands = Operands(grad.mean, variance=grad_variance)
        grad_mean, grad_scale = Local().operands_backward(scale, LocalNoise(noise.zeta), operands)
        flat = xp.reshape(grad_z, factor.eps.shape)
        grads = MultiplicativeFlowParams(
            self.posterior.pullback(params.weight, Coordinates(mean=grad_mean, scale=grad_scale)),
            self._factor.backward(factor, flat, xp.zeros_like(flat[:, 0])),
            tree.map(xp.zeros_like, params.auxiliary),
        )
        return (None if more is None else (grad_x * z if inside else grad_x) + more), grads

    def predict(self, params: MultiplicativeFlowParams, x: Array) -> Array:
        """The output at the mean weights given the `z` that the flow makes of its own mean."""
        _checks.layer_input(x, params)
        self.map.output_shape(x.shape)
        z = self._beside(self._factor.centre(params.factor), x.shape)
        mean = self.posterior.mean(params.weight)
        return self.map.apply(x * z, mean) if self.unit == "input" else z * self.map.apply(x, mean)

    def _drawn(
        self, params: MultiplicativeFlowParams, noise: MultiplicativeFlowNoise | None
    ) -> tuple[Array, BoundResiduals]:
        if noise is None:
            raise ValueError(f"noise is None, expected that of a draw: the divergence of {self} is a Monte Carlo one")
        return self._bound.forward(params, noise.kl_eps, noise.kl_eta)

    def kl(self, params: MultiplicativeFlowParams, noise: MultiplicativeFlowNoise | None = None) -> Array:
        """An estimate of the bound, without bias; it needs the noise of a draw: ValueError without it."""
        return self._drawn(params, noise)[0]

    def kl_grad(
        self, params: MultiplicativeFlowParams, noise: MultiplicativeFlowNoise | None = None
    ) -> MultiplicativeFlowParams:
        return self._bound.backward(self._drawn(params, noise)[1])
