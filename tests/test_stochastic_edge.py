"""What `Stochastic` and `Affine` refuse, how they read, and what they say of wrong input."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import array_api_compat.torch as torch_namespace
import numpy as np
import pytest
from agreement import assert_close, assert_trees_close, random_noise, random_params
from bayesnoise_backends.host import host_rng
from cases import ESTIMATORS, MAPS, POSTERIORS, name_of, oracle_forward
from namespaces import NUMPY64

from bayesnoise import divergences, estimators, maps, posteriors
from bayesnoise.affine import Affine
from bayesnoise.divergences import Divergence, GaussianKL, LogUniform, Zero
from bayesnoise.estimators import Flipout, Local, Plain, Shared
from bayesnoise.posteriors import Gaussian, LogSigmaGaussian, Point, Traits
from bayesnoise.stochastic import Stochastic


@dataclass(frozen=True)
class Skewed(Gaussian):
    """A posterior of other traits, for the refusals alone."""

    its: Traits = Traits()  # noqa: RUF009

    @property
    def traits(self) -> Traits:
        return self.its


@pytest.mark.parametrize(("posterior", "estimator"), list(itertools.product(POSTERIORS, ESTIMATORS)), ids=name_of)
def test_estimators_refuse_what_they_cannot_carry(posterior: Any, estimator: Any) -> None:
    fits = isinstance(estimator, Plain) != posterior.traits.random
    reason = estimator.refusal(posterior.traits)
    assert (reason is None) == fits
    if reason is not None:
        with pytest.raises(ValueError, match=f"estimator is .* wrong for posterior .*{re.escape(reason)}"):
            Stochastic(maps.Dense(2, 2), posterior, estimator, Zero())


@pytest.mark.parametrize(
    ("traits", "refusing"),
    [
        (Traits(), {Plain}),
        (Traits(symmetric=False), {Plain, Flipout}),
        (Traits(independent=False), {Plain, Flipout, Local}),
        (Traits(gaussian=False), {Plain, Local}),
        (Traits(independent=False, gaussian=False, sign_invariant=True), {Plain, Local}),
    ],
)
def test_each_trait_matters_to_the_estimators_that_need_it(traits: Traits, refusing: set[type]) -> None:
    refused = set()
    for estimator in ESTIMATORS:
        try:
            Stochastic(maps.Dense(2, 2), Skewed(its=traits), estimator, Zero())
        except ValueError as error:
            refused.add((type(estimator), "use " in str(error)))
    assert refused == {(kind, True) for kind in refusing}  # each names what to use instead


NAMES = {
    name: getattr(module, name) for module in (maps, estimators, divergences, posteriors) for name in module.__all__
} | {"Stochastic": Stochastic, "Affine": Affine}


@pytest.mark.parametrize(("m", "_shape"), MAPS, ids=[name_of(m) for m, _ in MAPS])
def test_layers_read_as_what_they_are(m: Any, _shape: Any) -> None:
    kls: list[Divergence] = [GaussianKL(0.5), LogUniform(), Zero()]
    layers = [
        Stochastic(m, p, e, d)
        for p, e in itertools.product(POSTERIORS, ESTIMATORS)
        for d in kls
        if e.refusal(p.traits) is None
    ]
    layers += [Affine(layer, layer) for layer in layers]  # type: ignore[misc]
    assert len(set(layers)) == len(layers)
    for layer in layers:
        again = eval(repr(layer), {}, NAMES)
        assert again == layer
        assert hash(again) == hash(layer)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_input_gradient_can_be_left_out(estimator: Any) -> None:
    posterior = Point() if isinstance(estimator, Plain) else Gaussian()
    weight = Stochastic(maps.Conv(1, 2, (2,)), posterior, estimator, Zero())
    layer = Affine(weight, Stochastic(weight.map.bias(), posterior, estimator, Zero()))
    rng = np.random.default_rng(0)
    params, x = random_params(layer, rng), rng.standard_normal((2, 1, 3))
    y, residuals = layer.forward(params, random_noise(layer, params, x.shape, 0), x)
    with_x, without_x = layer.backward(residuals, y), layer.backward(residuals, y, input_grad=False)
    assert without_x[0] is None
    assert_trees_close(without_x[1], with_x[1], 0.0)


@pytest.mark.parametrize("call", ["forward", "predict", "moments"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((2, 4)), ValueError, r"x has shape \(2, 4\), expected \(n, \.\.\., 3\)"),
        (np.ones((2, 3), dtype=np.float32), TypeError, "x has dtype float32 and params float64"),
        (np.ones((2, 3), dtype=np.int64), TypeError, "x has dtype int64, expected real floating point"),
        (np.ones((2, 3), dtype=np.complex128), TypeError, "x has dtype complex128"),
        (torch_namespace.ones((2, 3)), TypeError, "all arrays of one call must come from one backend"),
        ([[1.0, 2.0, 3.0]], TypeError, "x is a list, expected an array"),
    ],
    ids=["shape", "precision", "integers", "complex", "backend", "list"],
)
def test_wrong_input_is_named(call: str, x: Any, error: type[Exception], message: str) -> None:
    layer = Stochastic(maps.Dense(3, 2), Gaussian(), Shared(), Zero())
    params = layer.init(host_rng(0), like=np.ones(()))
    noise = layer.draw(host_rng(0), params, (2, 3), like=np.ones(()))
    arguments = (params, noise, x) if call == "forward" else (params, x)
    with pytest.raises(error, match=message):
        getattr(layer, call)(*arguments)


def test_the_oracle_reads_the_layer() -> None:
    """A sanity check of the comparison itself: another layer's definition does not agree."""
    layers = [Stochastic(maps.Dense(2, 2), p, Shared(), Zero()) for p in (Gaussian(), LogSigmaGaussian())]
    rng = np.random.default_rng(0)
    params, x = random_params(layers[0], rng), rng.standard_normal((2, 2))
    noise = random_noise(layers[0], params, x.shape, 0)
    y = layers[0].forward(params, noise, x)[0]
    assert_close(y, oracle_forward(layers[0], params, noise, x), 1e-12, NUMPY64)
    with pytest.raises(AssertionError):
        assert_close(y, oracle_forward(layers[1], params, noise, x), 1e-12, NUMPY64)


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if not isinstance(e, Plain)], ids=name_of)
def test_noise_of_another_call_is_refused(estimator: Any) -> None:
    layer = Stochastic(maps.Dense(3, 2), Gaussian(), estimator, Zero())
    x = np.ones((4, 3))
    params = layer.init(host_rng(0), like=x)
    other = Stochastic(maps.Dense(3, 5), Gaussian(), estimator, Zero()).draw(host_rng(1), params, (4, 3), like=x)
    with pytest.raises(ValueError, match=r"noise\.\w+ has shape .*, expected .* here: draw it with x.shape"):
        layer.forward(params, other, x)
