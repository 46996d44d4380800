"""DropBlock: that what is dropped are blocks, how often, and by what the rest is scaled."""

from __future__ import annotations

from functools import cache

import numpy as np

from bayesnoise_reference import drop_block, statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.claims.pictured import counted, outcomes
from bayesnoise_reference.families.noise import Noise, NoiseTrial, of_noise
from bayesnoise_reference.numerics import masks


@cache
def _laws(rate: float, space: tuple[int, ...], block: int) -> tuple[Array, Array]:
    """Every set of dropped blocks as a mask over one channel, `(2^places, positions)`, and its probability."""
    sizes = (block,) * len(space)
    grid = drop_block.places(space, sizes)
    rows, chances = masks(int(np.prod(grid)), drop_block.gamma(rate, space, sizes))
    return np.stack([np.ravel(drop_block.kept(row.reshape(grid), space, sizes)) for row in rows]), chances


def coincidence(d: Noise) -> float:
    """The probability that two channels lose the same elements."""
    kept, chances = _laws(d.rate, d.space, d.block)
    by_mask: dict[bytes, float] = {}
    for mask, chance in zip(kept, chances, strict=True):
        by_mask[mask.tobytes()] = by_mask.get(mask.tobytes(), 0.0) + float(chance)
    return sum(p * p for p in by_mask.values())


def _kept(trial: NoiseTrial) -> Array:
    """Whether each element of each call was kept, `(calls, rows, units, positions)`."""
    trial.load()
    return np.asarray(trial.factors() != 0.0)


@of_noise(
    "blocks-whole",
    "Every element that is dropped lies in a block that is dropped as a whole.",
    kinds=("drop_block",),
    catches=("noise-block-smaller", "noise-blocks-beyond-edge"),
)
def blocks_whole(trial: NoiseTrial) -> Finding:
    """Exact: dropping every block inside the mask must give the mask again."""
    d, kept = trial.description, _kept(trial)
    sizes = (d.block,) * len(d.space)
    channels = np.unique(kept.reshape(-1, kept.shape[-1]), axis=0)
    for mask in channels:
        laid = mask.reshape(d.space)
        inside = np.zeros(drop_block.places(d.space, sizes))
        for start in np.ndindex(*inside.shape):
            inside[start] = not np.any(laid[tuple(slice(s, s + d.block) for s in start)])
        if not np.array_equal(drop_block.kept(inside, d.space, sizes) != 0.0, laid):
            return exact(
                True, f"a channel loses {int(np.sum(~laid))} elements that are no blocks of {sizes}", kept.size
            )
    return exact(False, f"what a channel loses are blocks of {sizes}", kept.size)


@of_noise(
    "blocks-law",
    "The number of elements that a channel keeps has the law that the rate gives it.",
    kinds=("drop_block",),
    catches=(
        "noise-missing",
        "noise-gamma-is-rate",
        "noise-gamma-without-edge",
        "noise-block-smaller",
        "noise-blocks-beyond-edge",
        "noise-additive",
    ),
)
def blocks_law(trial: NoiseTrial) -> Finding:
    """Exact law: a binomial test for every number, whose probability is enumerated."""
    d, kept = trial.description, _kept(trial)
    masks_of, chances = _laws(d.rate, d.space, d.block)
    positions = masks_of.shape[1]
    right = np.bincount(np.sum(masks_of, axis=1).astype(int), weights=chances, minlength=positions + 1)
    each = np.ravel(np.sum(kept, axis=-1))
    seen = np.bincount(each, minlength=positions + 1)
    verdict = statistics.cell_counts(seen, right / np.sum(right), alpha=trial.alpha)
    share = float(np.sum(right * np.arange(positions + 1))) / positions
    said = f"channels keep {np.mean(kept):.4f} of their elements on average; {share:.4f} is right"
    return judged(verdict, said, counted(each, positions, np.cumsum(right), "% of its elements that a channel keeps"))


@of_noise(
    "blocks-corner",
    "A corner, which one block covers, is dropped as often as a block.",
    kinds=("drop_block",),
    catches=("noise-missing", "noise-gamma-is-rate", "noise-gamma-without-edge", "noise-additive"),
)
def blocks_corner(trial: NoiseTrial) -> Finding:
    """Exact law, binomial."""
    d, kept = trial.description, _kept(trial)
    gamma = drop_block.gamma(d.rate, d.space, (d.block,) * len(d.space))
    lost = ~kept[..., 0]
    verdict = statistics.binomial(int(np.sum(lost)), lost.size, gamma, alpha=trial.alpha)
    said = f"a corner is dropped with frequency {np.mean(lost):.4f}; {gamma:.4f} is right"
    return judged(verdict, said, outcomes(lost, gamma, ("dropped", "kept")))


@of_noise(
    "blocks-scale",
    "What is kept is multiplied by the number of elements over that of elements kept.",
    kinds=("drop_block",),
    catches=("noise-scale-missing", "noise-scale-nominal", "noise-scale-by-channel", "noise-additive"),
)
def blocks_scale(trial: NoiseTrial) -> Finding:
    """Exact: the factors that are counted together have mean 1, and are 0 or one number."""
    trial.load()
    d, factors = trial.description, trial.factors()
    groups = factors.reshape(len(factors), 1 if d.scale_by == "batch" else factors.shape[1], -1)
    for group in groups.reshape(-1, groups.shape[-1]):
        kept = group[group != 0.0]
        right = group.size / kept.size if kept.size else 0.0
        off = kept[np.abs(kept - right) > trial.rounding(right)]
        if off.size:
            return exact(True, f"a kept element is multiplied by {off[0]:.6g}; {right:.6g} is right", factors.size)
    return exact(False, "kept elements are multiplied by elements over elements kept", factors.size)


@of_noise(
    "blocks-replay",
    "Given blocks, the output is the input without them, scaled.",
    needs=("sample_with_noise",),
    kinds=("drop_block",),
    catches=(
        "noise-missing",
        "noise-block-smaller",
        "noise-scale-missing",
        "noise-scale-nominal",
        "noise-additive",
        "noise-scale-by-channel",
    ),
)
def blocks_replay(trial: NoiseTrial) -> Finding:
    """Exact."""
    trial.load()
    d, x = trial.description, trial.x(4)
    sizes = (d.block,) * len(d.space)
    drawn = trial.rng.uniform(size=(4, d.units, *drop_block.places(d.space, sizes)))
    blocks = np.asarray(drawn < 0.2, dtype=np.float64)
    right = drop_block.output(x, blocks, sizes, d.scale_by)
    wrong = bool(np.any(np.abs(trial.guard.sample_with_noise(x, {"blocks": blocks}) - right) > trial.rounding(right)))
    return exact(wrong, f"for given blocks the output {'is another' if wrong else 'is right'}", 1)


CLAIMS = (blocks_whole, blocks_law, blocks_corner, blocks_scale, blocks_replay)
