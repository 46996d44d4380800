"""Ways to train: every procedure resumes to the same bits, keeps its best, predicts what it kept, and stays finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_backends import backend, host_rng
from cli_runs import FAST, refused, run

import bayesnoise as bn
from bayesnoise import checkpoints, tree
from bayesnoise.methods import METHODS
from bayesnoise.procedures import DeepEnsemble, Descent, JointGaussian, Procedure, Swag, Variational
from bayesnoise.training import Split, State, fit, start

X = np.random.default_rng(0).standard_normal((20, 3))
Y = X @ np.array([[0.5], [-1.0], [2.0]]) + 0.1 * np.random.default_rng(1).standard_normal((20, 1))
LOSS = bn.losses.LearnedGaussian()
PROCEDURES: list[Procedure] = [
    Descent(),
    DeepEnsemble(3),
    DeepEnsemble(2, adversarial=0.05),
    Swag(rank=3, begin=0.4),
    Variational(bn.natural_gradient.ivon()),
    Variational(bn.natural_gradient.vogn()),
    JointGaussian(bn.natural_gradient.slang(rank=2)),
]
every = pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda p: type(p).__name__)


def network() -> Any:
    return bn.networks.mlp(lambda map: bn.dropout(map, rate=0.2), (3, 4, 1))


def fitted(procedure: Procedure, epochs: int = 6, **given: Any) -> State:
    common: dict[str, Any] = {"rng": backend("numpy").rng(0), "optimizer": bn.optimizers.adam(0.02), "batch_size": 8}
    return fit(network(), LOSS, X, Y, epochs=epochs, procedure=procedure, **common | given)


def same(a: Any, b: Any) -> None:
    pairs = list(zip(tree.paths(a), tree.paths(b), strict=True))
    assert pairs
    for (name, x), (other, y) in pairs:
        assert name == other
        np.testing.assert_array_equal(x, y, strict=True)


@every
def test_a_fit_that_goes_on_from_a_file_is_one_that_never_stopped(procedure: Procedure, tmp_path: Path) -> None:
    whole = fitted(procedure, validation=Split(X[:5], Y[:5]))

    def stop(state: State) -> None:
        if len(state.history) == 4:
            raise KeyboardInterrupt

    half = fitted(procedure, validation=Split(X[:5], Y[:5]), on_epoch=stop)
    assert half.interrupted
    assert len(half.history) == 4
    trees = half.params, half.optimizer, half.best
    checkpoints.save(tmp_path / "half", trees)
    fresh = start(network(), LOSS, bn.optimizers.adam(0.02), host_rng(9), like=np.ones(1), procedure=procedure)
    restored: Any = checkpoints.load(tmp_path / "half", like=(fresh.params, fresh.optimizer, fresh.best))
    done = fitted(
        procedure,
        validation=Split(X[:5], Y[:5]),
        state=half._replace(params=restored[0], optimizer=restored[1], best=restored[2]),
    )
    same((done.params, done.optimizer, done.best), (whole.params, whole.optimizer, whole.best))
    for a, b in zip(done.history, whole.history, strict=True):
        assert a._replace(seconds=0.0) == b._replace(seconds=0.0)


@every
def test_best_is_what_was_shown_at_the_lowest_validation_loss(procedure: Procedure) -> None:
    seen: list[State] = []
    state = fitted(procedure, validation=Split(X[:5], Y[:5]), on_epoch=seen.append)
    lowest = int(np.argmin([epoch.validation_nll or 0.0 for epoch in state.history]))
    same(state.best, procedure.shown(seen[lowest].params, seen[lowest].optimizer))


@every
def test_every_backend_trains_and_predicts_it(procedure: Procedure) -> None:
    for name in ("torch", "jax"):
        where = backend(name)
        x, y = where.asarray(X), where.asarray(Y)
        state = fitted_on(where, procedure, x, y)
        assert np.isfinite(state.history[-1].loss)
        passes = bn.predict_regression(
            network(), LOSS, state.best, x, rng=where.rng(1, x), samples=4, to_host=where.to_host, procedure=procedure
        )
        assert passes.means.shape[1:] == (20,)
        assert len(passes.means) >= 4
        assert np.all(np.isfinite(passes.means))


def fitted_on(where: Any, procedure: Procedure, x: Any, y: Any) -> State:
    return fit(
        where.accelerate(network()),
        LOSS,
        x,
        y,
        rng=where.rng(0, x),
        optimizer=bn.optimizers.adam(0.02),
        epochs=4,
        procedure=procedure,
        compile=where.compile,
    )


def test_a_pass_without_noise_is_made_once_for_the_same_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = bn.networks.mlp(bn.deterministic, (3, 1))
    calls: list[int] = []
    forward = type(layer).forward

    def counted(self: Any, *args: Any) -> Any:
        calls.append(1)
        return forward(self, *args)

    monkeypatch.setattr(type(layer), "forward", counted)
    members = DeepEnsemble(3).start(layer, LOSS, bn.optimizers.sgd(0.1), host_rng(0), like=X).params
    passes = bn.predict_regression(layer, LOSS, members, X, rng=host_rng(1), samples=7, procedure=DeepEnsemble(3))
    assert len(passes.means) == 9
    assert len(calls) == 3
    assert len({row.tobytes() for row in passes.means}) == 3


def test_a_method_that_is_not_for_the_data_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "it is for regression, and the loss is Categorical()"
    monkeypatch.setattr(Swag, "refusal", lambda self, layer, loss: reason)
    with pytest.raises(ValueError, match=r"procedure is Swag\(.*wrong for this network and loss: it is for regression"):
        fitted(Swag())
    options = ("--methods", "swag,deterministic", "--epochs", "1", "--jobs", "1")
    result = run("compare", "sklearn:iris", *options, *FAST)
    assert result.exit_code == 0
    assert f"swag split 0: left out: swag is not for this: {reason}" in result.stdout
    assert "deterministic split 0: accuracy" in result.stdout
    assert refused(run("fit", "sklearn:iris", "--method", "swag")) == f"swag is not for this: {reason}"


def test_every_procedure_of_a_method_is_a_record() -> None:
    for entry in METHODS:
        assert entry.procedure() == entry.procedure()
        assert hash(entry.procedure()) == hash(entry.procedure())
        assert type(entry.procedure()).__name__ in repr(entry.procedure())
