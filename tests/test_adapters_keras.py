"""The adapter of a Keras layer: with TensorFlow where it is installed, and with what stands in for it elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import keras_standin
import numpy as np
import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.keras import KerasLayer
from bayesnoise_reference.adapters.keras_conventions import conventional_keras
from cli_runs import refused, run

WHAT = Description("dense", "flipout", 5, 8, bias="deterministic", prior=1.0, dtype="float32", name="keras")
MISSING = [n for n in ("tensorflow", "tf_keras", "tensorflow_probability") if importlib.util.find_spec(n) is None]


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy in the place of TensorFlow."""
    monkeypatch.setitem(sys.modules, "tensorflow", keras_standin.tensorflow)


@pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed: `make findings` makes an environment")
@pytest.mark.filterwarnings("ignore")  # of the packages
@pytest.mark.parametrize("name", ["DenseFlipout", "DenseReparameterization"])
def test_a_layer_of_tensorflow_probability_holds(name: str) -> None:
    from tensorflow_probability import layers

    report = verify(conventional_keras(getattr(layers, name), 8, 16), limit=60.0)
    assert report.exit_code == 0, report.refuted
    assert "tensorflow" in report.versions


@pytest.mark.usefixtures("standin")
def test_a_keras_layer_holds() -> None:
    report = verify(KerasLayer(keras_standin.DenseFlipout(8), WHAT))
    assert report.exit_code == 0, report.refuted
    status = {c.id.rpartition(".")[2]: c.status for c in report.claims}
    wanted = ("kl-value", "gradient-same-draw", "gradient-input", "restores", "seed-repeats", "zero-batch")
    assert {status[topic] for topic in wanted} == {"holds"}
    assert report.versions["tensorflow"] == "0 (a stand-in)"


@pytest.mark.usefixtures("standin")
def test_a_wrong_kl_is_found_and_named() -> None:
    report = verify(KerasLayer(keras_standin.HalfKL(8), WHAT))
    said = next(c.sentence for c in report.refuted if c.id == "dense.flipout.kl-value")
    assert "which is half the KL" in said


def statuses(adapter: KerasLayer) -> dict[str, str]:
    """What became of each claim, by its topic."""
    return {c.id.rpartition(".")[2]: c.status for c in verify(adapter).claims}


@pytest.mark.usefixtures("standin")
def test_evaluation_is_a_call_that_does_not_train() -> None:
    status = statuses(KerasLayer(keras_standin.QuietLater(8), WHAT))
    assert "refuted" not in status.values()
    assert (status["evaluation-mean"], status["evaluation-repeats"], status["weight-variance"]) == ("holds",) * 3
    status = statuses(KerasLayer(keras_standin.NeverQuiet(8), WHAT))
    assert [topic for topic, found in status.items() if found == "refuted"] == ["evaluation-repeats", "evaluation-mean"]
    assert statuses(KerasLayer(keras_standin.DenseFlipout(8), WHAT))["evaluation-mean"] == "not run"


@pytest.mark.usefixtures("standin")
def test_a_way_to_evaluate_can_be_given() -> None:
    adapter = KerasLayer(keras_standin.NeverQuiet(8), WHAT, evaluate=lambda layer, x: layer.pass_with(x, 0.0))
    assert "refuted" not in statuses(adapter).values()


@pytest.mark.usefixtures("standin")
def test_the_losses_of_a_model_are_its_kl() -> None:
    def once(model: Any) -> float:
        def inside(part: Any) -> list[Any]:
            return [layer for p in part.parts for layer in inside(p)] if hasattr(part, "parts") else [part]

        return float(sum(sum(layer.losses) for layer in set(inside(model))))

    def status(**given: Any) -> tuple[str, str]:
        found = statuses(KerasLayer(keras_standin.DenseFlipout(8), WHAT, **given))
        return found["kl-nested"], found["kl-shared"]

    assert status() == ("holds", "not run")
    assert status(network_kl=once) == ("holds", "holds")
    assert status(network_kl=lambda model: sum(model.losses)) == ("holds", "refuted")
    assert status(network_kl=lambda model: 2 * once(model)) == ("refuted", "refuted")
    assert status(kl=lambda layer: sum(layer.losses)) == ("not run", "not run")


@pytest.mark.skipif("tensorflow_probability" in MISSING, reason="`make findings` makes an environment that has it")
@pytest.mark.filterwarnings("ignore")  # of the packages
def test_keras_counts_a_layer_that_is_called_twice_twice() -> None:
    from tensorflow_probability import layers

    adapter = conventional_keras(layers.DenseFlipout, 3, 4)
    adapter._network_kl = lambda model: sum(model.losses)
    once, twice = (adapter.network_kl(arrangement) for arrangement in ("nested", "shared"))
    assert (once, twice) == (adapter.kl(), 2 * adapter.kl())


@pytest.mark.usefixtures("standin")
def test_a_conventional_class_needs_one_command() -> None:
    words = ("verify", "keras:keras_standin.DenseFlipout", "--in", 4, "--out", 8)
    result = run(*words, "--prior", 1)
    assert result.exit_code == 0
    assert "No claim is refuted" in " ".join(result.stdout.split())
    assert "kl-value" not in run(*words).stdout
    result = run("verify", "keras:keras_standin.HalfKL", "--prior", 1, "--estimator", "flipout")
    assert result.exit_code == 1
    assert "cannot be imported" in refused(run("verify", "keras:keras_standin.Nothing"))


@pytest.mark.usefixtures("standin")
def test_what_cannot_be_is_refused() -> None:
    layer: Any = keras_standin.DenseFlipout(8)
    names = {"mean": "kernel", "rho": "kernel_posterior_untransformed_scale"}
    with pytest.raises(ValueError, match="variables names 'kernel', which is none of kernel_posterior_loc, "):
        KerasLayer(layer, WHAT, names)
    adapter = KerasLayer(layer, WHAT)
    with pytest.raises(ValueError, match="no variable that is known as bias_rho"):
        adapter.load({"bias_rho": np.zeros(8)})
    with pytest.raises(ValueError, match=r"kernel_posterior_loc has shape \(5, 8\), the description gives \(8, 5\)"):
        adapter.load({"mean": np.zeros((8, 5))})
    assert "kl" not in KerasLayer(layer, Description("dense", "flipout", 5, 8, bias="deterministic")).abilities
    assert KerasLayer(layer, WHAT, kl=lambda made: 3.0).kl() == 3.0
