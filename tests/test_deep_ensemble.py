"""Deep ensembles: members that are fits of their own, a mixture as the paper says it, and adversarial inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import assert_close
from bayesnoise_backends import host_rng
from bayesnoise_reference import deep_ensemble as oracle
from bayesnoise_reference._typing import Array
from namespaces import Namespace

import bayesnoise as bn
from bayesnoise import tree
from bayesnoise.cli.run import scores
from bayesnoise.objective import ModelParams
from bayesnoise.optimizers import Optimizer
from bayesnoise.procedures import DeepEnsemble, Descent, Job, Sources, adversarial_input
from bayesnoise.training import Split, fit, mean_nll

RNG = np.random.default_rng(0)
X = RNG.standard_normal((9, 2))
Y = np.tanh(X @ np.array([[1.0], [-0.5]])) + 0.1 * RNG.standard_normal((9, 1))
LOSS = bn.losses.Heteroscedastic()
SGD: Optimizer = bn.optimizers.sgd(0.1)


def network(outputs: int = 2) -> Any:
    return bn.chain(
        bn.deterministic(bn.maps.Dense(2, 3)), bn.activations.tanh(), bn.deterministic(bn.maps.Dense(3, outputs))
    )


def members(count: int = 3) -> Any:
    return DeepEnsemble(count).start(network(), LOSS, SGD, host_rng(1), like=X).params


def test_each_member_is_a_fit_of_its_own() -> None:
    """With the whole data in each batch, the order makes no difference: a member is a fit from where it began."""
    ensemble, begun = DeepEnsemble(3), members()
    assert len({np.asarray(m.layer[0].weight.theta).tobytes() for m in begun}) == 3
    state = fit(
        network(), LOSS, X, Y, rng=host_rng(2), optimizer=SGD, epochs=4, batch_size=9, kl_weight=0.5, procedure=ensemble
    )
    start = ensemble.start(network(), LOSS, SGD, host_rng(2).split(5)[0], like=X)
    nll = []
    for i in range(3):
        alone, opt = start.params[i], start.optimizer[i]
        run = Descent().epoch(Job(network(), LOSS, SGD, X, Y, 4, 9, None, None))
        last = 0.0
        for epoch in range(4):
            alone, opt, last = run(alone, opt, Sources(host_rng(7), host_rng(8)), epoch, 0.5 / 9)
        nll.append(last)
        for a, b in zip(tree.leaves(state.params[i]), tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)
    assert state.history[-1].nll == pytest.approx(np.mean(nll), rel=1e-12)


def test_members_see_the_examples_in_orders_of_their_own() -> None:
    seen: list[list[bytes]] = []

    class Spy:
        def init(self, params: Any) -> Any:
            return ()

        def step(self, params: Any, grads: Any, state: Any, learning_rate: Any = None) -> Any:
            seen[-1].append(b"".join(np.asarray(leaf).tobytes() for leaf in tree.leaves(grads)))
            return params, state

    start = members(1) * 2  # twice the same parameters, which no step changes
    run = DeepEnsemble(2).epoch(Job(network(), LOSS, Spy(), X, Y, 1, 3, None, None))
    seen.append([])
    run(start, ((), ()), Sources(host_rng(3), host_rng(4)), 0, 0.0)
    first, second = seen[0][:3], seen[0][3:]
    assert len(first) == len(second) == 3
    assert first != second


def test_the_mixture_is_that_of_the_paper() -> None:
    shown = members()
    passes = bn.predict_regression(network(), LOSS, shown, X, rng=host_rng(0), samples=3, procedure=DeepEnsemble(3))
    outputs = [network().predict(m.layer, X) for m in shown]
    means = np.stack([f[:, 0] for f in outputs])
    variances = np.log1p(np.exp(np.stack([f[:, 1] for f in outputs]))) + 1e-6
    mean, variance = oracle.mixture_moments(means, variances)
    u = passes.uncertainty()
    np.testing.assert_allclose(u.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(u.total_variance, variance, rtol=1e-12)
    want = float(np.mean(oracle.log_density(Y[:, 0], means, variances)))
    assert scores(passes, Y[:, 0])["log_likelihood"] == pytest.approx(want, rel=1e-12)
    got = mean_nll(network(), LOSS, shown, Split(X, Y), rng=host_rng(0), samples=3, procedure=DeepEnsemble(3))
    assert got == pytest.approx(-want, rel=1e-12)


@pytest.mark.parametrize(("samples", "passes"), [(1, 3), (3, 3), (4, 6), (9, 9)])
def test_members_have_the_same_weight_in_any_number_of_passes(samples: int, passes: int) -> None:
    drawn: Any = list(DeepEnsemble(3).draws(("a", "b", "c"), host_rng(0), samples))  # type: ignore[arg-type]
    assert [params for params, _ in drawn] == [name for name in "abc" for _ in range(passes // 3)]


def loss_of(params: ModelParams, x: Array, y: Array) -> Any:
    """The mean loss by its definition, analytic in x: the network written out."""
    (first, second) = params.layer[0], params.layer[2]
    hidden = np.tanh(x @ first.weight.theta + first.bias.theta)
    f = hidden @ second.weight.theta + second.bias.theta
    variance = np.log(1.0 + np.exp(f[:, 1])) + 1e-6
    return np.sum(0.5 * np.log(2 * np.pi * variance) + (f[:, 0] - y[:, 0]) ** 2 / (2 * variance))


def test_adversarial_inputs_are_those_of_the_definition(namespace: Namespace) -> None:
    (params,) = members(1)
    layer, want = network(), oracle.adversarial_input(lambda x: loss_of(params, x, Y), X, 0.25)
    noise = layer.draw(host_rng(0), params.layer, X.shape, like=X)
    there, x, y = (tree.map(namespace.asarray, t) for t in (params, X, Y))
    got = namespace.run(lambda p, x, y: adversarial_input(layer, LOSS, p, noise, x, y, 0.25), there, x, y)
    assert_close(got, want, 4 * namespace.eps, namespace)


def test_an_adversarial_step_takes_the_mean_of_two_gradients() -> None:
    (params,) = members(1)
    epsilon, rate = 0.3, 0.1
    run = DeepEnsemble(1, adversarial=epsilon).epoch(Job(network(), LOSS, SGD, X, Y, 1, 9, None, None))
    state = (SGD.init(params),)
    after = run((params,), state, Sources(host_rng(0), host_rng(1)), 0, 0.0).params[0]
    moved = oracle.adversarial_input(lambda x: loss_of(params, x, Y), X, epsilon)
    theta = params.layer[0].weight.theta

    def objective(t: Any) -> Any:
        at = params._replace(
            layer=(
                params.layer[0]._replace(weight=params.layer[0].weight._replace(theta=t)),
                *params.layer[1:],
            )
        )
        return 0.5 * (loss_of(at, X, Y) + loss_of(at, moved, Y)) / 9

    from bayesnoise_reference.numerics import complex_step

    want = theta - rate * complex_step(objective, theta)
    np.testing.assert_allclose(after.layer[0].weight.theta, want, rtol=0, atol=1e-13)


def test_the_adversarial_loss_is_higher() -> None:
    (params,) = members(1)
    layer = network()
    noise = layer.draw(host_rng(0), params.layer, X.shape, like=X)
    losses = [
        float(loss_of(params, adversarial_input(layer, LOSS, params, noise, X, Y, epsilon), Y))
        for epsilon in (0.0, 1e-3, 1e-2)
    ]
    assert losses[0] < losses[1] < losses[2]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"members": 0}, ValueError, "members is 0, expected at least 1"),
        ({"members": 2.5}, TypeError, "members is 2.5, expected an integer"),
        ({"adversarial": -0.1}, ValueError, "adversarial is -0.1, expected a finite number of at least 0"),
    ],
)
def test_bad_settings_are_refused(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DeepEnsemble(**given)
