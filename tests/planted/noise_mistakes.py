"""Which mistakes can be made in layers of noise on activations: the rows of their mutation matrix."""

from __future__ import annotations

from bayesnoise_reference.families.noise import Noise

_ALL = [
    "noise-missing",
    "noise-across-calls",
    "noise-shared-across-batch",
    "noise-shared-across-units",
    "noise-additive",
    "noise-gradient-identity",
    "gradient-noise-redrawn",
    "evaluation-noisy",
    "evaluation-scaled",
    "seed-ignored",
    "empty-batch-fails",
    "changes-input",
    "same-array-returned",
]
_JOINT = [
    "noise-tiled-across-units",
    "noise-mirrored-across-units",
    "noise-tiled-across-batch",
    "noise-mirrored-across-batch",
    "noise-stratified",
]
_MASKS = [
    *_JOINT,
    "noise-not-inverted",
    "noise-rate-as-keep",
    "noise-scale-by-rate",
    "noise-scale-root",
    "noise-gradient-unscaled",
]
_NORMAL = [
    *_JOINT,
    "noise-alpha-as-deviation",
    "noise-factor-clipped",
    "noise-mean-zero",
    "uniform-noise",
    "rademacher-noise",
    "noise-shared-across-positions",
]
_OWN = {
    "bernoulli": [*_MASKS, "noise-shared-across-positions"],
    "spatial": [*_MASKS, "noise-per-position"],
    "gaussian": [*_NORMAL, "noise-alpha-from-rate"],
    "learned": [
        *_NORMAL,
        "noise-alpha-averaged",
        "noise-log-alpha-as-alpha",
        "noise-gradient-alpha-averaged",
        "noise-gradient-alpha-half",
        "noise-gradient-alpha-missing",
        "noise-gradient-by-alpha",
        "noise-kl-averaged",
        "noise-kl-sign",
        "noise-kl-of-deviation",
        "noise-kl-gradient-sign",
        "noise-kl-gradient-averaged",
    ],
    "drop_block": [
        "noise-gamma-is-rate",
        "noise-gamma-without-edge",
        "noise-block-smaller",
        "noise-blocks-beyond-edge",
        "noise-scale-missing",
        "noise-scale-nominal",
        "noise-scale-by-channel",
        "noise-gradient-unscaled",
    ],
}


def mistakes(description: Noise) -> list[str]:
    """Those that can be made in such a layer."""
    return [*_ALL, *_OWN[description.kind]]
