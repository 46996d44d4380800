"""The inputs of the layers with Gaussian weights: ordinary numbers, and those that break implementations."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference.vectors.records import Case, Values, dyadic, signs

_SUBNORMAL = {"float64": 2.0**-1070, "float32": 2.0**-147}
_OVERFLOWS = {"float64": 800.0, "float32": 96.0}


def noise_of(rng: np.random.Generator, estimator: str, w: tuple[int, ...], y: tuple[int, ...], x: Any) -> Values:
    """The random numbers of one call, under their names."""
    if estimator == "local":
        return {"zeta": dyadic(rng, *y)}
    eps = {"eps": dyadic(rng, *w)}
    if estimator == "shared":
        return eps
    ones = (1,) * (len(y) - 2)
    return eps | {"sign_in": signs(rng, *x[:2], *ones), "sign_out": signs(rng, *y[:2], *ones)}


def _inputs(rng: np.random.Generator, estimator: str, x: Any, w: Any, y: Any, **others: Any) -> Values:
    values = {
        "x": dyadic(rng, *x),
        "grad_y": dyadic(rng, *y),
        "mu": dyadic(rng, *w),
        "rho": dyadic(rng, *w, spread=0.75) - 0.5,
        **noise_of(rng, estimator, w, y, x),
        "prior_mean": np.array(0.0),
        "prior_scale": np.array(0.5),
    }
    return values | {name: np.asarray(value, dtype=np.float64) for name, value in others.items()}


def _no_noise(inputs: Values) -> Values:
    return inputs | {name: np.zeros_like(inputs[name]) for name in ("eps", "zeta") if name in inputs}


def dense_cases(estimator: str) -> tuple[Case, ...]:
    """A layer from three features to two, mostly, and batches of any size."""
    rng = np.random.default_rng(7)

    def make(n: int, i: int = 3, o: int = 2, **others: Any) -> Values:
        return _inputs(rng, estimator, (n, i), (i, o), (n, o), **others)

    cases = [
        Case("three examples", ("Ordinary",), make(3)),
        Case("five inputs, four outputs", ("Ordinary",), make(2, 5, 4, prior_scale=2.0)),
        Case("a prior with a mean", ("PriorMean",), make(2, prior_mean=-0.75, prior_scale=1.5)),
        Case("one example", ("BatchOfOne",), make(1)),
        Case("one input, one output", ("BatchOfOne",), make(1, 1, 1)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("no noise", ("NoNoise",), _no_noise(make(2))),
    ]
    dead = make(3)
    dead["x"][1] = 0.0
    cases.append(Case("the second example is zero", ("ZeroRow",), dead))
    small = make(2)
    small["rho"] = np.array([[-100.0, -40.0], [-20.0, -12.0], [0.0, 3.0]])
    cases.append(Case("standard deviations down to 1e-44", ("ExtremeScale",), small))
    smaller = make(2)
    smaller["rho"] = np.array([[-1000.0, -1000.0], [-10000.0, 0.0], [1.0, -1.0]])
    cases.append(Case("standard deviations that underflow; their logarithm does not", ("ExtremeScale",), smaller))
    for dtype, rho in _OVERFLOWS.items():
        large = make(2)
        large["rho"][0, 0] = rho
        cases.append(Case(f"rho = {rho:g}: exp(rho) overflows", ("ExtremeScale",), large, (dtype,)))
        tiny = make(2)
        tiny["x"][0] = _SUBNORMAL[dtype] * np.array([1.0, -3.0, 5.0])
        if estimator != "local":  # there the square of a subnormal underflows
            cases.append(Case("an example of subnormals", ("Subnormal",), tiny, (dtype,)))
    return tuple(cases)


def conv_cases(estimator: str) -> tuple[Case, ...]:
    """Two-dimensional convolutions of a few pixels."""
    rng = np.random.default_rng(11)

    def make(
        n: int, c: int, o: int, size: tuple[int, int], kernel: tuple[int, int], s: Any = 1, p: Any = 0, d: Any = 1
    ) -> Values:
        stride, padding, dilation = (np.broadcast_to(np.asarray(v, dtype=np.float64), (2,)) for v in (s, p, d))
        space = (np.array(size) + 2 * padding - dilation * (np.array(kernel) - 1) - 1) // stride + 1
        y = (n, o, *(int(v) for v in space))
        given = {"stride": stride, "padding": padding, "dilation": dilation}
        return _inputs(rng, estimator, (n, c, *size), (o, c, *kernel), y, **given)

    small = make(2, 1, 1, (2, 2), (2, 1))
    small["rho"] = np.array([-1000.0, -20.0]).reshape(1, 1, 2, 1)
    small["prior_mean"] = np.array(-0.75)
    dead = make(2, 1, 2, (3, 3), (2, 2))
    dead["x"][0] = 0.0
    return (
        Case("two examples", ("Ordinary",), make(2, 2, 2, (3, 3), (2, 2))),
        Case("kernel of 1 by 3, padded", ("Strided",), make(2, 1, 2, (2, 3), (1, 3), 1, (0, 1))),
        Case("stride 2, padding 1", ("Strided",), make(2, 2, 1, (4, 3), (2, 2), 2, 1)),
        Case("dilation 2 by 1", ("Strided",), make(1, 1, 2, (4, 2), (2, 2), 1, 0, (2, 1))),
        Case("kernel of one pixel", ("BatchOfOne",), make(1, 2, 2, (2, 1), (1, 1))),
        Case("no example", ("EmptyBatch",), make(0, 2, 1, (3, 3), (2, 2))),
        Case("a standard deviation that underflows, a prior with a mean", ("ExtremeScale", "PriorMean"), small),
        Case("the first example is zero", ("ZeroRow",), dead),
    )


def transposed_cases(estimator: str) -> tuple[Case, ...]:
    """Two-dimensional transposed convolutions of a few pixels."""
    rng = np.random.default_rng(14)  # no pixel is 0, where the root under local has a kink

    def make(
        n: int,
        c: int,
        o: int,
        size: tuple[int, int],
        kernel: tuple[int, int],
        s: Any = 1,
        p: Any = 0,
        d: Any = 1,
        beyond: Any = 0,
    ) -> Values:
        geometry = (np.broadcast_to(np.asarray(v, dtype=np.float64), (2,)) for v in (s, p, d, beyond))
        stride, padding, dilation, output_padding = geometry
        space = (np.array(size) - 1) * stride + dilation * (np.array(kernel) - 1) + 1 + output_padding - 2 * padding
        given = {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": output_padding}
        y = (n, o, *(int(v) for v in space))
        return _inputs(rng, estimator, (n, c, *size), (c, o, *kernel), y, **given)

    small = make(1, 1, 1, (2, 1), (2, 1))
    small["rho"] = np.array([-1000.0, -20.0]).reshape(1, 1, 2, 1)
    small["prior_mean"] = np.array(-0.75)
    pixel = make(1, 2, 1, (2, 1), (1, 1))
    pixel["prior_mean"] = np.array(-0.75)
    dead = make(2, 1, 1, (2, 1), (2, 1))
    dead["x"][0] = 0.0
    return (
        Case("two examples", ("Ordinary",), make(2, 2, 2, (2, 1), (2, 1))),
        Case("three channels to one, padded", ("Strided",), make(1, 3, 1, (1, 3), (1, 2), 1, (0, 1))),
        Case(
            "stride 2, padding of rows, one row beyond",
            ("Strided",),
            make(1, 1, 1, (2, 1), (3, 2), 2, (1, 0), 1, (1, 0)),
        ),
        Case("dilation 2 by 1", ("Strided",), make(1, 1, 1, (2, 1), (2, 2), 1, 0, (2, 1))),
        Case("kernel of one pixel, a prior with a mean", ("BatchOfOne", "PriorMean"), pixel),
        Case("no example", ("EmptyBatch",), make(0, 2, 1, (2, 2), (2, 2))),
        Case("a standard deviation that underflows, a prior with a mean", ("ExtremeScale", "PriorMean"), small),
        Case("the first example is zero", ("ZeroRow",), dead),
    )
