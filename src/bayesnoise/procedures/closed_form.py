"""Linear regression without descent: the minimum of the objective over all laws of the weights, by linear algebra.

For one dense layer of ordinary weights under a Gaussian likelihood and the prior `N(0, prior_scale^2)` on each weight,
the bias among them, `mean_n E -log p(y_n | w) + kl_weight / n KL` has its minimum at the posterior of
`bayesnoise.linear_gaussian` for noise of the variance `kl_weight noise_scale^2`: with a weight of 1, at the exact
posterior, where n times the objective is minus the log evidence. Where the scale of the noise is learned, each epoch is
one step of expectation maximisation, which sets it to the root of the expected mean square under the law. Random are
the draws of the weights, one a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks, linear_law, tree
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain
from bayesnoise.layer import Layer, plain
from bayesnoise.linear_gaussian import LinearGaussian
from bayesnoise.linear_law import LinearLaw
from bayesnoise.losses import Gaussian, LearnedGaussian, LearnedGaussianParams, Loss
from bayesnoise.maps import Dense
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import Optimizer
from bayesnoise.posteriors import Point
from bayesnoise.procedures.procedure import Begun, Draw, EpochFunction, Job, Passed, Sources
from bayesnoise.stochastic import Stochastic


class ClosedFormParams(NamedTuple):
    params: ModelParams  # of the layer, at the mean of the law
    law: LinearLaw  # of all its weights: the rows of the matrix, then the bias; as many directions as rows


def _terms(layer: Layer) -> int:
    """How many terms of ordinary weights the network has where it is one dense layer: 1, or 2 with a bias; else 0."""
    inner: Any = plain(layer)
    if isinstance(inner, Chain) and len(inner.layers) == 1:
        inner = inner.layers[0]
    terms: tuple[Any, ...] = (inner.weight, inner.bias) if isinstance(inner, Affine) else (inner,)
    ordinary = all(isinstance(term, Stochastic) and term.posterior == Point() for term in terms)
    return len(terms) if ordinary and isinstance(terms[0].map, Dense) else 0


@dataclass(frozen=True)
class ClosedForm:
    """The exact posterior, or with `mean_field` the best law of independent weights, whose ELBO is lower by the gap.

    The optimizer of the job, its learning rates and its batches are not used, and a penalty of the layer is not
    counted: `prior_scale` is the standard deviation of the prior of each weight. The law has `(d + 1)^2` numbers for d
    inputs. ValueError for a scale that is not above 0, and, when an epoch begins, for a weight of the divergence that
    is not; FloatingPointError where the learned noise vanishes.
    """

    prior_scale: float = 1.0
    mean_field: bool = False

    def __post_init__(self) -> None:
        _checks.positive("prior_scale", self.prior_scale)

    def refusal(self, layer: Layer, loss: Loss) -> str | None:
        if not isinstance(loss, Gaussian | LearnedGaussian):
            return f"it is regression with Gaussian noise of one scale, and the loss is {loss}"
        if not _terms(layer):
            return "it is exact for a network of one dense layer of ordinary weights, without hidden layers or noise"
        return None

    def start(self, layer: Layer, loss: Loss, optimizer: Optimizer, rng: Rng, *, like: Array) -> Begun:
        """The prior."""
        fresh = layer.init(rng, like=like)
        weight = tree.leaves(fresh)[0]
        xp, rows = array_namespace(weight), weight.shape[0] + _terms(layer) - 1
        options: Any = {"dtype": weight.dtype, "device": device(weight)}
        law = LinearLaw(
            xp.zeros((rows, weight.shape[1]), **options),
            xp.full((rows,), self.prior_scale, **options),
            xp.zeros((rows, rows), **options),
            xp.zeros((rows,), **options),
        )
        return Begun(ClosedFormParams(ModelParams(_placed(law.mean, fresh), loss.init(like=like)), law), ())

    def epoch(self, job: Job) -> EpochFunction:
        x, y, loss = _with_ones(job.x, _terms(job.layer) == 2), job.y, job.loss
        _checks.shape("y", y, job.layer.output_shape(job.x.shape))
        spectrum, (n, k) = LinearGaussian(1.0, self.prior_scale).decompose(x, y), y.shape
        xp = array_namespace(y)
        least = float(xp.finfo(y.dtype).eps) * math.sqrt(float(xp.mean(y * y)))  # of a learned noise

        def best(noise_scale: float) -> tuple[LinearLaw, Array]:
            """The law for a noise, and the mean square that it expects."""
            law = linear_law.posterior(spectrum, noise_scale)
            law = linear_law.independent(law, x, noise_scale) if self.mean_field else law
            return law, linear_law.expected_squares(law, x, y) / (n * k)

        run = best if job.compile is None else job.compile(best)

        def one_epoch(params: ClosedFormParams, state: Params, sources: Sources, epoch: int, kl_scale: float) -> Passed:
            _checks.positive("kl_weight", kl_scale * n)
            of_layer, of_loss = params.params
            wider = math.sqrt(kl_scale * n)
            if isinstance(loss, Gaussian):
                scale = loss.scale
            else:
                scale = math.sqrt(float(run(wider * math.exp(float(of_loss.log_scale)))[1]))
                if not scale > least > 0.0:
                    raise FloatingPointError(
                        f"the noise learned by epoch {epoch + 1} has the scale {scale}: nothing is left for it to "
                        "explain, so give its scale, with the loss Gaussian"
                    )
                of_loss = LearnedGaussianParams(xp.full_like(of_loss.log_scale, math.log(scale)))
            law, square = run(wider * scale)
            nll = 0.5 * k * (float(square) / scale**2 + math.log(2.0 * math.pi * scale**2))
            return Passed(ClosedFormParams(ModelParams(_placed(law.mean, of_layer), of_loss), _padded(law)), (), nll)

        return one_epoch

    def shown(self, params: ClosedFormParams, optimizer: Params) -> ClosedFormParams:
        return params

    def predictor(self, layer: Layer) -> Layer:
        return layer

    def kl(self, layer: Layer, shown: ClosedFormParams, x: Array, rng: Rng) -> float:
        return float(linear_law.kl(shown.law))

    def draws(self, shown: ClosedFormParams, rng: Rng, samples: int) -> Iterator[Draw]:
        (of_layer, of_loss), law = shown
        for one in rng.split(samples):
            for_law, for_layer = one.split(2)
            weights = linear_law.sample(law, for_law.normal(tuple(law.mean.shape), like=law.mean))
            yield Draw(ModelParams(_placed(weights, of_layer), of_loss), for_layer)


def _with_ones(x: Array, bias: bool) -> Array:
    """The input with a last column of ones, for the bias."""
    xp = array_namespace(x)
    return xp.concat([x, xp.ones((*x.shape[:-1], 1), dtype=x.dtype, device=device(x))], axis=-1) if bias else x


def _placed(weights: Array, like: Params) -> Params:
    """Parameters of the layer, from the rows of its matrix and one for its bias."""
    rows = tree.leaves(like)[0].shape[0]
    return tree.unflatten(like, iter([weights[:rows, :], *(weights[i, :] for i in range(rows, weights.shape[0]))]))


def _padded(law: LinearLaw) -> LinearLaw:
    """The law with as many directions as weights: its form is then that of the layer, whatever the data."""
    xp, (r, d) = array_namespace(law.directions), law.directions.shape
    none = xp.zeros((d - r, d), dtype=law.mean.dtype, device=device(law.mean))
    return law._replace(
        directions=xp.concat([law.directions, none], axis=0), signal=xp.concat([law.signal, none[:, 0]], axis=0)
    )
