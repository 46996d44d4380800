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
LAYERS.append(replace(RIGHT["convolution", "local"], kernel=(2, 2), padding=(1, 1), stride=(), dilation=()))
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
    "signs-of-the-noise",
    "gradient-mean-perturbed",
    "output-signs-tiled",
    "output-signs-paired",
    "input-signs-tiled",
    "input-signs-paired",
}
_DENSE = {"signs-of-the-noise"}  # a kernel has one sign and much noise
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
    "kl-gradient-missing",
    "kl-gradient-scale-missing",
    "kl-gradient-without-chain",
    "kl-gradient-averaged",
}
_IMAGES = {  # by the estimators in which they can be made
    "signs-per-position": ("flipout",),
    "zeta-shared-across-positions": ("local",),
    "zeta-shared-along-an-axis": ("local",),
    "eps-kernel-symmetric": ("shared", "flipout"),
    "bias-noise-per-position": ("shared", "flipout", "local"),
}

_PLANE = (  # what is made anew where there are two axes
    "no-noise",
    "noise-tiled-across-outputs",
    "noise-mirrored-across-outputs",
    "zeta-shared-across-batch",
    "zeta-shared-across-outputs",
    "zeta-shared-across-positions",
    "zeta-shared-along-an-axis",
    "bias-noise-tiled",
    "bias-noise-of-a-weight",
    "bias-noise-per-position",
    "gradient-input-averaged",
    "gradient-input-without-noise",
)


def mistakes(description: Description) -> list[str]:
    """The names of the mistakes that can be made in such a layer."""
    family, estimator = description.family, description.estimator
    if len(description.kernel) == 2:
        return list(_PLANE)
    other = _CLOSED_KL if description.kl_kind == "monte_carlo" else _DRAWN_KL
    some = _FLIPOUT | _LOCAL | _DRAWN | _IMAGES.keys() | other | {"bias-noise-per-example"}
    names = [name for name in CAUSES if name not in some]
    names += sorted(_FLIPOUT - (set() if family == "dense" else _DENSE) if estimator == "flipout" else ())
    names += sorted(_LOCAL if estimator == "local" else _DRAWN)
    names += ["bias-noise-per-example"] if estimator == "shared" else []
    names += [name for name, kinds in _IMAGES.items() if family == "convolution" and estimator in kinds]
    return names
