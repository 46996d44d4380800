"""Which mistakes can be made in layers of random weights: the rows of their mutation matrix."""

from __future__ import annotations

from dataclasses import replace

from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims.causes import CAUSES

from planted.straightforward import Straightforward

LAYERS = [
    Description(
        family,
        estimator,
        inputs=6 if family == "dense" else 3,
        outputs=8 if family == "dense" else 4,
        bias="random",
        kernel=() if family == "dense" else (3,),
        padding=() if family == "dense" else (1,),
        prior=0.5,
        prior_mean=0.25,
    )
    for family in ("dense", "convolution")
    for estimator in ("shared", "flipout", "local")
]
RIGHT: dict[tuple[str, str], Description] = {(d.family, d.estimator): d for d in LAYERS}
LAYERS.append(replace(RIGHT["dense", "shared"], kl_kind="monte_carlo"))
adapter = Straightforward
_FLIPOUT = {
    "signs-shared-across-batch",
    "signs-on-the-whole-weight",
    "no-input-signs",
    "no-output-signs",
    "one-scalar-sign",
    "signs-zero-one",
    "output-signs-reuse-input-signs",
    "signs-fixed",
    "signs-unfair",
    "gradient-mean-perturbed",
}
_LOCAL = {
    "zeta-shared-across-batch",
    "zeta-shared-across-outputs",
    "x-not-squared",
    "variance-without-root",
    "variance-floor",
    "gradient-root-at-zero",
    "gradient-scale-as-shared",
}
_DRAWN = {
    "noise-per-example",
    "eps-shared-across-outputs",
    "eps-shared-across-inputs",
    "mean-noised",
    "output-transposed-noise",
}
_DRAWN_KL = {"kl-draw-fixed", "kl-draw-at-mean", "kl-draw-doubled", "kl-draw-of-another"}
_CLOSED_KL = {
    "kl-reversed",
    "kl-no-half",
    "kl-scale-as-stored",
    "kl-log-underflows",
    "kl-nested-twice",
    "kl-nested-missed",
    "kl-shared-twice",
    "prior-aliases-posterior",
    "prior-follows-posterior",
}
_IMAGES = {"signs-per-position", "zeta-shared-across-positions"}


def mistakes(description: Description) -> list[str]:
    """The names of the mistakes that can be made in such a layer."""
    family, estimator = description.family, description.estimator
    other = _CLOSED_KL if description.kl_kind == "monte_carlo" else _DRAWN_KL
    names = [name for name in CAUSES if name not in _FLIPOUT | _LOCAL | _DRAWN | _IMAGES | other]
    names += sorted(_FLIPOUT if estimator == "flipout" else ())
    names += sorted(_LOCAL if estimator == "local" else _DRAWN)
    if family == "convolution" and estimator == "flipout":
        names.append("signs-per-position")
    if family == "convolution" and estimator == "local":
        names.append("zeta-shared-across-positions")
    return names
