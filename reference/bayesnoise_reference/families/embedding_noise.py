"""What the noise of an embedding is shared by, and what it is not: words, positions, examples, features, calls."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.readings import apart_of, coin_of
from bayesnoise_reference.families.embedding import EmbeddingTrial, of_embedding


def _twice(trial: EmbeddingTrial, n: int) -> Array:
    """(n, rows + 1): every word once, the same in all examples, and the first again at the end."""
    x = trial.words(1)
    return np.repeat(np.concatenate([x, x[:, :1]], axis=1), n, axis=0)


@of_embedding(
    "same-word-same-row",
    "The same word at two positions of an example is the same row.",
    kinds=("shared", "flipout"),
    catches=("embedding-noise-per-position",),
)
def same_word_same_row(trial: EmbeddingTrial) -> Finding:
    """Exact: an example has one weight sample, wherever it meets a word."""
    bound = trial.bound(trial.load())
    y = trial.guard.sample(_twice(trial, 3))
    wrong = not np.max(np.abs(y[:, 0] - y[:, -1])) <= bound
    return exact(wrong, f"the same word at two positions is {'two rows' if wrong else 'one row'}", 1)


@of_embedding(
    "positions-draw-apart",
    "Every position of every example has noise of its own.",
    kinds=("local",),
    catches=("zeta-shared-across-batch", "zeta-shared-across-positions", "no-noise"),
)
def positions_draw_apart(trial: EmbeddingTrial) -> Finding:
    """Exact: that several continuous draws all coincide, up to rounding, has a probability of nearly zero."""
    held, x = trial.load(), _twice(trial, 4)
    z = trial.draws(x, held, trial.guard.sample(x))
    pairs = (z[:, 0], z[:, -1]), (z[0::2], z[1::2])
    wrong = any(bool(np.all(np.abs(a - b) <= 1e4 * trial.guard.eps)) for a, b in pairs)
    return exact(wrong, f"two places have {'the same noise' if wrong else 'noise of their own'}", 1)


@of_embedding(
    "examples-share-weights",
    "All examples of a call read the same rows.",
    kinds=("shared",),
    catches=("noise-per-example",),
)
def examples_share_weights(trial: EmbeddingTrial) -> Finding:
    """Exact."""
    held = trial.load()
    y = trial.guard.sample(_twice(trial, 2))
    wrong = not np.max(np.abs(y[0] - y[1])) <= trial.bound(held)
    return exact(wrong, f"two equal examples read {'different' if wrong else 'the same'} rows in one call", 1)


@of_embedding(
    "examples-share-sizes",
    "All examples of a call read rows whose noise is of the same size.",
    kinds=("flipout",),
    catches=("noise-per-example", "signs-zero-one"),
)
def examples_share_sizes(trial: EmbeddingTrial) -> Finding:
    """Exact: one base draw, with signs."""
    held, x = trial.load(), _twice(trial, 4)
    z = np.abs(trial.draws(x, held, trial.guard.sample(x)))
    wrong = not np.max(np.abs(z - z[:1])) <= 1e4 * trial.guard.eps
    said = "of different sizes" if wrong else "of one size"
    return exact(wrong, f"the noise of a weight is {said} in the examples of a call; its sign alone may differ", 1)


def _products(trial: EmbeddingTrial) -> Array:
    """(calls, rows, features): positive where two equal examples agree in the sign of a weight's noise."""
    held, found = trial.load(), []
    for _ in range(trial.calls):
        x = np.repeat(trial.words(1), 2, axis=0)
        z = trial.draws(x, held, trial.guard.sample(x))
        found.append((z[0] * z[1])[np.argsort(x[0])])
    return np.stack(found)


@of_embedding(
    "signs-per-example",
    "Two examples have signs of their own.",
    kinds=("flipout",),
    catches=("signs-shared-across-batch",),
)
def signs_per_example(trial: EmbeddingTrial) -> Finding:
    """A fair coin for each feature and call, at one word."""
    return coin_of(trial, _products(trial)[:, 0], "two equal examples agree in the sign of a word's noise")


@of_embedding(
    "signs-of-rows",
    "Two words have signs of their own.",
    kinds=("flipout",),
    catches=("no-input-signs", "signs-shared-across-batch"),
)
def signs_of_rows(trial: EmbeddingTrial) -> Finding:
    """A fair coin for each pair of words and call."""
    p = _products(trial)[:, :, 0]
    pairs = p.shape[1] // 2
    products = p[:, : 2 * pairs : 2] * p[:, 1 : 2 * pairs : 2]
    return coin_of(trial, products, "two equal examples agree at one word as at another")


@of_embedding(
    "signs-of-outputs",
    "Two features have signs of their own.",
    kinds=("flipout",),
    catches=("no-output-signs", "signs-shared-across-batch"),
)
def signs_of_outputs(trial: EmbeddingTrial) -> Finding:
    """A fair coin for each pair of features and call."""
    p = _products(trial)[:, 0]
    pairs = p.shape[1] // 2
    products = p[:, : 2 * pairs : 2] * p[:, 1 : 2 * pairs : 2]
    return coin_of(trial, products, "two equal examples agree at one feature as at another")


@of_embedding(
    "rows-draw-apart",
    "Two words have noise of their own.",
    catches=("embedding-rows-share-noise",),
)
def rows_draw_apart(trial: EmbeddingTrial) -> Finding:
    """The correlation of the sizes of two independent normal draws."""
    held, x = trial.load(), np.array([[0.0, 1.0]])
    z = np.stack([trial.draws(x, held, trial.guard.sample(x))[0] for _ in range(trial.calls)])
    return apart_of(trial, z[:, 0].ravel(), z[:, 1].ravel(), "two words")


@of_embedding(
    "features-draw-apart",
    "Two features of a word have noise of their own.",
    catches=("eps-shared-across-outputs",),
)
def features_draw_apart(trial: EmbeddingTrial) -> Finding:
    """The correlation of the sizes of two independent normal draws, at every word."""
    held, found = trial.load(), []
    for _ in range(trial.calls):
        x = trial.words(1)
        found.append(trial.draws(x, held, trial.guard.sample(x))[0, :, :2])
    z = np.concatenate(found)
    return apart_of(trial, z[:, 0], z[:, 1], "two features")


@of_embedding(
    "calls-draw-anew",
    "Every call draws weights of its own.",
    catches=("eps-across-calls", "no-noise"),
)
def calls_draw_anew(trial: EmbeddingTrial) -> Finding:
    """Exact: the sizes of two continuous draws coincide with probability zero, whatever their signs."""
    held, x = trial.load(), trial.words(1)
    one, other = (np.abs(trial.draws(x, held, trial.guard.sample(x))) for _ in range(2))
    same = not np.any(np.abs(one - other) > 1e4 * trial.guard.eps)
    return exact(same, f"two calls have {'the same' if same else 'different'} noise; it is drawn anew in each", 2)


CLAIMS = (
    same_word_same_row,
    positions_draw_apart,
    examples_share_weights,
    examples_share_sizes,
    signs_per_example,
    signs_of_rows,
    signs_of_outputs,
    rows_draw_apart,
    features_draw_apart,
    calls_draw_anew,
)
