"""Deep ensembles for classes: mean probabilities, the entropies, and the log-likelihood, from given logits."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.special import logsumexp

from bayesnoise_reference.vectors.ensemble_rules import Rule, Together, densities, mean_of
from bayesnoise_reference.vectors.records import Bug, Case, Group, Values, dyadic


def _log_softmax(f: Any) -> Any:
    return f - logsumexp(f, axis=-1, keepdims=True)


def _probabilities(v: Values) -> Any:
    return np.exp(_log_softmax(v["logits"]))


def _of_label(v: Values, f: Any = None) -> Any:
    """The log-likelihood of each member, `(m, n)`."""
    found = _log_softmax(v["logits"] if f is None else f)
    return found[..., np.arange(len(v["target"])), v["target"].astype(int)]


def _entropy(p: Any) -> Any:
    return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)


def _expected(v: Values) -> Any:
    return np.mean(_entropy(_probabilities(v)), axis=0)


def _predictive(v: Values) -> Any:
    return _entropy(np.mean(_probabilities(v), axis=0))


_RIGHT = Together({
    "probabilities": lambda v: np.mean(_probabilities(v), axis=0),
    "predictive_entropy": _predictive,
    "expected_entropy": _expected,
    "mutual_information": lambda v: _predictive(v) - _expected(v),
    "log_density": lambda v: mean_of(_of_label(v)),
})  # fmt: skip


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(102)

    def make(m: int, n: int, k: int) -> Values:
        label = rng.integers(0, k, n).astype(np.float64)
        return {"logits": dyadic(rng, m, n, k, spread=1.5), "target": label}

    alike, certain = make(3, 2, 3), make(2, 3, 3)
    alike["logits"] = np.repeat(alike["logits"][:1], 3, axis=0)
    certain["logits"] = 1000.0 * np.eye(3)[np.array([[0, 0, 0], [1, 0, 0]])]
    certain["target"] = np.array([0.0, 0.0, 2.0])
    return (
        Case("five members, three examples", ("Ordinary",), make(5, 3, 4)),
        Case("two members, one example", ("BatchOfOne",), make(2, 1, 3)),
        Case("one member", ("OneMember",), make(1, 3, 3)),
        Case("members that are alike", ("Ordinary",), alike),
        Case("members that are certain, and disagree on the first example", ("LargeInput",), certain),
    )


def _bugs() -> tuple[Bug, ...]:
    def instead(rule: Rule) -> dict[str, Rule]:
        """Other probabilities, and what is computed from them."""
        return {
            "probabilities": rule,
            "predictive_entropy": lambda v: _entropy(rule(v)),
            "mutual_information": lambda v: _entropy(rule(v)) - _expected(v),
        }

    def of_mean(v: Values) -> Any:
        return np.mean(v["logits"], axis=0)

    def votes(v: Values) -> Any:
        return np.mean(np.eye(v["logits"].shape[-1])[np.argmax(v["logits"], axis=-1)], axis=0)

    def overflowing(v: Values) -> Any:
        powers = np.exp(v["logits"])
        return np.mean(powers / np.sum(powers, axis=-1, keepdims=True), axis=0)

    def at_zero(v: Values) -> Any:
        p = _probabilities(v)
        return np.mean(-np.sum(p * np.log(p), axis=-1), axis=0)

    def information(v: Values) -> Any:
        return _predictive(v) - _expected(v)

    def in_bits(rule: Rule, v: Values) -> Any:
        return rule(v) / np.log(2.0)

    entropies: dict[str, Rule] = {
        "predictive_entropy": _predictive,
        "expected_entropy": _expected,
        "mutual_information": information,
    }
    bits: dict[str, Rule] = {name: partial(in_bits, rule) for name, rule in entropies.items()}
    changes: tuple[tuple[str, str, dict[str, Rule]], ...] = (
        ("FirstMember", "The prediction is that of the first member.", {
            **instead(lambda v: _probabilities(v)[0]), "log_density": lambda v: _of_label(v)[0]
        }),
        ("LogitsAveraged", "The logits are averaged, not the probabilities.", {
            **instead(lambda v: np.exp(_log_softmax(of_mean(v)))), "log_density": lambda v: _of_label(v, of_mean(v))
        }),
        ("Votes", "The members vote, each for its most probable class.", instead(votes)),
        ("MembersNotAveraged", "The members are summed in the place of their mean.", {
            "probabilities": lambda v: np.sum(_probabilities(v), axis=0)
        }),
        ("Medians", "Medians over the members stand in the place of means.", instead(
            lambda v: np.median(_probabilities(v), axis=0)
        )),
        ("EntropyInBits", "Entropies are in bits, not in nats.", bits),
        ("InformationReversed", "The mutual information has the wrong sign.", {
            "mutual_information": lambda v: -information(v)
        }),
        ("PartsSwapped", "The aleatoric and the epistemic part stand in each other's place.", {
            "expected_entropy": information, "mutual_information": _expected
        }),
        ("EntropyOfZero", "The entropy of a probability of 0 is NaN.", {
            "expected_entropy": at_zero, "mutual_information": lambda v: _predictive(v) - at_zero(v)
        }),
        ("SoftmaxOverflows", "The largest logit is not taken off before the exponential.", instead(overflowing)),
        *densities(_of_label),
    )  # fmt: skip
    return tuple(_RIGHT.bug(*change) for change in changes)


def group() -> Group:
    """The mixture of the members' probabilities."""
    conventions = {
        "shapes": "logits (M, n, k) of each of M members; target (n,) is the number of a class, 0 to k - 1",
        "probabilities": "(n, k), the mean over m of p[m] = softmax(logits[m])",
        "predictive_entropy": "-sum_c q_c log q_c of the probabilities q, in nats; 0 log 0 is 0",
        "expected_entropy": "the mean over m of the entropies of p[m]",
        "mutual_information": "predictive_entropy - expected_entropy, of label and member",
        "log_density": "log of the mean over m of p[m][target]",
    }
    return Group("ensemble.classification", conventions, _RIGHT, _cases(), _bugs())
