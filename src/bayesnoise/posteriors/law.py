"""What a posterior is: a law of the weights, as a function of its parameters, with the pullback of that function.

A mean-field law is seen through four coordinates, each elementwise: its mean, its scale (signed: every law here is
symmetric about its mean), the logarithm of the scale and `log alpha = log(scale^2 / mean^2)`. Estimators use the first
two. A divergence uses those in which it is well conditioned: the logarithm of a scale that underflows is still finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple, Protocol

from bayesnoise._typing import Array, Params, Rng
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.standard import NORMAL, Standard


class Coordinates(NamedTuple):
    """Gradients with respect to the coordinates of a law; `None` where a function does not depend on one.

    A function of alpha alone gives its slope twice, with respect to log alpha and to 1/alpha = mean^2 / scale^2: the
    first is well conditioned for weights above their noise, the second for weights below it.
    """

    mean: Array | None = None
    scale: Array | None = None
    log_scale: Array | None = None
    log_alpha: Array | None = None
    inverse_alpha: Array | None = None


class Traits(NamedTuple):
    """What an estimator must know before it may carry a law to the output."""

    random: bool = True
    independent: bool = True  # across weights, given the parameters
    symmetric: bool = True  # about the mean
    gaussian: bool = True
    sign_invariant: bool = False  # flipping the noise of any weights keeps the joint law, though they are dependent
    standard: Standard = NORMAL  # of the noise of each weight


class Posterior(Protocol):
    """A law of the weights of one map."""

    @property
    def traits(self) -> Traits: ...

    def init(self, rng: Rng, map: Map, *, like: Array) -> Params: ...

    def mean(self, params: Params) -> Array: ...

    def scale(self, params: Params) -> Array: ...

    def log_scale(self, params: Params) -> Array: ...

    def log_alpha(self, params: Params) -> Array: ...

    def pullback(self, params: Params, grad: Coordinates) -> Params:
        """The gradient of the parameters, from that of the coordinates."""
        ...


@dataclass(frozen=True)
class Law:
    """A posterior at its parameters; each coordinate is computed when it is read."""

    posterior: Posterior
    params: Params

    @property
    def mean(self) -> Array:
        return self.posterior.mean(self.params)

    @property
    def scale(self) -> Array:
        return self.posterior.scale(self.params)

    @property
    def log_scale(self) -> Array:
        return self.posterior.log_scale(self.params)

    @property
    def log_alpha(self) -> Array:
        return self.posterior.log_alpha(self.params)

    @property
    def weights_per_alpha(self) -> float:
        """How many weights share one element of log alpha."""
        return float(prod(self.mean.shape) / max(1, prod(self.log_alpha.shape)))
