"""Noise of learned strength: concrete dropout, and information dropout under both its priors."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import concrete_dropout, dense, divergences, information_dropout
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

_SIZES = (("three examples", "Ordinary", 3), ("one example", "BatchOfOne", 1), ("no example", "EmptyBatch", 0))
_PRIOR = 0.5


def concrete() -> Family:
    """A relaxed mask on the inputs of a dense map, with a learned rate."""

    def output(v: Values, temperature: Any = None) -> Any:
        t = float(v["temperature"]) if temperature is None else temperature
        return dense.output(concrete_dropout.masked(v["x"], v["logit"], v["u"], t), v["theta"])

    def reversed_(v: Values) -> Any:
        p = concrete_dropout.rate(v["logit"])
        z = concrete_dropout.relaxed(p, v["u"], float(v["temperature"]))
        return dense.output(v["x"] * z / (1.0 - p), v["theta"])

    def rounded(v: Values) -> Any:
        p = concrete_dropout.rate(v["logit"])
        z = np.real(concrete_dropout.relaxed(p, v["u"], float(v["temperature"]))) > 0.5
        return dense.output(v["x"] * (1.0 - z) / (1.0 - p), v["theta"])

    def kl(v: Values) -> Any:
        return concrete_dropout.divergence(v["theta"], v["logit"], v["theta"].shape[0], _PRIOR)

    def penalty(v: Values) -> Any:
        return divergences.dropout_penalty(v["theta"], _PRIOR, 1.0)

    def entropy(v: Values) -> Any:
        return concrete_dropout.divergence(0.0 * v["theta"], v["logit"], v["theta"].shape[0], _PRIOR)

    right = LayerDefinition(output, ("theta", "logit"), kl)
    bugs = changed(
        right,
        ("NotInverted", "What is kept is not divided by 1 - p.", {
            "output": lambda v: (1.0 - concrete_dropout.rate(v["logit"])) * output(v)
        }),
        ("MaskReversed", "The relaxed indicator of dropping multiplies.", {"output": reversed_}),
        ("TemperatureMissing", "The temperature is 1.", {"output": lambda v: output(v, 1.0)}),
        ("TemperatureMultiplied", "The logits are multiplied by the temperature.", {
            "output": lambda v: output(v, 1.0 / float(v["temperature"]))
        }),
        ("RateOfKeeping", "The logit is that of keeping.", {"output": lambda v: output(v | {"logit": -v["logit"]})}),
        ("MaskRounded", "The mask is rounded to 0 or 1, and has no gradient.", {"output": rounded}),
        ("NoiseNotInBackward", "The gradient passes as without noise.", grad(
            "grad_x", lambda k: k["grad_y"] @ k["theta"].T
        )),
        ("LogitNotInBackward", "No gradient reaches the logit.", grad("grad_logit", lambda k: 0.0 * k["grad_logit"])),
        ("RateNotInBackward", "The gradient of the logit leaves out that of 1 / (1 - p).", grad(
            "grad_logit", lambda k: k["grad_logit"] - np.sum(k["grad_y"] * k["y"]) * concrete_dropout.rate(k["logit"])
        )),
        ("EntropyAdded", "The entropy is added, not subtracted.", {"kl": lambda v: kl(v) - 2.0 * entropy(v)}),
        ("EntropyOnce", "The entropy counts once, not once an input.", {
            "kl": lambda v: kl(v) - entropy(v) * (1.0 - 1.0 / v["theta"].shape[0])
        }),
        ("EntropyMissing", "The entropy is left out.", {"kl": lambda v: kl(v) - entropy(v)}),
        ("PenaltyWithoutRate", "The weights' penalty is not divided by 1 - p.", {
            "kl": lambda v: entropy(v) + penalty(v)
        }),
        ("PriorVarianceAsScale", "The prior's scale is taken for a variance.", {
            "kl": lambda v: entropy(v) + _PRIOR * (kl(v) - entropy(v))
        }),
    )  # fmt: skip
    conventions = {
        "y": "(x (1 - z) / (1 - p)) theta, p = sigmoid(logit), "
        "z = sigmoid((logit + log u - log(1 - u)) / temperature), u (n, in)",
        "kl": f"|theta|^2 / (2 s^2 (1 - p)) + in (p log p + (1 - p) log(1 - p)), s = {_PRIOR}",
        "gradients": GRADIENTS,
        "bias": "none",
    }
    rng = np.random.default_rng(31)
    cases = tuple(
        Case(
            comment,
            (flag,),
            {
                "x": dyadic(rng, n, 3),
                "grad_y": dyadic(rng, n, 2),
                "theta": dyadic(rng, 3, 2),
                "logit": np.array(-0.75),
                "temperature": np.array(0.5),
                "u": np.round(64.0 * rng.uniform(0.05, 0.95, (n, 3))) / 64.0,
            },
        )
        for comment, flag, n in _SIZES
    )
    group = Group("concrete_dropout", conventions, right, cases, bugs)
    return Family("concrete_dropout", "Gal, Hron, Kendall 2017, arXiv 1705.07832", (group,))


def information() -> Family:
    """Log-normal noise on an activation, as strong as the input says."""

    def group(seed: int, prior: str) -> Group:
        def output(v: Values) -> Any:
            h, s = (dense.output(v["x"], v[name]) for name in ("theta", "theta_alpha"))
            return information_dropout.output(h, s, v["zeta"], prior)

        def kl(v: Values) -> Any:
            total: Any = 0.0 * np.sum(v["theta"])
            for x in v["x"]:
                h, s = (dense.output(x, v[name]) for name in ("theta", "theta_alpha"))
                uniform = prior == "log_uniform"
                own: Any = (
                    information_dropout.to_log_uniform(h, s)
                    if uniform
                    else information_dropout.to_log_normal(h, s, 0.0, 1.0)
                )
                total = total + own
            return total

        def alpha(v: Values) -> Any:
            return information_dropout.strength(dense.output(v["x"], v["theta_alpha"]))

        def plain(v: Values) -> Any:
            return output(v | {"zeta": 0.0 * v["zeta"]})

        def fixed(v: Values) -> Any:
            return output(v | {"theta_alpha": np.real(v["theta_alpha"])})

        def of_alpha_alone(v: Values) -> Any:
            """The divergence if every unit were on and had log f = 0."""
            strengths = [dense.output(x, v["theta_alpha"]) for x in v["x"]]
            each: Any = (
                [information_dropout.to_log_uniform(np.ones(s.shape), s) for s in strengths]
                if prior == "log_uniform"
                else [divergences.gaussian(0.0, information_dropout.strength(s), 0.0, 1.0) for s in strengths]
            )
            return sum(each) + 0.0 * np.sum(v["theta"])

        right = LayerDefinition(output, ("theta", "theta_alpha"), kl)
        flag, sentence = (
            ("KLOfDeadUnits", "Units that are off count in the divergence.")
            if prior == "log_uniform"
            else ("KLWithoutMean", "The divergence leaves out how far log f is from the prior.")
        )
        bugs = changed(
            right,
            ("NoiseAdded", "The noise is added to the activation.", {
                "output": lambda v: plain(v) + alpha(v) * v["zeta"]
            }),
            ("LinearFactor", "The factor is 1 + alpha zeta, not its exponential.", {
                "output": lambda v: plain(v) * (1.0 + alpha(v) * v["zeta"])
            }),
            ("AlphaAsVariance", "The deviation is the root of alpha.", {
                "output": lambda v: plain(v) * np.exp(np.sqrt(alpha(v)) * v["zeta"])
            }),
            ("AlphaUnscaled", "alpha is the sigmoid itself, without its range.", {
                "output": lambda v: plain(v) * np.exp((alpha(v) - 0.001) / 0.7 * v["zeta"])
            }),
            ("AlphaNotInBackward", "No gradient reaches the map of alpha.", {"backward_output": fixed}),
            ("MapsExchanged", "The two maps are exchanged.", {
                "output": lambda v: output(v | {"theta": v["theta_alpha"], "theta_alpha": v["theta"]})
            }),
            ("KLMean", "The divergence is a mean over examples, not a sum.", {
                "kl": lambda v: kl(v) / max(1, len(v["x"]))
            }),
            ("KLMeanOfUnits", "The divergence is a mean over units, not a sum.", {
                "kl": lambda v: kl(v) / v["theta"].shape[1]
            }),
            ("KLSign", "The divergence has the wrong sign.", {"kl": lambda v: -kl(v)}),
            (flag, sentence, {"kl": of_alpha_alone}),
        )  # fmt: skip
        shape = "max(h, 0)" if prior == "log_uniform" else "log(1 + e^h)"
        of = (
            "-log(alpha / 0.701) where h > 0, else 0"
            if prior == "log_uniform"
            else "(alpha^2 + (log f)^2) / 2 - log(alpha) - 1/2"
        )
        conventions = {
            "y": f"f exp(alpha zeta), f = {shape}, h = x theta, alpha = 0.001 + 0.7 sigmoid(x theta_alpha)",
            "kl": f"summed over examples and units: {of}; kl_grad_* are by the weights of both maps",
            "gradients": GRADIENTS,
            "bias": "none",
        }
        rng = np.random.default_rng(seed)
        cases = tuple(
            Case(
                comment,
                (flag,),
                {
                    "x": dyadic(rng, n, 3),
                    "grad_y": dyadic(rng, n, 2),
                    "theta": dyadic(rng, 3, 2),
                    "theta_alpha": dyadic(rng, 3, 2),
                    "zeta": dyadic(rng, n, 2),
                },
            )
            for comment, flag, n in _SIZES
        )
        return Group(f"information_dropout.{prior}", conventions, right, cases, bugs)

    groups = (group(32, "log_uniform"), group(33, "log_normal"))
    return Family("information_dropout", "Achille, Soatto 2018, arXiv 1611.01353", groups)
