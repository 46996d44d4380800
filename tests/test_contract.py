"""Every allowed triple of posterior, estimator and map, on every namespace, against the oracle."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any, TypeAlias

import layer_cases
import pytest
from agreement import Truth, assert_agrees, truth
from cases import (
    ESTIMATORS,
    INDEX_MAPS,
    LAWS,
    MAP_ORACLES,
    MAPS,
    OUTPUTS,
    POSTERIORS,
    name_of,
    oracle_forward,
    oracle_moments,
    public,
)
from namespaces import Namespace

from bayesnoise import estimators, maps, posteriors
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine
from bayesnoise.composite import Composite
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Plain
from bayesnoise.maps import Unit
from bayesnoise.posteriors import Multiplicative, Point
from bayesnoise.stochastic import Stochastic

Layer: TypeAlias = Stochastic | Affine

SHARED_ALPHAS: list[tuple[int, Unit]] = [(0, "input"), (5, "output"), (8, "input")]  # which map, and what shares


def _layers() -> list[tuple[Layer, Shape]]:
    """Every allowed triple; then other geometries, biases of each kind and shared alphas, where those can matter."""
    pairs = [(p, e) for p, e in itertools.product(POSTERIORS, ESTIMATORS) if e.refusal(p.traits) is None]
    first = {type(m): (m, shape) for m, shape in reversed(MAPS)}
    layers: list[tuple[Layer, Shape]] = []
    for (m, x_shape), (p, e) in itertools.product(MAPS, pairs):
        if (m, x_shape) == first[type(m)] or isinstance(p, posteriors.Gaussian):
            layers.append((Stochastic(m, p, e, Zero()), x_shape))
    for index, (p, e) in itertools.product((1, 4), pairs):
        m, x_shape = MAPS[index]
        weight = Stochastic(m, p, e, Zero())
        if isinstance(p, posteriors.Gaussian | Point):
            layers.append((Affine(weight, Stochastic(m.bias(), Point(), Plain(), Zero())), x_shape))
        if p.traits.random and index == 1:
            layers.append((Affine(weight, Stochastic(m.bias(), p, e, Zero())), x_shape))
    for (index, unit), e in itertools.product(SHARED_ALPHAS, ESTIMATORS[1:]):
        m, x_shape = MAPS[index]
        layers.append((Stochastic(m, Multiplicative(alpha=unit), e, Zero()), x_shape))
    return layers


LAYERS = _layers()


def name(layer: Layer) -> str:
    weight, bias = (layer, None) if isinstance(layer, Stochastic) else (layer.weight, layer.bias)
    parts = [weight.map, weight.posterior, weight.estimator, *([] if bias is None else [bias.posterior])]
    return name_of(*parts) + (f"-{p.alpha}" if isinstance(p := weight.posterior, Multiplicative) else "")


@cache
def truth_of(index: int) -> Truth:
    layer, x_shape = LAYERS[index]
    return truth(
        layer,
        x_shape,
        lambda params, noise, x: oracle_forward(layer, params, noise, x),
        lambda params, x: oracle_moments(layer, params, x),
        seed=index,
    )


@pytest.mark.parametrize("index", range(len(LAYERS)), ids=[name(layer) for layer, _ in LAYERS])
def test_layer_equals_the_oracle(namespace: Namespace, index: int) -> None:
    assert_agrees(LAYERS[index][0], truth_of(index), namespace)


def inside(layer: Any) -> set[type]:
    """The classes of the algebra that a layer is made of."""
    parts = layer.parts if isinstance(layer, Composite) else ()
    own = (layer.map, layer.posterior, layer.estimator) if isinstance(layer, Stochastic) else ()
    return {type(piece) for piece in own}.union(*(inside(part) for _, part in parts))


def test_every_public_class_has_a_case() -> None:
    """Here, with every partner that it fits, or in the layers of a family."""
    elsewhere = set[type]().union(*(inside(case.layer) for case in layer_cases.CASES.values()))
    for module, method, instances, oracles in (
        (maps, "adjoint_w", [m for m, _ in (*MAPS, *INDEX_MAPS)], MAP_ORACLES),
        (posteriors, "pullback", POSTERIORS, LAWS),
        (estimators, "contract_backward", ESTIMATORS, OUTPUTS),
    ):
        classes = public(module, method)
        assert len(classes) >= 4
        here = {type(instance) for instance in instances}
        assert here <= set(oracles) <= classes
        assert classes <= here | elsewhere
