"""A compressed file says what it is made of: it is read without its network, and refused by another one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import random_params
from namespaces import Namespace, to_numpy

from bayesnoise import activations, checkpoints, compressed_files, described, maps, networks, pooling, tree
from bayesnoise.chain import chain
from bayesnoise.compression import Compressed, compress
from bayesnoise.group_pruning import prune_groups
from bayesnoise.methods import bayesian_compression, deterministic, flipout
from bayesnoise.noise import GroupFactor
from bayesnoise.normalisation import BatchNorm
from bayesnoise.reshaping import flatten, select
from bayesnoise.residual import Residual

READ = """
import sys
import numpy as np
from bayesnoise import compressed_files
network = compressed_files.read(sys.argv[1], like=np.ones(()))
np.save(sys.argv[3], network.layer.predict(network.params, np.load(sys.argv[2])))
"""


def without(layer: Any, params: Any, gone: Any) -> Any:
    """The parameters with these factors at 0 and the others at 1."""
    if isinstance(layer, GroupFactor):
        on = np.array([i not in gone for i in range(layer.units)])
        return params._replace(theta=1.0 * on, log_sigma2=np.full(layer.units, -12.0))
    if hasattr(layer, "layers"):
        return tuple(without(part, p, gone) for part, p in zip(layer.layers, params, strict=True))
    return params


def small(layer: Any, gone: Any = (1,), seed: int = 0) -> Compressed:
    params = without(layer, random_params(layer, np.random.default_rng(seed)), gone)
    return compress(*prune_groups(layer, params))


DENSE = networks.mlp(bayesian_compression, (4, 3, 1))
IMAGES = networks.conv_net(bayesian_compression, (1, 4, 4), 3, channels=(2, 3), hidden=(4,))
OTHERS = chain(
    deterministic(maps.ConvTranspose(1, 2, (2,))),
    activations.gelu(approximate="tanh"),
    pooling.average_pool((2,)),
    flatten(),
    select((0, 2, 3), 4),
    Residual(chain(flipout(maps.Dense(3, 3), bias="none"), activations.elu(0.5))),
)


@pytest.mark.parametrize(("layer", "x_shape"), [(DENSE, (5, 4)), (IMAGES, (2, 1, 4, 4))], ids=["dense", "convolution"])
def test_a_pruned_network_is_read_in_a_fresh_process(layer: Any, x_shape: Any, tmp_path: Path) -> None:
    network = small(layer)
    x = np.random.default_rng(1).standard_normal(x_shape)
    compressed_files.save(tmp_path / "a", network)
    np.save(tmp_path / "x.npy", x)
    command = [sys.executable, "-c", READ, *(str(tmp_path / name) for name in ("a", "x.npy", "y.npy"))]
    subprocess.run(command, check=True, timeout=120)
    assert np.array_equal(np.load(tmp_path / "y.npy"), network.layer.predict(network.params, x))


@pytest.mark.parametrize(
    "make", [lambda: small(DENSE), lambda: compress(OTHERS, random_params(OTHERS, np.random.default_rng(0)))]
)
def test_what_is_read_is_what_was_saved(namespace: Namespace, make: Any, tmp_path: Path) -> None:
    network = make()
    compressed_files.save(tmp_path / "a", network)
    again = compressed_files.read(tmp_path / "a", like=namespace.asarray(np.ones(())))
    assert again.layer == network.layer
    assert again.bits == network.bits
    for (name, leaf), (same, kept) in zip(tree.paths(again.params), tree.paths(network.params), strict=True):
        assert name == same
        assert namespace.owns(leaf)
        assert np.array_equal(to_numpy(leaf), to_numpy(namespace.asarray(kept)))


def test_a_network_that_selects_other_inputs_is_refused(tmp_path: Path) -> None:
    """Of the same shapes throughout: without its description the file would load."""
    compressed_files.save(tmp_path / "a", small(DENSE, (1,)))
    with pytest.raises(ValueError, match=r'"indices": \[0, 2, 3\].* as layer 0, and like has .*"indices": \[1, 2, 3\]'):
        compressed_files.load(tmp_path / "a", like=small(DENSE, (0,)))


def test_another_activation_is_refused(tmp_path: Path) -> None:
    first, second = (chain(flipout(maps.Dense(2, 2)), act) for act in (activations.relu(), activations.tanh()))
    networks_of = [compress(layer, random_params(layer, np.random.default_rng(0))) for layer in (first, second)]
    compressed_files.save(tmp_path / "a", networks_of[0])
    with pytest.raises(ValueError, match=r'"relu".* as layer 1, and like has .*"tanh"'):
        compressed_files.load(tmp_path / "a", like=networks_of[1])


def test_a_kind_that_is_not_made_again_is_loaded_into_its_network(tmp_path: Path) -> None:
    layer = chain(flipout(maps.Dense(2, 2)), BatchNorm(2))
    network = compress(layer, random_params(layer, np.random.default_rng(0)))
    compressed_files.save(tmp_path / "a", network)
    with pytest.raises(ValueError, match=r"kind is 'BatchNorm'.*read it by load"):
        compressed_files.read(tmp_path / "a", like=np.ones(()))
    again = compressed_files.load(tmp_path / "a", like=network)
    pairs = zip(tree.leaves(again.params), tree.leaves(network.params), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", activations.__all__)
def test_every_activation_is_made_again(name: str) -> None:
    layer = getattr(activations, name)()
    assert described.made(json.loads(json.dumps(described.described(layer)))) == layer


WEIGHTS = {"kind": "Stochastic", "map": {"kind": "Dense", "in_features": 10**9, "out_features": 10**9}}
WEIGHTS |= {
    name: {"kind": kind} for name, kind in (("posterior", "Point"), ("estimator", "Plain"), ("divergence", "Zero"))
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "expected a description: it is damaged"),
        ("[" * 100_000, "expected a description: it is damaged"),
        ("3", "expected a chain of layers"),
        ('{"kind": "Chain"}', "does not make again"),
        ('{"kind": "Popen", "args": "ls"}', "kind is 'Popen', expected one of Affine"),
        ('{"kind": "Chain", "layers": 3}', "does not make again"),
        ('{"kind": "Chain", "layers": [3]}', "does not make again"),
        ('{"kind": "Chain", "layers": []}', "does not make again"),
        ('{"kind": "Dense", "in_features": 0, "out_features": 1}', "in_features is 0"),
        (json.dumps({"kind": "Chain", "layers": [WEIGHTS]}), "more than the file holds"),
        (json.dumps({"kind": "Chain", "layers": [WEIGHTS]}).replace("1000000000", "9" * 400), "does not make again"),
        (None, "compress and save the network again"),
    ],
)
def test_a_damaged_description_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    compressed_files.save(tmp_path / "a", small(DENSE))
    file = checkpoints.read(tmp_path / "a")
    metadata = {compressed_files.KEY: file.metadata[compressed_files.KEY]}
    content = tree.unflatten(small(DENSE).params, iter(file.arrays[n] for n, _ in tree.paths(small(DENSE).params)))
    checkpoints.save(tmp_path / "a", content, metadata if text is None else metadata | {compressed_files.LAYERS: text})
    with pytest.raises(ValueError, match=message):
        compressed_files.read(tmp_path / "a", like=np.ones(()))
    with pytest.raises(ValueError, match=r"layer \d|damaged|save the network again"):
        compressed_files.load(tmp_path / "a", like=small(DENSE))


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "a", (np.ones(2),))
    with pytest.raises(ValueError, match="not compressed: it has no 'compressed'"):
        compressed_files.read(tmp_path / "a", like=np.ones(()))
    with pytest.raises(TypeError, match="like has dtype int64"):
        compressed_files.read(tmp_path / "a", like=np.ones((), dtype=np.int64))
