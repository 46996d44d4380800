"""Evolution strategies over flips of given perturbations: the members, and the gradient from their given values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference import evolution
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic, signs

Rule: TypeAlias = Callable[[Values], Any]


_OF_VECTORS = ("InputSignsMissing", "PairsAlike", "NotDividedByScale", "MembersSummed", "ScaleMissing")


def _perturbations(v: Values) -> list[list[Array]]:
    """Of every member, base by base."""
    found = []
    for b, eps in enumerate(v["eps"]):
        outs = v["sign_out"][b] if "sign_out" in v else [None] * len(v["sign_in"][b])
        found.append([evolution.perturbation(eps, i, o) for i, o in zip(v["sign_in"][b], outs, strict=True)])
    return found


def _no_baselines(v: Values) -> Array:
    return np.zeros(v["values"].shape)


def _of_the_others(v: Values) -> Array:
    return np.array([evolution.of_the_others(values) for values in v["values"]])


def _members(v: Values) -> Array:
    return np.stack([evolution.members(v["theta"], moved, float(v["scale"])) for moved in _perturbations(v)])


@dataclass(frozen=True)
class Strategy:
    """The mean over bases of the mean over members of `(F - b) z / scale`; a bug amends the last word."""

    baselines: Rule
    members: Rule = _members
    given: Callable[[Values], Values] = dict  # what the estimate sees
    factor: Rule = lambda v: 1.0

    def __call__(self, inputs: Values) -> Values:
        seen = self.given(inputs)
        each = zip(_perturbations(seen), seen["values"], self.baselines(seen), strict=True)
        estimates = [evolution.gradient(z, f, float(inputs["scale"]), b) for z, f, b in each]
        return {"members": self.members(inputs), "grad_theta": self.factor(inputs) * np.mean(estimates, axis=0)}


def _cases(seed: int, antithetic: bool, vector: bool) -> tuple[Case, ...]:
    rng = np.random.default_rng(seed)

    def make(bases: int, members: int, rows: int = 2, columns: int = 2, scale: float = 0.25) -> Values:
        shape = (rows,) if vector else (rows, columns)
        pairs = members // 2 if antithetic else members
        ins, outs = signs(rng, bases, pairs, rows), signs(rng, bases, pairs, columns)
        if antithetic:
            ins, outs = np.concatenate([ins, -ins], axis=1), np.concatenate([outs, outs], axis=1)
        return {
            "theta": dyadic(rng, *shape),
            "eps": dyadic(rng, bases, *shape),
            "sign_in": ins,
            **({} if vector else {"sign_out": outs}),
            "values": dyadic(rng, bases, members, spread=2.0),
            "scale": np.array(scale),
        }

    constant, raised, silent = make(2, 4), make(2, 4), make(1, 4)
    constant["values"] = np.full((2, 4), 64.0)
    raised["values"] += 64.0
    silent["eps"] = np.zeros_like(silent["eps"])
    some = (
        Case("two perturbations of four members", ("Ordinary",), make(2, 4)),
        Case("one perturbation of two members", ("Ordinary",), make(1, 2, 3)),
    )
    if vector:  # the rest is as with a matrix
        return some
    return (
        *some,
        Case("one perturbation of six members", ("Ordinary",), make(1, 6, 2, 3, 2.0)),
        Case("three perturbations of two members", ("Ordinary",), make(3, 2, 4, 1, 0.5)),
        Case("a constant in all values", ("Constant",), raised),
        Case("all values are the same", ("Constant",), constant),
        Case("the perturbation is zero", ("NoNoise",), silent),
    )


def _standardised(v: Values) -> Values:
    return v | {"values": v["values"] / np.std(v["values"], axis=1, keepdims=True)}


def _ranked(v: Values) -> Values:
    return v | {"values": np.argsort(np.argsort(v["values"], axis=1), axis=1).astype(np.float64)}


def _bugs(right: Strategy, antithetic: bool, vector: bool) -> tuple[Bug, ...]:
    def alike(v: Values) -> Values:
        half = v["sign_in"].shape[1] // 2
        return v | {"sign_in": np.concatenate([v["sign_in"][:, :half]] * 2, axis=1)}

    def of_all(v: Values) -> Any:
        return np.mean(v["values"], axis=1, keepdims=True) + _no_baselines(v)

    def without_out(v: Values) -> Values:
        return v | {"sign_out": np.ones_like(v["sign_out"])}

    def over_all(v: Values) -> Any:
        flat = evolution.of_the_others(v["values"].ravel())
        return np.reshape(flat, v["values"].shape)

    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("OppositeSign", "The estimate is that of the opposite of the gradient.", {"factor": lambda v: -1.0}),
        ("NotDividedByScale", "The estimate is not divided by the scale of the perturbations.", {
            "factor": lambda v: v["scale"]
        }),
        ("DividedByVariance", "The estimate is divided by the square of the scale.", {
            "factor": lambda v: 1.0 / v["scale"]
        }),
        ("MembersSummed", "The estimate is a sum over the members, not their mean.", {
            "factor": lambda v: v["values"].shape[1]
        }),
        ("BasesSummed", "The estimate is a sum over the perturbations, not their mean.", {
            "factor": lambda v: v["values"].shape[0]
        }),
        ("Halved", "Each member counts for half, as if it were one of a pair twice.", {"factor": lambda v: 0.5}),
        ("InputSignsMissing", "The input signs are left out.", {
            "given": lambda v: v | {"sign_in": np.ones_like(v["sign_in"])}
        }),
        ("OneMemberForAll", "The value of one member serves all members of its perturbation.", {
            "given": lambda v: v | {"values": v["values"][:, :1] + 0.0 * v["values"]}
        }),
        ("Unperturbed", "The objective is asked at theta, and not at the members.", {
            "members": lambda v: _members(v | {"eps": 0.0 * v["eps"]})
        }),
        ("ScaleMissing", "The perturbations of the members are not multiplied by the scale.", {
            "members": lambda v: _members(v | {"scale": np.array(1.0)})
        }),
        ("Standardised", "The values are divided by their standard deviation.", {"given": _standardised}),
        ("Ranked", "The ranks of the values stand in their place.", {"given": _ranked}),
    ]  # fmt: skip
    if not vector:
        changes.append(("OutputSignsMissing", "The output signs are left out.", {"given": without_out}))
    if antithetic:
        changes.append((
            "PairsAlike",
            "The members of a pair have the same perturbation, not opposite ones.",
            {"given": alike, "members": lambda v: _members(alike(v))},
        ))  # fmt: skip
    else:
        changes += [
            ("BaselineOfAll", "The baseline of a member has its own value in it.", {"baselines": of_all}),
            ("BaselineOverBases", "The baseline is the mean of the others over all perturbations.", {
                "baselines": over_all
            }),
            ("NoBaseline", "The values have no baseline.", {"baselines": _no_baselines}),
        ]  # fmt: skip
    bugs = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    return tuple(bug for bug in bugs if not vector or bug.flag in _OF_VECTORS)


def _group(kind: str, seed: int) -> Group:
    antithetic, vector = kind != "baseline", kind == "vector"
    right = Strategy(_no_baselines if antithetic else _of_the_others)
    z = "z[b, m] = eps[b] * sign_in[b, m]"
    if not vector:
        z = "z[b, m][i, j] = eps[b][i, j] sign_in[b, m][i] sign_out[b, m][j]"
    pairs = "members m and m + M / 2 have opposite perturbations, as the given signs say, and there is no baseline"
    others = "the baseline c[b, m] is the mean of values[b, k] over the other members k != m of the same perturbation"
    conventions = {
        "shapes": f"theta {'(r,)' if vector else '(r, s)'}; eps (B, ...) like theta for each of B perturbations; "
        f"sign_in (B, M, r){'' if vector else ', sign_out (B, M, s)'}: signs of its M members",
        "members": f"theta + scale z[b, m], {z}, (B, M, ...): where the objective is asked",
        "values": "(B, M), given: the value of the objective at each member",
        "grad_theta": "mean over b and m of "
        + ("values[b, m]" if antithetic else "(values[b, m] - c[b, m])")
        + " z[b, m] / scale, the estimate of the gradient of E F(theta + scale eps): descend along it to make F small",
        "baseline": pairs if antithetic else others,
    }
    cases, bugs = _cases(seed, antithetic, vector), _bugs(right, antithetic, vector)
    return Group(f"evolution.{kind}", conventions, right, cases, bugs)


def strategies() -> Family:
    """Pairs of opposite members, members compared with others, and pairs over a vector of parameters."""
    groups = tuple(_group(kind, 91 + k) for k, kind in enumerate(("antithetic", "baseline", "vector")))
    return Family("evolution", "Wen, Vicol, Ba, Tran, Grosse 2018, arXiv 1803.04386, section 4.3", groups)
