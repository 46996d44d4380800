"""Several samples of an input in one call: the draws of as many calls, and one gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import assert_trees_close, random_noise, random_params
from bayesnoise_backends import host_rng
from bayesnoise_backends.jax_layers import jitted
from bayesnoise_reference._typing import Array
from cases import representable
from layer_cases import CASES

import bayesnoise as bn
from bayesnoise import maps, methods, normalisation, tree
from bayesnoise._typing import Shape
from bayesnoise.composite import Composite, independent_examples
from bayesnoise.layer import Empty, absorb, backward_with_kl, example_kl
from bayesnoise.losses import Gaussian, Mixture
from bayesnoise.multi_sample import MultiSample, MultiSampleNoise
from bayesnoise.noise import Bernoulli as Mask
from bayesnoise.noise import DropBlock, LearnedGaussian, Multiply
from bayesnoise.objective import ModelParams, objective
from bayesnoise.reshaping import flatten
from bayesnoise.residual import Residual

DENSE = maps.Dense(2, 1)
MORE: dict[str, tuple[Any, Shape]] = {  # layers that no case of the contract holds
    "multiply": (Multiply(Mask(0.5)), (2, 3)),
    "learned gaussian": (LearnedGaussian(3), (2, 3)),
    "layer norm": (normalisation.LayerNorm(3), (2, 3)),
    "batch norm": (normalisation.BatchNorm(3), (2, 3)),
    "frozen batch norm": (normalisation.FrozenBatchNorm(3), (2, 3)),
    "drop block of a batch": (DropBlock(0.5, (2,)), (2, 1, 3)),
    "drop block of an example": (DropBlock(0.5, (2,), scale_by="example"), (2, 1, 3)),
    "flatten": (flatten(), (2, 1, 3)),
    "masked recurrent": (bn.recurrent.gru(methods.deterministic, 3, 2, hidden_noise=Mask(0.5)), (2, 2, 3)),
    "residual": (bn.chain(Residual(methods.dropout(maps.Dense(3, 3))), bn.activations.relu()), (2, 3)),
    "shared": (methods.bayes_by_backprop(DENSE), (2, 2)),
}
LAYERS: dict[str, tuple[Any, Shape]] = {name: (case.layer, case.x_shape) for name, case in CASES.items()} | MORE
MIXING = {"BatchNorm", "DropBlock"}
# It does not say so although its examples are independent, and gets a call for each sample: as right, and slower.
SILENT = {"MultiSample"}
each_layer = pytest.mark.parametrize("name", LAYERS)


def call(name: str, n: int) -> tuple[Any, Any, Array]:
    """A layer, its parameters and an input of n examples."""
    (layer, x_shape), rng = LAYERS[name], np.random.default_rng(len(name))
    params = CASES[name].make_params(layer, rng) if name in CASES else layer.init(host_rng(0), like=np.ones(1))
    return layer, params, representable(rng, (n, *x_shape[1:]))


def reaches_the_output(path: str) -> bool:
    return path.rpartition(".")[2] not in ("divergence", "kl_eps", "kl_eta")


def part(noise: Any, rows: slice) -> Any:
    """The noise of some rows of a call with noise for each row."""
    leaves = [leaf[rows] if reaches_the_output(path) else leaf for path, leaf in tree.paths(noise)]
    return tree.unflatten(noise, iter(leaves))


def draws(several: MultiSample, noise: MultiSampleNoise, n: int) -> list[Any]:
    """The noise of each sample."""
    if several.rows == 1:
        return list(noise.calls)
    return [part(noise.calls[0], slice(k * n, (k + 1) * n)) for k in range(several.samples)]


def inside(layer: Any) -> set[str]:
    parts = layer.parts if isinstance(layer, Composite) else ()
    return {type(layer).__name__}.union(*(inside(p) for _, p in parts))


@each_layer
def test_examples_are_independent_exactly_where_it_is_said(name: str) -> None:
    """With noise of its own each row of a call is a call on that row; otherwise rows share noise, or see each other."""
    layer, params, x = call(name, 3)
    noise = random_noise(layer, params, x.shape, 1)
    paths = [(path, leaf.shape) for path, leaf in tree.paths(noise) if reaches_the_output(path)]
    other = dict(tree.paths(random_noise(layer, params, (5, *x.shape[1:]), 1)))
    if not independent_examples(layer):
        shared = any(shape == other[path].shape for path, shape in paths)
        assert shared or inside(layer) & (MIXING | SILENT)
        return
    assert all(shape[0] == 3 for _, shape in paths)
    y, _ = layer.forward(params, noise, x)
    for i in range(3):
        row = slice(i, i + 1)
        np.testing.assert_allclose(layer.forward(params, part(noise, row), x[row])[0], y[row], rtol=1e-12, atol=1e-14)


@each_layer
def test_several_samples_are_several_calls(name: str) -> None:
    """Outputs, sums of gradients, means of divergences of an example, and statistics taken in one after another."""
    layer, params, x = call(name, 2)
    several, rng = MultiSample(layer, 3), np.random.default_rng(1)
    noise = random_noise(several, params, x.shape, 2)
    y, residuals = several.forward(params, noise, x)
    grad_y, weights = rng.standard_normal(several.output_shape(x.shape)), rng.standard_normal(2)
    assert y.shape == grad_y.shape
    calls = [layer.forward(params, one, x) for one in draws(several, noise, 2)]
    assert len(calls) == 3
    np.testing.assert_allclose(y, np.stack([one for one, _ in calls]), rtol=1e-12, atol=1e-14)
    plain = [layer.backward(r, g) for (_, r), g in zip(calls, grad_y, strict=True)]
    with_kl = [backward_with_kl(layer, r, g, weights / 3) for (_, r), g in zip(calls, grad_y, strict=True)]
    for got, parts in (
        (several.backward(residuals, grad_y), plain),
        (several.backward_with_kl(residuals, grad_y, weights), with_kl),
    ):
        for total, *one in zip(tree.leaves(got), *(tree.leaves(p) for p in parts), strict=True):
            np.testing.assert_allclose(total, sum(one), rtol=1e-11, atol=1e-12)
    of_examples = np.mean([example_kl(layer, r) for _, r in calls], axis=0)
    np.testing.assert_allclose(several.example_kl(residuals), of_examples, rtol=1e-12)
    seen = params
    for _, r in calls:
        seen = absorb(layer, seen, r)
    for got, want in zip(tree.leaves(several.absorb(params, residuals)), tree.leaves(seen), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)


def test_samples_share_no_noise() -> None:
    """Weights shared by the rows of a call are drawn for each sample: neither the same, nor the same but for signs."""
    x = np.ones((2, 2))
    for method in (methods.bayes_by_backprop, methods.flipout):
        several = MultiSample(method(DENSE, bias="none"), 3)
        noise = several.draw(host_rng(0), several.init(host_rng(1), like=x), x.shape, like=x)
        assert several.rows == 1
        assert len({np.abs(one.estimator.eps).tobytes() for one in noise.calls}) == 3
    assert MultiSample(methods.local_reparameterization(DENSE), 3).rows == 3
    assert MultiSample(jitted(methods.local_reparameterization(DENSE)), 3).rows == 3
    assert MultiSample(jitted(methods.flipout(DENSE)), 3).rows == 1


@pytest.mark.parametrize("method", [methods.local_reparameterization, methods.flipout])
def test_the_order_of_samples_does_not_matter(method: Any) -> None:
    layer, loss, rng = method(maps.Dense(2, 3), bias="none"), Mixture(Gaussian()), np.random.default_rng(0)
    several, x, y = MultiSample(layer, 3), rng.standard_normal((4, 2)), rng.standard_normal((4, 3))
    params = ModelParams(random_params(layer, rng), Empty())
    noise = several.draw(host_rng(1), params.layer, x.shape, like=x)
    if several.rows == 1:
        turned = MultiSampleNoise((*noise.calls[1:], noise.calls[0]))
    else:
        turned = tree.map(lambda leaf: np.roll(leaf, -4, axis=0), noise)
    results = [objective(several, loss, params, one, x, y, 0.1) for one in (noise, turned)]
    assert_trees_close(results[0], results[1], 1e-14)


def test_bad_input_is_refused() -> None:
    layer, x = methods.flipout(DENSE, bias="none"), np.ones((4, 2))
    with pytest.raises(ValueError, match="samples is 0, expected at least 1"):
        MultiSample(layer, 0)
    with pytest.raises(TypeError, match="samples is True, expected an integer"):
        MultiSample(layer, True)
    two, three = MultiSample(layer, 2), MultiSample(layer, 3)
    params = two.init(host_rng(0), like=x)
    noise = two.draw(host_rng(0), params, x.shape, like=x)
    with pytest.raises(ValueError, match=r"noise\.calls holds 2, expected 3 for MultiSample"):
        three.forward(params, noise, x)
    _, residuals = two.forward(params, noise, x)
    with pytest.raises(ValueError, match=r"grad_y has shape \(4, 1\), expected 2 samples on axis 0"):
        two.backward(residuals, np.ones((4, 1)))
