"""Noise that multiplies activations, `y = x * factor`, for inputs `(n, units, *space)`.

The kinds are "bernoulli" and "spatial" (0 with probability `rate`, else `1 / (1 - rate)`; drawn for every element, or
for every example and unit), "gaussian" (`N(1, alpha)`, for every element), "learned" (`N(1, exp(log_alpha))`, for every
element, with `log_alpha (units,)` loaded) and "drop_block" (contiguous blocks of every channel are 0, the rest is
scaled by elements over elements kept). The others have no parameters: `load` is given none. Noise that can be given is
`zeta`, like x, of "learned", and `blocks (n, units, *places)` of "drop_block", 1 where the block that begins there is
dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact, least_likely
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.statistics import Verdict

Kind: TypeAlias = Literal["bernoulli", "gaussian", "learned", "spatial", "drop_block"]
MASKS, NORMAL = ("bernoulli", "spatial"), ("gaussian", "learned")
KINDS = (*MASKS, *NORMAL, "drop_block")
ROWS = 32  # examples of a batch

CAUSES = {
    "noise-missing": "nothing is multiplied: the layer returns its input",
    "noise-across-calls": "factors are drawn once and reused in every call",
    "noise-shared-across-batch": "all examples of a batch share their factors",
    "noise-shared-across-units": "all units of an example share their factors",
    "noise-shared-across-positions": "all positions of a channel share a factor, where each has its own",
    "noise-tiled-across-units": "the second half of the units has the factors of the first",
    "noise-mirrored-across-units": "the second half of the units has factors that balance those of the first",
    "noise-tiled-across-batch": "the second half of a batch has the factors of the first",
    "noise-mirrored-across-batch": "the second half of a batch has factors that balance those of the first",
    "noise-stratified": "the factors of an example are drawn in strata, so that their sum hardly varies",
    "noise-per-position": "every position has a factor of its own, where a channel has one",
    "noise-not-inverted": "what is kept is not divided by the probability of keeping it",
    "noise-rate-as-keep": "the rate is the probability of keeping, where it is declared as that of dropping",
    "noise-scale-by-rate": "what is kept is divided by the rate",
    "noise-scale-root": "what is kept is divided by the root of the probability of keeping it",
    "noise-additive": "noise is added to the input, where it should multiply",
    "noise-alpha-as-deviation": "alpha is used as the standard deviation of the factor, and not as its variance",
    "noise-alpha-from-rate": "the variance of the factor is that of a mask that is not inverted",
    "noise-factor-clipped": "negative factors are set to 0",
    "noise-mean-zero": "the factor has mean 0: the 1 is missing",
    "noise-alpha-averaged": "all units have the mean alpha",
    "noise-log-alpha-as-alpha": "alpha is used as it is stored, without its exponential",
    "noise-gradient-identity": "the gradient passes as if there were no noise",
    "noise-gradient-unscaled": "the gradient has the mask without its division",
    "noise-gradient-alpha-averaged": "the gradient of log alpha is divided by the size of the batch",
    "noise-gradient-alpha-half": "the half that the root of alpha leaves is missing from its gradient",
    "noise-gradient-alpha-missing": "no gradient reaches log alpha",
    "noise-gradient-by-alpha": "the gradient is that by alpha, where log alpha is stored",
    "noise-kl-averaged": "the divergence is averaged over the units, not summed",
    "noise-kl-sign": "the divergence has the wrong sign",
    "noise-kl-of-deviation": "the divergence takes the root of alpha for alpha",
    "noise-kl-gradient-sign": "the gradient of the divergence has the wrong sign",
    "noise-kl-gradient-averaged": "the gradient of the divergence is divided by the number of units",
    "noise-gamma-is-rate": "a block is dropped with the probability that is meant for an element",
    "noise-gamma-without-edge": "the probability of a block takes no account of where blocks cannot begin",
    "noise-block-smaller": "blocks are one element smaller along each dimension",
    "noise-blocks-beyond-edge": "blocks begin anywhere and are cut at the edge",
    "noise-scale-missing": "what is kept is not scaled up",
    "noise-scale-nominal": "what is kept is scaled by the rate, and not by what was dropped",
    "noise-scale-by-channel": "each channel is scaled by what it has lost itself",
}


@dataclass(frozen=True, kw_only=True)
class Noise(Described):
    """A layer of a kind. ValueError for numbers that cannot be."""

    family: str = field(default="noise", init=False)
    kind: Kind
    units: int = 6
    space: tuple[int, ...] = (3,)
    rate: float = 0.25  # of masks and blocks
    alpha: float = 0.5  # of "gaussian"
    block: int = 2  # of "drop_block", along each dimension
    scale_by: Literal["batch", "example"] = "batch"  # over what "drop_block" counts
    error: float = 0.0  # the largest of an approximated divergence, a unit

    def __post_init__(self) -> None:
        if self.units < 2 or any(size < 1 for size in self.space):
            raise ValueError(f"units is {self.units} and space {self.space}, expected 2 units and sizes of 1 at least")
        if not 0.0 < self.rate < 1.0:
            raise ValueError(f"rate is {self.rate}, expected a probability above 0 and below 1")
        if not 0.0 < self.alpha < np.inf:
            raise ValueError(f"alpha is {self.alpha}, expected a finite number above 0")
        if not self.error >= 0.0:
            raise ValueError(f"error is {self.error}, expected at least 0")
        if self.kind == "drop_block":
            if not self.space or not 1 <= self.block <= min(self.space):
                raise ValueError(f"block is {self.block}, expected a size from 1 to the least of space {self.space}")
            if np.prod([size - self.block + 1 for size in self.space]) > 16:
                raise ValueError(f"space is {self.space}, expected at most 16 places for blocks: they are enumerated")

    @property
    def estimator(self) -> str:
        return self.kind


@dataclass(frozen=True)
class NoiseTrial(Trial):
    """A trial of noise on activations."""

    @property
    def description(self) -> Noise:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Noise)
        return found

    def load(self, log_alpha: float | None = None) -> Array:
        """Load what there is to load, and return the variance of a factor of each unit, `(units,)`."""
        d = self.description
        if d.kind != "learned":
            self.guard.load({})
            return np.full(d.units, d.alpha)
        drawn = self.rng.permutation(np.linspace(-2.0, 1.0, d.units))
        held = self.guard.load({"log_alpha": drawn if log_alpha is None else np.full(d.units, log_alpha)})
        return np.asarray(np.exp(held["log_alpha"]))

    def x(self, n: int = ROWS) -> Array:
        """An input `(n, units, *space)`, of either sign, between .25 and 4 in size, as the layer has it."""
        shape = (n, self.description.units, *self.description.space)
        drawn = self.rng.choice([-1.0, 1.0], shape) * 2.0 ** self.rng.uniform(-2.0, 2.0, shape)
        return self.rounded(drawn)

    def factors(self) -> Array:
        """Those of every call, `(calls, rows, units, positions)`."""
        found = []
        for _ in range(self.calls):
            x = self.x()
            found.append((self.guard.sample(x) / x).reshape(*x.shape[:2], -1))
        return np.stack(found)

    def standard(self) -> Array:
        """Factors of the normal kinds, standardised."""
        variance = self.load()
        return (self.factors() - 1.0) / np.sqrt(variance)[:, None]

    def rounding(self, size: Any = 1.0) -> Any:
        """What rounding may do to a product of such a size."""
        return 16.0 * self.guard.eps * np.abs(size)


of_noise = ClaimsOf(("noise",), KINDS, NoiseTrial)


def worst(verdicts: list[Verdict]) -> tuple[Verdict, int]:
    """The verdict of the least p of several, which is about the draws of all, and where it is."""
    least, at = least_likely(verdicts)
    return least._replace(n=sum(v.n for v in verdicts)), at


@of_noise(
    "zero-input",
    "An input of zeros gives zeros.",
    catches=("noise-additive",),
)
def zero_input(trial: NoiseTrial) -> Finding:
    """Exact: whatever the factor is."""
    trial.load()
    y = trial.guard.sample(np.zeros_like(trial.x()))
    wrong = bool(np.any(y != 0.0))
    return exact(wrong, f"an input of zeros gives up to {np.max(np.abs(y)):.3g}; 0 is right", 1)


@of_noise(
    "evaluation",
    "In evaluation the input passes unchanged.",
    needs=("evaluate",),
    catches=("evaluation-noisy", "evaluation-scaled"),
)
def evaluation(trial: NoiseTrial) -> Finding:
    """Exact: the factor has mean 1, so that there is nothing to correct."""
    trial.load()
    x = trial.x()
    wrong = bool(np.any(np.abs(trial.guard.evaluate(x) - x) > trial.rounding(x)))
    return exact(wrong, f"in evaluation the output {'is not' if wrong else 'is'} the input; it should be", 1)


def _ready(trial: NoiseTrial) -> Array:
    trial.load()
    return trial.x(128)  # so many masks that all coincide with a probability below 1e-90


CLAIMS = (
    *claims_on_calls(of_noise, _ready, fresh=("noise-missing", "noise-across-calls")),
    zero_input,
    evaluation,
)
