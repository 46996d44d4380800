"""The laws that this library's training fits, asked for the weights with which a prediction is made.

The layer is `y = theta` for the input 1, so that a pass of a prediction shows the weights that the procedure gave it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.weight_draws import WeightDraws


class LibraryDraws:
    """A law behind a procedure: `shown` makes what predicts of loaded parameters, `at` the weights of given noise."""

    def __init__(
        self,
        procedure: Any,
        description: WeightDraws,
        shown: Callable[[Any, dict[str, Array]], Any],
        at: Callable[[Any, dict[str, Array]], Any],
    ) -> None:
        from bayesnoise import deterministic, maps

        self.description, self._procedure, self._shown, self._at = description, procedure, shown, at
        self._layer = deterministic(maps.Dense(1, description.size), bias="none")
        self._one = np.ones((1, 1), dtype=description.dtype)
        self.seed(0)

    @property
    def abilities(self) -> frozenset[str]:
        """All but the KL of a law that has none."""
        able = {"seed", "load", "sample", "evaluate", "sample_with_noise"}
        return frozenset(able if self.description.kind == "swag" else able | {"kl"})

    def seed(self, seed: int) -> None:
        """Take a fresh source of random arrays."""
        from bayesnoise_backends import rng

        self._rng = rng(seed, like=self._one)

    def _fresh(self) -> Any:
        self._rng, now = self._rng.split(2)
        return now

    def _params(self, vector: Array) -> Any:
        """The parameters of the network whose weights are a vector."""
        from bayesnoise.objective import ModelParams
        from bayesnoise.posteriors.point import PointParams

        return ModelParams(PointParams(np.array(vector, dtype=self.description.dtype)[None, :]), ())

    def load(self, parameters: dict[str, Array]) -> None:
        """Put the law together."""
        self._mean = parameters["mean"].copy()
        self._law = self._shown(self._params, {name: value.copy() for name, value in parameters.items()})

    def sample(self, x: Array) -> Array:
        """One pass of a prediction a row."""
        layer, rows = self._procedure.predictor(self._layer), []
        for at, source in self._procedure.draws(self._law, self._fresh(), len(x)):
            noise = layer.draw(source, at.layer, self._one.shape, like=self._one)
            rows.append(layer.forward(at.layer, noise, self._one)[0])
        return np.concatenate(rows)

    def evaluate(self, x: Array) -> Array:
        """The network at the mean of the law."""
        return np.repeat(self._layer.predict(self._params(self._mean).layer, self._one), len(x), axis=0)

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        """The weights at which training takes its gradients, for the same noise."""
        rows = [self._at(self._law, {name: value[i] for name, value in noise.items()}) for i in range(len(x))]
        return np.concatenate([row.layer.theta for row in rows])

    def kl(self) -> float:
        """That which a fit reports."""
        return float(self._procedure.kl(self._procedure.predictor(self._layer), self._law, self._one, self._fresh()))


def _diagonal(optimizer: Any, what: WeightDraws, state: Callable[[Any, dict[str, Array]], Any]) -> LibraryDraws:
    """A law of independent weights: `state` gives that of the optimizer."""
    from bayesnoise.natural_gradient import posterior
    from bayesnoise.procedures import Variational

    kl_scale = np.asarray(1.0 / what.examples, dtype=what.dtype)
    kept: list[Any] = []

    def shown(params: Callable[[Array], Any], held: dict[str, Array]) -> Any:
        mean = params(held["mean"])
        fitted = state(optimizer.init(mean)._replace(kl_scale=kl_scale), {k: params(v) for k, v in held.items()})
        kept[:] = [params, mean, fitted]
        return posterior(optimizer, mean, fitted)

    def at(law: Any, noise: dict[str, Array]) -> Any:
        params, mean, fitted = kept
        return optimizer.perturb(mean, fitted, params(noise["eps"]), kl_scale)

    return LibraryDraws(Variational(optimizer), what, shown, at)


def _by_precision(build: Any, what: WeightDraws) -> LibraryDraws:
    """IVON and VOGN keep the curvature with the prior's share in it."""
    from bayesnoise import tree

    share = 1.0 / (what.examples * what.prior**2)

    def state(fresh: Any, held: dict[str, Any]) -> Any:
        return fresh._replace(precision=tree.map(lambda h: h + share, held["curvature"]))

    return _diagonal(build(prior_scale=what.prior), what, state)


def _what(name: str, kind: Literal["diagonal", "slang", "swag"], **settings: Any) -> WeightDraws:
    return WeightDraws(kind=kind, name=f"library:{name}", **settings)


def ivon(
    *, size: int = 6, examples: int = 200, prior: float = 0.5, dtype: Literal["float32", "float64"] = "float64"
) -> LibraryDraws:
    """The law of IVON."""
    from bayesnoise import natural_gradient

    what = _what("ivon", "diagonal", size=size, examples=examples, prior=prior, dtype=dtype)
    return _by_precision(natural_gradient.ivon, what)


def vogn(
    *, size: int = 6, examples: int = 200, prior: float = 0.5, dtype: Literal["float32", "float64"] = "float64"
) -> LibraryDraws:
    """The law of VOGN."""
    from bayesnoise import natural_gradient

    what = _what("vogn", "diagonal", size=size, examples=examples, prior=prior, dtype=dtype)
    return _by_precision(natural_gradient.vogn, what)


def vadam(
    *, size: int = 6, examples: int = 200, prior: float = 0.5, dtype: Literal["float32", "float64"] = "float64"
) -> LibraryDraws:
    """The law of Vadam, after so many steps that nothing of its initial precision is left."""
    from bayesnoise import natural_gradient

    what = _what("vadam", "diagonal", size=size, examples=examples, prior=prior, dtype=dtype)

    def state(fresh: Any, held: dict[str, Any]) -> Any:
        return fresh._replace(count=fresh.count + 1e6, second=held["curvature"])

    return _diagonal(natural_gradient.vadam(prior_scale=prior), what, state)


def slang(
    *,
    size: int = 6,
    rank: int = 3,
    examples: int = 200,
    prior: float = 0.5,
    dtype: Literal["float32", "float64"] = "float64",
) -> LibraryDraws:
    """The joint law of SLANG."""
    from bayesnoise import natural_gradient
    from bayesnoise.natural_gradient import SlangState
    from bayesnoise.procedures import JointGaussian, JointLaw

    optimizer = natural_gradient.slang(rank=rank, prior_scale=prior)
    kl_scale = np.asarray(1.0 / examples, dtype=dtype)

    def shown(params: Callable[[Array], Any], held: dict[str, Array]) -> Any:
        return JointLaw(params(held["mean"]), SlangState(kl_scale, held["factor"], held["diagonal"]))

    def at(law: Any, noise: dict[str, Array]) -> Any:
        return optimizer.perturb(law.mean, law.precision, noise["eps"], law.precision.kl_scale)

    what = _what("slang", "slang", size=size, rank=rank, examples=examples, prior=prior, dtype=dtype)
    return LibraryDraws(JointGaussian(optimizer), what, shown, at)


def swag(*, size: int = 6, rank: int = 3, dtype: Literal["float32", "float64"] = "float64") -> LibraryDraws:
    """The law of SWAG, of three times as many iterates as it has deviations."""
    from bayesnoise.objective import ModelParams
    from bayesnoise.posteriors.point import PointParams
    from bayesnoise.procedures import Swag
    from bayesnoise.procedures.swag_law import SwagLaw, SwagNoise, sample_parameters

    count = np.asarray(3.0 * rank, dtype=dtype)

    def shown(params: Callable[[Array], Any], held: dict[str, Array]) -> Any:
        rows = ModelParams(PointParams(held["deviations"][:, None, :]), ())
        return SwagLaw(count, params(held["mean"]), params(count * held["variance"]), rows)

    def at(law: Any, noise: dict[str, Array]) -> Any:
        diagonal = ModelParams(PointParams(noise["diagonal"][None, :]), ())
        return sample_parameters(law, SwagNoise(diagonal, noise["low_rank"]))

    return LibraryDraws(Swag(rank), _what("swag", "swag", size=size, rank=rank, dtype=dtype), shown, at)
