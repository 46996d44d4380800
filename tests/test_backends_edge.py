"""The edge of the backends: arrays to the host and back, which backends there are, and what is imported when."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import bayesnoise_backends
import jax
import numpy as np
import pytest
import torch
from bayesnoise_backends._backend import NAMES, install
from namespaces import NAMESPACES, Namespace

INSTALLED = ("numpy", "torch", "jax")
HOST = np.asarray([[1.5, -2.0, 0.25], [0.0, 3.0, -1.0]])


def test_arrays_come_back_from_the_host(namespace: Namespace) -> None:
    like = namespace.asarray(0.0)
    there = bayesnoise_backends.from_host(HOST, like=like)
    assert namespace.owns(there)
    back = bayesnoise_backends.to_host(there)
    assert isinstance(back, np.ndarray)
    assert back.dtype == np.dtype(str(namespace.dtype).rsplit(".", 1)[-1])
    assert np.array_equal(back, HOST)


def test_from_host_copies_and_keeps_integers(namespace: Namespace) -> None:
    like = namespace.asarray(0.0)
    host = HOST.copy()
    host.flags.writeable = False
    there = bayesnoise_backends.from_host(host, like=like)
    host.flags.writeable = True
    host[...] = 7.0
    assert np.array_equal(bayesnoise_backends.to_host(there), HOST)
    integers = bayesnoise_backends.from_host(np.arange(3, dtype=np.int32), like=like)
    assert "int32" in str(integers.dtype)
    assert "bool" in str(bayesnoise_backends.from_host(np.asarray([True]), like=like).dtype)


def test_to_host_detaches_and_widens() -> None:
    x = torch.ones(2, requires_grad=True)
    assert np.array_equal(bayesnoise_backends.to_host(x), np.ones(2))
    half = bayesnoise_backends.to_host(torch.asarray([0.5], dtype=torch.bfloat16))
    assert half.dtype == np.float32
    assert half.tolist() == [0.5]
    half = bayesnoise_backends.to_host(jax.numpy.asarray([0.5], dtype="bfloat16"))
    assert half.dtype == np.float32


def test_asarray_by_name() -> None:
    for name in INSTALLED:
        backend = bayesnoise_backends.backend(name)
        assert str(backend.asarray(HOST).dtype).endswith("float32")
        assert str(backend.asarray(HOST, "float64").dtype).endswith("float64")
        assert str(backend.asarray(HOST, None).dtype).endswith("float64")
        assert str(backend.asarray(np.arange(3), "float32").dtype).endswith("int64")
    assert bayesnoise_backends.backend("torch").asarray(HOST, device="cpu").device.type == "cpu"
    assert next(iter(bayesnoise_backends.backend("jax").asarray(HOST, device="cpu:0").devices())).platform == "cpu"


def test_jax_refuses_a_precision_that_it_would_drop() -> None:
    with jax.enable_x64(False), pytest.raises(TypeError, match="dtype is 'float64', which JAX turns into float32"):
        bayesnoise_backends.backend("jax").asarray(HOST, "float64")


def test_backends_offer_the_same_functions() -> None:
    functions = [name for name in vars(bayesnoise_backends.Backend) if not name.startswith("_")]
    assert len(functions) == 9
    for name in INSTALLED:
        module = bayesnoise_backends.backend(name)
        assert all(callable(getattr(module, function)) for function in functions)


def test_unknown_and_missing_backends_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ValueError, match="name is 'touch', expected one of numpy, cupy, torch, jax; did you mean torch"
    ):
        bayesnoise_backends.backend("touch")
    monkeypatch.setitem(sys.modules, "bayesnoise_backends.torch", None)
    with pytest.raises(ImportError, match=r'cannot be imported .*: pip install "bayesnoise\[torch\]"'):
        bayesnoise_backends.backend("torch")
    assert install("cupy") == 'pip install "bayesnoise[cuda12]" or pip install "bayesnoise[cuda13]"'


def test_available_tells_versions_and_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bayesnoise_backends.cupy", None)
    found = {f.name: f for f in bayesnoise_backends.available()}
    assert tuple(found) == NAMES
    assert found["numpy"] == ("numpy", np.__version__, ("cpu",), None)
    assert found["torch"].version == torch.__version__
    assert found["torch"].devices[0] == "cpu"
    assert found["jax"].devices[0].startswith("cpu:0")
    assert found["cupy"][:3] == ("cupy", None, ())
    assert 'pip install "bayesnoise[cuda12]"' in str(found["cupy"].problem)


def test_a_backend_without_its_device_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> Any:
        raise RuntimeError("no driver")

    monkeypatch.setattr(bayesnoise_backends.backend("jax"), "devices", no_driver)
    found = bayesnoise_backends.available()[3]
    assert found == ("jax", jax.__version__, (), "jax is installed but finds no device: no driver")


@pytest.mark.parametrize("name", ["numpy", *INSTALLED[1:]])
def test_only_the_framework_asked_for_is_imported(name: str) -> None:
    code = (
        "import sys, bayesnoise_backends, numpy;"
        "bayesnoise_backends.rng(0, like=numpy.zeros(1)).normal((2,), like=numpy.zeros(1));"
        "assert not {'torch', 'jax', 'cupy'} & set(sys.modules);"
        f"bayesnoise_backends.backend('{name}');"
        f"assert not ({{'torch', 'jax', 'cupy'}} - {{'{name}'}}) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_backend_of_knows_every_namespace() -> None:
    for n in NAMESPACES:
        expected = {"torch": "torch", "jax": "jax"}.get(n.name.split("-")[0], "numpy")
        assert bayesnoise_backends.backend_of(n.asarray(0.0)) is bayesnoise_backends.backend(expected)
