"""The adapter of a JAX function: trees of any kind, gradients, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.jax import JaxFunction
from namespaces import NAMESPACES

assert NAMESPACES  # which has switched JAX to 64 bits


class Dense(NamedTuple):
    """The parameters of a layer, with one that the adapter is not told of."""

    mu: Any
    rho: Any
    bias: Any
    factor: Any


WHAT = Description("dense", "flipout", 5, 8, bias="deterministic", prior=0.5, name="jax")
NAMES = {"mean": "0.dense.mu", "rho": "0.dense.rho", "bias": "0.dense.bias"}


def template(dtype: Any = np.float64) -> Any:
    """A tree of a list, a dict and a tuple with names."""
    w = np.zeros((5, 8), dtype)
    return [{"dense": Dense(w, w, np.zeros(8, dtype), np.ones((), dtype))}]


def apply(params: Any, key: Any, x: Any) -> Any:
    """Flipout."""
    p = params[0]["dense"]
    one, two, three = jax.random.split(key, 3)
    w = jax.nn.softplus(p.rho) * jax.random.normal(one, p.rho.shape, x.dtype)
    r = jax.random.rademacher(two, x.shape, x.dtype)
    s = jax.random.rademacher(three, (x.shape[0], w.shape[1]), x.dtype)
    return p.factor * (x @ p.mu + s * ((x * r) @ w) + p.bias)


def shared_signs(params: Any, key: Any, x: Any) -> Any:
    """One row of signs for all."""
    p = params[0]["dense"]
    one, two, three = jax.random.split(key, 3)
    w = jax.nn.softplus(p.rho) * jax.random.normal(one, p.rho.shape, x.dtype)
    r = jax.random.rademacher(two, x.shape[1:], x.dtype)
    s = jax.random.rademacher(three, (w.shape[1],), x.dtype)
    return x @ p.mu + s * ((x * r) @ w) + p.bias


def kl(params: Any) -> Any:
    """To a Gaussian of scale 0.5, whose logarithm does not underflow."""
    p = params[0]["dense"]
    scale, far = jax.nn.softplus(p.rho), p.rho < -30
    log_scale = jnp.where(far, p.rho, jnp.log(jnp.where(far, 1.0, scale)))
    return jnp.sum(jnp.log(0.5) - log_scale + (scale**2 + p.mu**2) / 0.5 - 0.5)


def evaluate(params: Any, x: Any) -> Any:
    """Without noise."""
    return x @ params[0]["dense"].mu + params[0]["dense"].bias


def test_a_function_of_a_tree_holds() -> None:
    report = verify(JaxFunction(apply, template(), NAMES, WHAT, kl=kl, evaluate=evaluate))
    assert report.exit_code == 0, report.refuted
    assert "jax" in report.versions
    not_run = {c.id.rpartition(".")[2] for c in report.claims if c.status == "not run"}
    assert not_run == {"replay", "restores", "kl-nested", "kl-shared"}


def test_a_network_counts_its_kl() -> None:
    def status(network_kl: Any) -> list[str]:
        adapter = JaxFunction(apply, template(), NAMES, WHAT, kl=kl, network_kl=network_kl)
        claims = verify(adapter, only=["dense.flipout.kl-nested", "dense.flipout.kl-shared"]).claims
        return [c.status for c in claims if ".kl-" in c.id]

    assert status(lambda params, arrangement: kl(params)) == ["holds", "holds"]
    assert status(lambda params, arrangement: kl(params) * (2 if arrangement == "shared" else 1)) == [
        "holds",
        "refuted",
    ]
    assert status(lambda params, arrangement: kl(params) if arrangement == "nested" else None) == ["holds", "not run"]


def test_a_mistake_is_found() -> None:
    found = {c.id for c in verify(JaxFunction(shared_signs, template(), NAMES, WHAT, kl=kl)).refuted}
    assert "dense.flipout.signs-per-example" in found
    assert "dense.flipout.kl-value" not in found


def test_a_tree_made_by_a_function_holds_in_another_layout() -> None:
    def made(p: dict[str, Any]) -> Any:
        return [{"dense": Dense(p["mean"].T, p["rho"].T, jnp.zeros(8, p["rho"].dtype), 1.0)}]

    what = Description("dense", "flipout", 5, 8, layout="out_in", prior=0.5, dtype="float32")
    report = verify(JaxFunction(apply, None, made, what, kl=kl))
    assert report.exit_code == 0, report.refuted
    status = {c.id.rpartition(".")[2]: c.status for c in report.claims}
    assert (status["gradient-same-draw"], status["kl-value"]) == ("holds", "holds")


def test_what_no_function_was_given_for_is_not_run() -> None:
    adapter = JaxFunction(apply, template(), NAMES, WHAT)
    assert adapter.abilities == {"load", "sample", "gradients", "seed"}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"names has '0\.dense\.sigma', which is none of 0\.dense\.mu, 0\.dense\.rho"):
        JaxFunction(apply, template(), NAMES | {"rho": "0.dense.sigma"}, WHAT)
    adapter = JaxFunction(apply, template(), NAMES, WHAT)
    with pytest.raises(ValueError, match="names does not say which leaf is bias_rho"):
        adapter.load({"bias_rho": np.zeros(8)})
    with pytest.raises(ValueError, match=r"0\.dense\.mu has shape \(5, 8\), the description gives \(8, 5\)"):
        adapter.load({"mean": np.zeros((8, 5))})
    with jax.enable_x64(False), pytest.raises(ValueError, match="dtype is float64, and JAX has 32 bits"):
        JaxFunction(apply, template(), NAMES, WHAT)


def test_the_example_in_the_docs_takes_fifteen_lines() -> None:
    text = (Path(__file__).parents[1] / "docs" / "verify.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "JaxFunction(" in b)
    assert len([line for line in block.splitlines() if line.strip()]) <= 15
