"""The deep ensembles of this library, of linear members: as they start, are trained, and predict.

Inputs are divided by the widths of their ranges on the way to an adversarial step, so that one epsilon does for all.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.ensemble import Ensemble


class _Gradients(NamedTuple):
    """In the place of an optimizer: what it is given for a step."""

    def init(self, params: Any) -> Any:
        return ()

    def step(self, params: Any, grads: Any, state: Any, learning_rate: Any = None) -> Any:
        return grads, state


class LibraryEnsemble:
    """`DeepEnsemble` over a dense layer. ValueError for a description that the library's losses do not fit."""

    def __init__(self, description: Ensemble) -> None:
        from bayesnoise import deep_ensemble, losses, maps
        from bayesnoise.procedures import DeepEnsemble

        d = description
        if (d.variance, d.objective) != ("softplus", "mean"):
            raise ValueError(
                f"variance and objective are {d.variance!r} and {d.objective!r}, expected 'softplus' and 'mean': "
                "the library has no others"
            )
        self.description, self._procedure = d, DeepEnsemble(d.members)
        self._layer = deep_ensemble(maps.Dense(d.inputs, d.outputs))
        self._loss: Any = losses.Categorical()
        if d.kind == "gaussian":
            self._loss = losses.Heteroscedastic(d.minimum_variance)
        self._like = np.zeros((), dtype=d.dtype)
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Take a fresh source of random arrays."""
        from bayesnoise_backends import rng

        self._rng = rng(seed, like=self._like)

    def _fresh(self) -> Any:
        self._rng, now = self._rng.split(2)
        return now

    def _member(self, weight: Array, bias: Array) -> Any:
        from bayesnoise.affine import AffineParams
        from bayesnoise.layer import Empty
        from bayesnoise.objective import ModelParams
        from bayesnoise.posteriors.point import PointParams

        return ModelParams(AffineParams(PointParams(weight), PointParams(bias)), Empty())

    def load(self, parameters: dict[str, Array]) -> None:
        """Make the members."""
        self._weight, self._bias = parameters["weight"].copy(), parameters["bias"].copy()
        self._members = tuple(map(self._member, self._weight, self._bias))

    def _target(self, y: Array) -> Array:
        """As the loss takes it."""
        return y[:, None] if self.description.kind == "gaussian" else y.astype(np.int32)

    def _passes(self, x: Array) -> Any:
        """One of each member."""
        from bayesnoise import predict_classification, predict_regression

        predict: Any = predict_regression if self.description.kind == "gaussian" else predict_classification
        given = {"rng": self._fresh(), "samples": self.description.members, "procedure": self._procedure}
        return predict(self._layer, self._loss, self._members, x, **given)

    def evaluate(self, x: Array) -> Array:
        """The mean and the total variance of the passes, or their mean probabilities."""
        u = self._passes(x).uncertainty()
        gaussian = self.description.kind == "gaussian"
        found = np.stack([u.mean, u.total_variance], axis=1) if gaussian else u.probabilities
        return found.astype(self.description.dtype)

    def uncertainty(self, x: Array) -> Array:
        """The two parts."""
        u = self._passes(x).uncertainty()
        if self.description.kind == "gaussian":
            return np.stack([u.aleatoric_variance, u.epistemic_variance], axis=1)
        return np.stack([u.expected_entropy, u.mutual_information], axis=1)

    def log_density(self, x: Array, y: Array) -> Array:
        """The score of each example by itself."""
        from bayesnoise import metrics

        passes, each = self._passes(x), [slice(i, i + 1) for i in range(len(x))]
        if self.description.kind == "gaussian":
            found = [metrics.mean_log_likelihood(passes.means[:, i], passes.variances[:, i], y[i]) for i in each]
        else:
            found = [-metrics.nll(passes.log_probabilities[:, i], y[i].astype(int)) for i in each]
        return np.array(found)

    def loss(self, x: Array, y: Array) -> Array:
        """That of each member."""
        f = [self._layer.predict(member.layer, x) for member in self._members]
        return np.stack([self._loss.forward((), each, self._target(y))[0] for each in f])

    def _standardised(self, width: Array) -> list[Any]:
        """The members that say the same of inputs that were divided by their widths."""
        return [
            self._member(width[:, None] * weight, bias) for weight, bias in zip(self._weight, self._bias, strict=True)
        ]

    def adversarial(self, x: Array, y: Array, epsilon: Array, width: Array) -> Array:
        """Those with which training moves the inputs."""
        from bayesnoise.procedures import adversarial_input

        noise, at = self._layer.draw(self._fresh(), self._members[0].layer, x.shape, like=x), x / width
        step = self._layer, self._loss
        members = self._standardised(width)
        moved = [adversarial_input(*step, m, noise, at, self._target(y), float(epsilon)) for m in members]
        return np.stack(moved) * width

    def training_gradient(self, x: Array, y: Array, epsilon: Array, width: Array) -> Array:
        """What a step of training gives the optimizer."""
        from bayesnoise.procedures.deep_ensemble import adversarial_step

        found, spy, at, target = [], _Gradients(), x / width, self._target(y)
        for member in self._standardised(width):
            rest: Any = (float(epsilon), member, (), self._fresh(), at, target, 0.0, None)
            grads = adversarial_step(self._layer, self._loss, spy, *rest)[0]
            by_weight = width[:, None] * grads.layer.weight.theta
            found.append(np.concatenate([by_weight, grads.layer.bias.theta[None]]))
        return np.stack(found)

    def start(self, x: Array) -> Array:
        """The outputs of what a fit begins with."""
        from bayesnoise.optimizers import sgd

        begun = self._procedure.start(self._layer, self._loss, sgd(0.1), self._fresh(), like=self._like)
        return np.stack([self._layer.predict(member.layer, x) for member in begun.params])


def deep_ensemble(*, kind: Literal["gaussian", "categorical"] = "gaussian", **settings: Any) -> LibraryEnsemble:
    """`bayesnoise.procedures.DeepEnsemble` under `losses.Heteroscedastic` or `losses.Categorical`."""
    return LibraryEnsemble(Ensemble(kind=kind, name="library:deep_ensemble", **settings))
