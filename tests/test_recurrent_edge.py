"""What recurrent layers refuse, and what they say of wrong input."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as torch_namespace
import numpy as np
import pytest
from bayesnoise_backends.host import host_rng

import bayesnoise as bn
from bayesnoise.noise import Bernoulli
from bayesnoise.recurrent import GRU, LSTM, gru, lstm

dense = bn.maps.Dense


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: lstm(bn.local_reparameterization, 2, 3),
            ValueError,
            "input has estimator Local.* that are used again",
        ),
        (
            lambda: gru(bn.sparse_variational_dropout, 2, 3),
            ValueError,
            "no weights stand behind .* use Shared or Flipout",
        ),
        (
            lambda: LSTM(bn.flipout(dense(2, 12)), bn.local_reparameterization(dense(3, 12))),
            ValueError,
            "hidden has estimator Local",
        ),
        (
            lambda: lstm(bn.dropout, 2, 3),
            TypeError,
            r"^input is Chain\(Multiply, Affine\), expected a layer of one map, .* use deterministic, .* input_noise "
            "and hidden_noise of a recurrent layer, or as noise.Multiply before an attention$",
        ),
        (
            lambda: lstm(bn.concrete_dropout, 2, 3),
            TypeError,
            r"^input is Biased\(ConcreteDropout, Stochastic\), expected .* of which one draw of the weights meets "
            "every step or position: use flipout or bayes_by_backprop$",
        ),
        (
            lambda: gru(bn.low_rank_gaussian, 2, 3),
            TypeError,
            r"^input is Biased.*\(LowRank, Stochastic\), .* use flipout or bayes_by_backprop$",
        ),
        (
            lambda: gru(bn.variational_structured_dropout, 2, 3),
            TypeError,
            r"^input is Chain\(StructuredGaussian, Affine\), .* use flipout or bayes_by_backprop$",
        ),
        (lambda: LSTM(None, bn.flipout(dense(3, 12))), TypeError, "input is None, expected a layer of one map"),  # type: ignore[arg-type]
        (
            lambda: LSTM(bn.flipout(bn.maps.Conv(2, 12, (1,))), bn.flipout(dense(3, 12))),
            TypeError,
            "input has map Conv",
        ),
        (
            lambda: LSTM(bn.flipout(dense(2, 9)), bn.flipout(dense(3, 12))),
            ValueError,
            "input has 9 outputs, expected 12",
        ),
        (
            lambda: GRU(bn.flipout(dense(2, 9)), bn.flipout(dense(3, 12))),
            ValueError,
            "hidden has 12 outputs, expected 9",
        ),
        (lambda: lstm(bn.flipout, 0, 3), ValueError, "in_features is 0"),
        (lambda: gru(bn.flipout, 2, 0), ValueError, "features is 0"),
        (lambda: gru(bn.flipout, 2, 3, outputs="lst"), ValueError, "outputs is 'lst', .*did you mean last"),  # type: ignore[arg-type]
        (lambda: lstm(bn.flipout, 2, 3).output_shape((4, 0, 2)), ValueError, r"\(4, 0, 2\), expected \(n, t, i\) with"),
        (
            lambda: lstm(bn.flipout, 2, 3).output_shape((4, 2)),
            ValueError,
            r"x has shape \(4, 2\), expected \(n, t, i\)",
        ),
        (lambda: lstm(bn.flipout, 2, 3).output_shape((4, 5, 3)), ValueError, r"x has shape \(4, 5, 3\), expected"),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize("call", ["forward", "predict"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((2, 0, 2)), ValueError, "at least one step"),
        (np.ones((2, 3, 4)), ValueError, r"x has shape \(2, 3, 4\)"),
        (np.ones((2, 3, 2), dtype=np.float32), TypeError, "x has dtype float32 and params float64"),
        (np.ones((2, 3, 2), dtype=np.int64), TypeError, "x has dtype int64"),
        (torch_namespace.ones((2, 3, 2)), TypeError, "must come from one backend"),
    ],
    ids=["steps", "features", "precision", "integers", "backend"],
)
def test_wrong_input_is_named(call: str, x: Any, error: type[Exception], message: str) -> None:
    layer = lstm(bn.flipout, 2, 3)
    params = layer.init(host_rng(0), like=np.ones(()))
    noise = layer.draw(host_rng(0), params, (2, 3, 2), like=np.ones(()))
    with pytest.raises(error, match=message):
        getattr(layer, call)(*((params, noise, x) if call == "forward" else (params, x)))


@pytest.mark.parametrize("name", ["input_factor", "hidden_factor"])
def test_a_mask_of_another_call_is_refused(name: str) -> None:
    layer = gru(bn.deterministic, 2, 3, input_noise=Bernoulli(0.5), hidden_noise=Bernoulli(0.5))
    x = np.ones((2, 4, 2))
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(0), params, x.shape, like=x)
    noise = noise._replace(**{name: np.ones((1, 1, 1))})
    with pytest.raises(ValueError, match=rf"noise\.{name} has shape \(1, 1, 1\), expected \(2, "):
        layer.forward(params, noise, x)
