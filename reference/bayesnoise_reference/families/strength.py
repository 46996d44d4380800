"""Noise whose strength is learned: concrete dropout, and information dropout under its two priors.

A layer maps `(n, units)` to `(n, units)` without bias. "concrete" loads `theta (units, units)` and `logit ()`, and
its noise is `u (n, units)`. "log_uniform" and "log_normal" are information dropout with ReLU and with softplus; they
load `theta` and `theta_alpha (units, units)`, `alpha = least + span sigmoid(x theta_alpha)`, and their noise is `zeta
(n, units)`. Their divergence belongs to an example: `example_kl(x)` gives it for one draw, `(n,)`, times `beta`, and
`example_kl_gradients(x)` the gradients of its sum by the names of the parameters, and by "x".

The claims load diagonal weights, behind which every factor can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference import concrete_dropout, information_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.calls import claims_on_calls
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.trial import Trial

Kind: TypeAlias = Literal["concrete", "log_uniform", "log_normal"]
INFORMATION = ("log_uniform", "log_normal")
KINDS = ("concrete", *INFORMATION)
ROWS = 32  # examples of a batch

CAUSES = {
    "strength-noise-missing": "there is no noise: the layer returns what it would in evaluation",
    "strength-across-calls": "noise is drawn once, and reused in every call of the layer",
    "strength-shared-across-batch": "all examples of a batch share the noise of a unit",
    "strength-shared-across-units": "all units of an example share one draw",
    "strength-evaluation-noisy": "evaluation draws noise",
    "strength-evaluation-scaled": "evaluation rescales the output",
    "strength-not-inverted": "what is kept is not divided by 1 - p",
    "strength-rate-of-keeping": "the logit is read as that of keeping a unit",
    "strength-temperature-missing": "the logits are not divided by the temperature",
    "strength-temperature-multiplied": "the logits are multiplied by the temperature",
    "strength-mask-rounded": "the mask is rounded to 0 or 1",
    "strength-mask-reversed": "the relaxed indicator of dropping multiplies",
    "strength-factor-linear": "the factor is 1 + alpha zeta, and not its exponential",
    "strength-noise-added": "noise is added to the activation",
    "strength-alpha-as-variance": "the root of alpha is the deviation of the logarithm",
    "strength-alpha-unscaled": "alpha is the sigmoid itself, without its range",
    "strength-alpha-constant": "alpha does not depend on the input",
    "strength-gradient-identity": "the gradient of the input passes as if there were no noise",
    "strength-gradient-redrawn": "noise is drawn again for the gradients of the layer",
    "strength-gradient-logit-missing": "no gradient reaches the logit",
    "strength-gradient-logit-of-mask": "the gradient of the logit leaves out that of 1 / (1 - p)",
    "strength-gradient-alpha-missing": "no gradient reaches the map of alpha",
    "strength-gradient-alpha-of-input": "the gradient of the input leaves out its way through alpha",
    "strength-gradient-alpha-range": "the gradient of the map of alpha leaves out its range",
}


@dataclass(frozen=True, kw_only=True)
class Strength(Described):
    """A layer of a kind. ValueError for numbers that are not above 0, or fewer than two units."""

    family: str = field(default="strength", init=False)
    kind: Kind
    units: int = 6
    temperature: float = 0.25  # of "concrete"
    prior: float = 0.5  # its scale, of "concrete"; that of "log_normal" is 1, about 0
    least: float = 0.001
    span: float = 0.7
    beta: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(map(repr, KINDS))}")
        if self.units < 2:
            raise ValueError(f"units is {self.units}, expected at least 2")
        for name in ("temperature", "prior", "least", "span", "beta"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a finite number above 0")

    @property
    def estimator(self) -> str:
        return self.kind


@dataclass(frozen=True)
class StrengthTrial(Trial):
    """A trial of noise of learned strength."""

    @property
    def description(self) -> Strength:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Strength)
        return found

    def load(self, *, diagonal: bool = True, logit: float | None = None) -> dict[str, Array]:
        """Load weights, diagonal ones of 1 for the value and of either sign for alpha, or of any."""
        d = self.description
        n = d.units
        drawn = self.rng.uniform(-1.0, 1.0, (2, n, n))
        given = {"theta": np.eye(n) if diagonal else drawn[0]}
        if d.kind == "concrete":
            given["logit"] = np.asarray(self.rng.uniform(-1.5, -0.5) if logit is None else logit)
        else:
            given["theta_alpha"] = np.diag(np.linspace(-1.0, 1.0, n)) if diagonal else drawn[1]
        return self.guard.load(given)

    def x(self, n: int = ROWS) -> Array:
        """Positive inputs `(n, units)` between .5 and 2, as the layer has them."""
        return self.rounded(2.0 ** self.rng.uniform(-1.0, 1.0, (n, self.description.units)))

    def maps(self, held: dict[str, Array], x: Array) -> tuple[Array, Array, Array]:
        """What goes into the activation, into the sigmoid of alpha, and alpha."""
        d = self.description
        h, s = x @ held["theta"], x @ held["theta_alpha"]
        return h, s, np.asarray(information_dropout.strength(s, d.least, d.span))

    def plain(self, held: dict[str, Array], x: Array) -> Array:
        """The output without noise."""
        h = x @ held["theta"]
        return h if self.description.kind == "concrete" else information_dropout.activation(h, self.description.kind)

    def factors(self, held: dict[str, Array], scale: Any = None) -> Array:
        """Those of every call under diagonal weights, `(calls, rows, units)`, or what `scale` makes of them and x."""
        found = []
        for _ in range(self.calls):
            x = self.x()
            factor = self.guard.sample(x) / self.plain(held, x)
            found.append(factor if scale is None else scale(factor, x))
        return np.stack(found)

    def standard(self, held: dict[str, Array]) -> Array:
        """Draws of one law: zeta of information dropout, and whether a concrete mask is nearer to dropping."""
        if self.description.kind == "concrete":
            return np.asarray(self.factors(held) * (1.0 - self.rate(held)) < 0.5)
        return self.factors(held, lambda factor, x: np.log(np.maximum(factor, 1e-300)) / self.maps(held, x)[2])

    def rate(self, held: dict[str, Array]) -> float:
        """The probability of dropping."""
        return float(concrete_dropout.rate(held["logit"]))

    def rounding(self, size: Any = 1.0) -> Any:
        """What rounding may do to a sum of products of such a size."""
        return 64.0 * self.guard.eps * np.abs(size)


of_strength = ClaimsOf(("strength",), KINDS, StrengthTrial)


@of_strength(
    "evaluation",
    "In evaluation there is no noise, and nothing in its place.",
    needs=("evaluate",),
    catches=("strength-evaluation-noisy", "strength-evaluation-scaled"),
)
def evaluation(trial: StrengthTrial) -> Finding:
    """Exact: the map of the input, and for information dropout its activation, which is the median."""
    held, x = trial.load(diagonal=False), trial.x()
    right = trial.plain(held, x)
    size = np.abs(x) @ np.abs(held["theta"]) + 1.0
    wrong = bool(np.any(np.abs(trial.guard.evaluate(x) - right) > trial.rounding(size)))
    return exact(wrong, f"in evaluation the output {'is not' if wrong else 'is'} that without noise", 1)


def _ready(trial: StrengthTrial) -> Array:
    trial.load()
    return trial.x(128)  # masks of 256 units, rounded, coincide with a probability below 1e-38


CLAIMS = (
    *claims_on_calls(of_strength, _ready, fresh=("strength-noise-missing", "strength-across-calls")),
    evaluation,
)
