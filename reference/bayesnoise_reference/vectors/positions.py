"""Layers whose weights serve several positions, under flipout: an embedding, and self-attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import attention, embedding, flipout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors.layers import (
    GRADIENTS,
    LayerDefinition,
    changed,
    gaussian_kl,
)
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic, signs

PROJECTIONS = ("query", "key", "value", "output")
_PRIOR = 0.5


def _kl(v: Values, names: tuple[str, ...]) -> Any:
    return sum(
        gaussian_kl(v[f"{k}mu"], sigma_of(v[f"{k}rho"]), log_sigma_of(v[f"{k}rho"]), np.array(0.0), np.array(_PRIOR))
        for k in names
    )


def _rows(v: Values, weights: list[Array] | None = None) -> Array:
    each = weights or flipout.weights(v["mu"], sigma_of(v["rho"]), v["eps"], v["sign_in"], v["sign_out"])
    found = [embedding.output(x, w) for x, w in zip(np.real(v["x"]), each, strict=True)]
    empty = np.zeros((0, *v["x"].shape[1:], v["mu"].shape[1])) + 0.0 * np.sum(v["mu"])
    return np.stack(found) if found else empty


def _words_alone(inputs: Values, outputs: Values) -> Values:
    """Words have no gradient."""
    return {name: value for name, value in outputs.items() if name != "grad_x"}


def _per_position(v: Values) -> Array:
    """The signs of a position are those of another example: the same word has two rows."""
    other = _rows(v | {name: -v[name] for name in ("sign_out",)})
    y = _rows(v)
    odd = np.arange(y.shape[1]) % 2 == 1
    return np.where(odd[None, :, None], other, y)


def _last(inputs: Values, outputs: Values) -> Values:
    """The gradient of a row is that of the last position that reads it."""
    found = np.zeros(inputs["mu"].shape)
    for n, t in np.ndindex(*inputs["x"].shape):
        found[int(np.real(inputs["x"][n, t]))] = inputs["grad_y"][n, t]
    return _words_alone(inputs, outputs | {"grad_mu": found})


def _no_chain(inputs: Values, outputs: Values) -> Values:
    """The gradient of rho is that of the scale."""
    by_scale = outputs["grad_rho"] * (1.0 + np.exp(-inputs["rho"]))
    return _words_alone(inputs, outputs | {"grad_rho": by_scale})


def _signed(v: Values, scale: Array) -> list[Array]:
    """The weights of every example, with this scale."""
    return list(flipout.weights(v["mu"], scale, v["eps"], v["sign_in"], v["sign_out"]))


def embeddings() -> Family:
    """An embedding."""

    def one_for_all(v: Values) -> Array:
        return _rows(v | {name: v[name][:1] + 0.0 * v[name] for name in ("sign_in", "sign_out")})

    right = LayerDefinition(_rows, ("mu", "rho"), lambda v: _kl(v, ("",)), _words_alone)
    ones = {name: lambda v, name=name: _rows(v | {name: np.abs(v[name])}) for name in ("sign_in", "sign_out")}
    bugs = changed(
        right,
        ("RowOffByOne", "Words are counted from 1.", {
            "output": lambda v: _rows(v | {"x": (np.real(v["x"]) + 1) % v["mu"].shape[0]})
        }),
        ("NoInputSigns", "Words have no signs.", {"output": ones["sign_in"]}),
        ("NoOutputSigns", "Features have no signs.", {"output": ones["sign_out"]}),
        ("SignsPerPosition", "A position has signs of its own.", {"output": _per_position}),
        ("WholeWeightFlipped", "Signs flip the whole sampled weight.", {
            "output": lambda v: _rows(v, [
                (v["mu"] + sigma_of(v["rho"]) * v["eps"]) * np.outer(r, s)
                for r, s in zip(v["sign_in"], v["sign_out"], strict=True)
            ])
        }),
        ("SignsSharedAcrossBatch", "All examples have the signs of the first.", {"output": one_for_all}),
        ("RowsShareNoise", "All rows have the noise of the first.", {
            "output": lambda v: _rows(v | {"eps": v["eps"][:1] + 0.0 * v["eps"]})
        }),
        ("ScaleOfFirstRow", "Noise has the scale of the first row, whichever is read.", {
            "output": lambda v: _rows(v | {"rho": v["rho"][:1] + 0.0 * v["rho"]})
        }),
        ("ScaleExp", "The stored scale goes through exp, not through softplus.", {
            "output": lambda v: _rows(v, _signed(v, np.exp(v["rho"])))
        }),
        ("ScaleAsVariance", "The scale is used as a variance.", {
            "output": lambda v: _rows(v, _signed(v, np.sqrt(sigma_of(v["rho"]))))
        }),
        ("ChainMissing", "The derivative of the scale by rho is missing from the gradient.", {"amend": _no_chain}),
        ("PaddingRow", "The row of word 0 is zeros.", {
            "output": lambda v: _rows(v) * (np.real(v["x"]) != 0)[..., None]
        }),
        ("LastPositionWins", "A row's gradient is that of the last position that reads it.", {"amend": _last}),
        ("KlMean", "The KL is averaged, not summed.", {"kl": lambda v: _kl(v, ("",)) / v["mu"].size}),
    )  # fmt: skip
    conventions = {
        "y": "y_nt = W_n[x_nt], W_n = mu + softplus(rho) eps sign_in_n sign_out_n', x whole numbers from 0",
        "kl": f"to N(0, {_PRIOR}^2), every row once",
        "gradients": GRADIENTS,
    }
    cases = []
    sizes = (("words twice", "Ordinary", 2, 6), ("one example", "BatchOfOne", 1, 3), ("none", "EmptyBatch", 0, 3))
    for seed, (comment, flag, n, t) in enumerate(sizes):
        rng = np.random.default_rng(61 + seed)
        given = {"x": rng.integers(0, 4, (n, t)).astype(np.float64), "grad_y": dyadic(rng, n, t, 3)}
        given |= {"mu": dyadic(rng, 4, 3), "rho": dyadic(rng, 4, 3) - 0.5, "eps": dyadic(rng, 4, 3)}
        cases.append(Case(comment, (flag,), given | {"sign_in": signs(rng, n, 4), "sign_out": signs(rng, n, 3)}))
    group = Group("embedding.flipout", conventions, right, tuple(cases), bugs)
    return Family("embedding_flipout", "Wen et al. 2018, arXiv 1803.04386, for one-hot inputs", (group,))


def _attend(v: Values, heads: int = 2, causal: bool | None = None) -> Array:
    found, causal = [], bool(np.real(v["causal"])) if causal is None else causal
    for n, x in enumerate(v["x"]):
        own = []
        for k in PROJECTIONS:
            eps, r, s = v[f"{k}_eps"], v[f"{k}_sign_in"], v[f"{k}_sign_out"]
            weights = flipout.weights(v[f"{k}_mu"], sigma_of(v[f"{k}_rho"]), eps, r, s)
            own.append((weights[n], np.zeros(v["query_mu"].shape[1])))
        found.append(attention.output(x, own[0], own[1], own[2], own[3], heads, causal))
    return np.stack(found) if found else v["x"] + 0.0 * np.sum(v["query_mu"])


def _interleaved(v: Values) -> Array:
    """Head k has columns k, k + 2 and so on: those of queries, keys and values, and the rows of the output."""
    order, moved = [0, 2, 1, 3], dict(v)
    for k in PROJECTIONS[:3]:
        moved |= {f"{k}_{part}": v[f"{k}_{part}"][:, order] for part in ("mu", "rho", "eps", "sign_out")}
    moved |= {f"output_{part}": v[f"output_{part}"][order] for part in ("mu", "rho", "eps")}
    return _attend(moved | {"output_sign_in": v["output_sign_in"][:, order]})


def attentions() -> Family:
    """Self-attention of two heads, with and without causality."""
    right = LayerDefinition(_attend, tuple(f"{k}_{part}" for k in PROJECTIONS for part in ("mu", "rho")))
    bugs = changed(
        right,
        ("ScoresNotScaled", "Scores are not divided by the root of a head's features.", {
            "output": lambda v: _attend(v | {k: 2.0**0.5 * v[k] for k in ("query_mu", "query_eps")})
        }),
        ("OneHead", "All features are one head.", {"output": lambda v: _attend(v, 1)}),
        ("HeadsInterleaved", "The features of a head are every so many, not next to each other.", {
            "output": _interleaved
        }),
        ("MaskReversed", "Positions see later ones where they should not, and do not where they should.", {
            "output": lambda v: _attend(v, 2, not np.real(v["causal"]))
        }),
        ("OutputWithoutNoise", "The last projection has no noise.", {
            "output": lambda v: _attend(v | {"output_eps": 0.0 * v["output_eps"]})
        }),
        ("SignsMissing", "The query has no signs.", {
            "output": lambda v: _attend(v | {k: np.abs(v[k]) for k in ("query_sign_in", "query_sign_out")})
        }),
        ("SoftmaxNotInBackward", "No gradient passes through the softmax to the query.", {
            "amend": lambda inputs, outputs: outputs | {
                name: 0.0 * outputs[name] for name in ("grad_query_mu", "grad_query_rho")
            }
        }),
    )  # fmt: skip
    conventions = {
        "y": "q, k, v = x W_query, x W_key, x W_value, a = softmax(q k' / sqrt(d)) for each of 2 heads, "
        "y = (a v) W_output, W_n = mu + softplus(rho) eps sign_in_n sign_out_n'",
        "causal": "1 where no position sees a later one, 0 where all see all",
        "gradients": GRADIENTS,
    }
    sizes = ((2, 3, "Ordinary", 0.0), (2, 2, "Ordinary", 1.0), (1, 2, "BatchOfOne", 1.0), (0, 2, "EmptyBatch", 0.0))
    cases = tuple(_attention_case(71 + k, *size) for k, size in enumerate(sizes))
    group = Group("attention.flipout", conventions, right, cases, bugs)
    source = "Wen et al. 2018, arXiv 1803.04386; Vaswani et al. 2017, arXiv 1706.03762"
    return Family("attention_flipout", source, (group,))


def _eighths(values: Array) -> Array:
    """Of few digits, which keeps the file small."""
    return np.round(8.0 * values) / 8.0


def _attention_case(seed: int, n: int, t: int, flag: str, causal: float) -> Case:
    rng, f = np.random.default_rng(seed), 4
    given: Values = {"x": dyadic(rng, n, t, f), "grad_y": dyadic(rng, n, t, f), "causal": np.array(causal)}
    for k in PROJECTIONS:
        given |= {f"{k}_mu": _eighths(dyadic(rng, f, f, spread=0.5)), f"{k}_rho": _eighths(dyadic(rng, f, f)) - 1.0}
        given |= {
            f"{k}_eps": _eighths(dyadic(rng, f, f)),
            f"{k}_sign_in": signs(rng, n, f),
            f"{k}_sign_out": signs(rng, n, f),
        }
    return Case(f"{n} examples of {t} positions{', causal' if causal else ''}", (flag,), given)
