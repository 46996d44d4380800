"""Noise on the weights of a dense layer in proportion to them: DropConnect, and variational dropout of type A.

A layer maps `(n, inputs)` to `(n, outputs)` without bias. "drop_connect" loads `theta (inputs, outputs)`; a weight is 0
with probability `rate`, else `theta / (1 - rate)`, with a mask a call or an example (`masks`). "multiplicative" loads
`theta` and `log_alpha` of that shape, `w ~ N(theta, alpha theta^2)`; "additive" loads `theta` and `log_sigma2`, `w ~
N(theta, sigma^2)`. Both draw the noise of each output and have a divergence to `prior`: the log-uniform one, whose
constant is free, or N(0, 1 / tau) with the best tau for each weight ("ard").

Noise that can be given: `kept` of zeros and ones, `(inputs, outputs)` for a call or `(n, inputs, outputs)` for its
examples, and `zeta (n, outputs)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.claims.pictured import outcomes
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.statistics import Verdict

Kind: TypeAlias = Literal["drop_connect", "multiplicative", "additive"]
NORMAL = ("multiplicative", "additive")
KINDS = ("drop_connect", *NORMAL)
FAR = 16.0  # of log alpha, to either side: beyond the limits within which published programs clip it
RAW = {"multiplicative": "log_alpha", "additive": "log_sigma2"}

CAUSES = {
    "connect-not-inverted": "kept weights are not divided by the probability of keeping them",
    "connect-rate-as-keep": "the rate of the weights is read as that of keeping",
    "connect-scale-by-rate": "kept weights are divided by the rate",
    "connect-mask-of-inputs": "all weights of an input share a mask value, as in dropout",
    "connect-mask-of-outputs": "all weights of an output share a mask value",
    "connect-mask-a-call": "all examples have one mask, where each has its own",
    "connect-mask-an-example": "every example has a mask of its own, where one a call is declared",
    "connect-normal-outputs": "outputs are normal with the moments of masks, and not masks",
    "connect-gradient-unmasked": "the gradient of the weights is not masked",
    "connect-gradient-unscaled": "the gradient of the weights has the mask without its division",
    "connect-gradient-input-unmasked": "the gradient of the input is that of theta, not of the masked weights",
    "connect-mask-reversed": "the mask that is given says which weights are dropped, where it says which are kept",
    "raw-scale-without-half": "the stored logarithm is taken for that of the deviation, not of the variance",
    "raw-scale-as-stored": "the stored logarithm is used as the variance",
    "noise-of-the-other-form": "the noise is that of the other of the multiplicative and the additive form",
    "gradient-raw-half": "the gradient of the stored logarithm is twice what it is",
    "gradient-theta-of-mean-alone": "the gradient of theta leaves out, or puts in, its part in the noise",
    "gradient-input-of-mean-alone": "the gradient of the input leaves out its part in the noise",
    "raw-clipped": "the stored logarithm is clipped before it is used, so that noise far out is another",
}


@dataclass(frozen=True, kw_only=True)
class WeightNoise(Described):
    """A layer of a kind. ValueError for numbers that cannot be."""

    family: str = field(default="weight_noise", init=False)
    kind: Kind
    inputs: int = 4
    outputs: int = 6
    rate: float = 0.3
    masks: Literal["call", "example"] = "call"
    prior: Literal["log_uniform", "ard"] = "log_uniform"
    error: float = 0.0  # the largest of an approximated divergence, a weight

    def __post_init__(self) -> None:
        for name, known in (("kind", KINDS), ("masks", ("call", "example")), ("prior", ("log_uniform", "ard"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected one of {', '.join(map(repr, known))}")
        if self.inputs < 2 or self.outputs < 2:
            raise ValueError(f"inputs is {self.inputs} and outputs {self.outputs}, expected 2 of each at least")
        if not 0.0 < self.rate < 1.0:
            raise ValueError(f"rate is {self.rate}, expected a probability above 0 and below 1")
        if not self.error >= 0.0:
            raise ValueError(f"error is {self.error}, expected at least 0")

    @property
    def estimator(self) -> str:
        return self.kind

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*x_shape[:-1], self.outputs)


@dataclass(frozen=True)
class WeightNoiseTrial(Trial):
    """A trial of noise on weights."""

    @property
    def description(self) -> WeightNoise:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, WeightNoise)
        return found

    def load(self, *, theta: Any = None, log_alpha: float | None = None) -> dict[str, Array]:
        """Weights between 1.4 and 2.8 of either sign and logarithms between -2 and -.5, unless they are given."""
        d, shape = self.description, (self.description.inputs, self.description.outputs)
        drawn = self.rng.choice([-1.0, 1.0], shape) * 2.0 ** self.rng.uniform(0.5, 1.5, shape)
        given = {"theta": drawn if theta is None else np.broadcast_to(theta, shape)}
        if d.kind in NORMAL:
            given[RAW[d.kind]] = self.rng.uniform(-2.0, -0.5, shape)
        if log_alpha is not None:
            log_scale = 0.0 if d.kind == "multiplicative" else 2.0 * np.log(np.abs(given["theta"]))
            given[RAW[d.kind]] = np.broadcast_to(log_alpha + log_scale, shape)
        return self.guard.load(given)

    def x(self, n: int = 32, size: float = 1.0) -> Array:
        """Inputs `(n, inputs)` of such a size, as the layer has them."""
        drawn = size * self.rng.standard_normal((n, self.description.inputs))
        return self.rounded(drawn)

    def rows(self) -> Array:
        """Examples that see one input each, every input twice running: `(2 inputs, inputs)`."""
        return np.repeat(np.eye(self.description.inputs), 2, axis=0)

    def deviation(self, held: dict[str, Array]) -> Any:
        """Of every weight of the normal kinds."""
        if self.description.kind == "multiplicative":
            return held["theta"] * np.exp(0.5 * held["log_alpha"])
        return np.exp(0.5 * held["log_sigma2"])

    def kept(self, held: dict[str, Array]) -> Array:
        """Whether the weight behind each output was kept, `(calls, inputs, 2, outputs)`."""
        least = 0.25 * np.min(np.abs(held["theta"]))  # a dropped weight may be 0 up to rounding
        found = [np.abs(self.guard.sample(self.rows())) > least for _ in range(4 * self.calls)]
        return np.stack(found).reshape(len(found), -1, 2, held["theta"].shape[1])

    def kept_once(self, held: dict[str, Array]) -> Array:
        """The first of the two equal examples alone: whether weights were kept, `(calls, inputs, outputs)`."""
        return self.kept(held)[:, :, 0]

    def standard(self, held: dict[str, Array]) -> Array:
        """Outputs of the normal kinds, standardised: `(calls, rows, outputs)`. Small inputs differ from squares."""
        found = []
        for _ in range(self.calls):
            x = self.x(size=0.25)
            sd = np.sqrt(x**2 @ self.deviation(held) ** 2)
            found.append((self.guard.sample(x) - x @ held["theta"]) / sd)
        return np.stack(found)

    def rounding(self, size: Any = 1.0) -> Any:
        """What rounding may do to a sum of products of such a size."""
        return 64.0 * self.guard.eps * np.abs(size)


of_weight_noise = ClaimsOf(("weight_noise",), KINDS, WeightNoiseTrial)


@of_weight_noise(
    "fresh",
    "Every call has noise of its own.",
    catches=("no-noise", "eps-across-calls"),
)
def fresh(trial: WeightNoiseTrial) -> Finding:
    """An exact probability: that the masks of all calls coincide, at least; normal noise never does."""
    d, n = trial.description, 4 * trial.calls
    trial.load()
    x = trial.x()
    first = trial.guard.sample(x)
    same = all(np.array_equal(first, trial.guard.sample(x)) for _ in range(n - 1))
    masks = d.inputs * d.outputs * (1 if d.masks == "call" else len(x))
    chance = 0.0 if d.kind in NORMAL else (d.rate**n + (1.0 - d.rate) ** n) ** masks
    detects = "noise that is reused" if chance <= trial.alpha else "nothing at this n"
    said = f"{n} calls on one input {'are the same' if same else 'differ'}; they should differ"
    picture = outcomes(np.array([same]), chance, ("all are the same", "some differ"))
    return judged(Verdict(chance if same else 1.0, None, n, detects), said, picture)


@of_weight_noise(
    "zero-input",
    "An input of zeros gives zeros, beside other examples too.",
    kinds=NORMAL,
    catches=("variance-floor",),
)
def zero_input(trial: WeightNoiseTrial) -> Finding:
    """Exact: there is no bias, and no noise that the input does not carry."""
    trial.load()
    x = trial.x()
    x[1] = 0.0
    y = trial.guard.sample(x, finite=False)[1]
    wrong = not np.all(y == 0.0)
    return exact(wrong, f"an input of zeros gives up to {np.max(np.abs(y)):.3g}; 0 is right", 1)


@of_weight_noise(
    "evaluation",
    "In evaluation the weights are theta.",
    needs=("evaluate",),
    catches=("evaluation-noisy", "evaluation-scaled"),
)
def evaluation(trial: WeightNoiseTrial) -> Finding:
    """Exact."""
    held, x = trial.load(), trial.x()
    size = np.abs(x) @ np.abs(held["theta"])
    wrong = bool(np.any(np.abs(trial.guard.evaluate(x) - x @ held["theta"]) > trial.rounding(size)))
    return exact(wrong, f"in evaluation the weights {'are not' if wrong else 'are'} theta", 1)


def _ready(trial: WeightNoiseTrial) -> Array:
    trial.load()
    return trial.x()


CLAIMS = (
    *claims_on_calls(of_weight_noise, _ready, times=9),
    fresh,
    zero_input,
    evaluation,
)
