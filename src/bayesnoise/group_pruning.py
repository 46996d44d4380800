"""Groups of weights that Bayesian compression has switched off: which they are, and the smaller network without them.

Louizos, Ullrich, Welling 2017 (arXiv 1705.08665): a group goes when the excess of its factor passes a threshold. For
the normal-Jeffreys prior that is log alpha, and 3 is dropout at a rate of 0.95; for the half-Cauchy prior it is minus
the logarithm of the mode, and 3 is a mode of 0.05. A factor at 0 makes its input or its filter worthless, and the
layer behind or before it can do without.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bayesnoise import tree
from bayesnoise._typing import Params
from bayesnoise.activations import Elementwise
from bayesnoise.affine import AffineParams, Biased
from bayesnoise.chain import Chain
from bayesnoise.composite import walk
from bayesnoise.fixed import Fixed
from bayesnoise.layer import Empty, Layer
from bayesnoise.maps import Conv, Dense
from bayesnoise.noise import GroupFactor
from bayesnoise.pooling import AveragePool, GlobalAveragePool, MaxPool
from bayesnoise.posteriors.restricted import Selected, restricted
from bayesnoise.pruning import THRESHOLD, Sparsity
from bayesnoise.reshaping import Flatten, select, taken
from bayesnoise.stochastic import Stochastic

Indices = tuple[int, ...]


class Pruned(NamedTuple):
    """A network and its parameters."""

    layer: Chain
    params: Params


class Atom(NamedTuple):
    """One layer of a chain, its parameters and its place in the names of parameters."""

    layer: Any
    params: Params
    path: str


def group_sparsity(layer: Layer, params: Params, threshold: float = THRESHOLD) -> tuple[Sparsity, ...]:
    """One record for each layer of factors, counting groups; ValueError, with what to use, if there is none."""
    _check([part for _, part, _ in walk(layer, params)])
    records = []
    for path, part, p in walk(layer, params):
        if isinstance(part, GroupFactor):
            keep = part.law.excess(p) <= threshold
            records.append(Sparsity(path, keep, sum(map(bool, keep)), part.units))
    return tuple(records)


def _check(layers: list[Any]) -> None:
    """Raise ValueError unless one of the layers is of factors."""
    if any(isinstance(part, GroupFactor) for part in layers):
        return
    raise ValueError(
        "layer has no random factors of groups beside the weights of a chain, so that no group can go: use "
        "bayesian_compression or structured_variational_dropout, or `pruning` for weights that go one by one"
    )


def atoms(layer: Any, params: Params, path: str = "") -> list[Atom]:
    """The layers of nested chains, in order."""
    if not isinstance(layer, Chain):
        return [Atom(layer, params, path)]
    named = ((f"{path}.{i}" if path else str(i), i) for i in range(len(layer.layers)))
    return [atom for name, i in named for atom in atoms(layer.layers[i], params[i], name)]


def _weights(layer: Any) -> Any:
    """The map of a layer of weights that can be resized; None for any other."""
    term: Any = layer.weight if isinstance(layer, Biased) else layer
    if not (isinstance(term, Stochastic) and isinstance(term.map, Dense | Conv)):
        return None
    return None if isinstance(term.map, Conv) and term.map.groups > 1 else term.map


def _outputs(map: Dense | Conv) -> int:
    return map.out_features if isinstance(map, Dense) else map.out_channels


def _inputs(map: Dense | Conv) -> int:
    return map.in_features if isinstance(map, Dense) else map.in_channels


def _elementwise(layer: Any) -> bool:
    return isinstance(layer, Fixed) and isinstance(layer.operation, Elementwise)


def _keeps_zero(layer: Any) -> bool:
    """Whether a channel of zeros stays one."""
    if not isinstance(layer, Fixed):
        return False
    operation = layer.operation
    if isinstance(operation, Elementwise):
        return not np.any(operation.value(np.zeros(1), *operation.constants))
    return isinstance(operation, MaxPool | AveragePool | GlobalAveragePool | Flatten)


def _consumed(flat: list[Atom], start: int) -> bool:
    """Whether channels that are zero there are zero, or gone, where the next weights are."""
    behind = start
    while behind < len(flat) and _keeps_zero(flat[behind].layer):
        behind += 1
    layers = [atom.layer for atom in flat[behind : behind + 2]]
    return bool(layers) and (_weights(layers[0]) is not None or _before_dense(layers))


def _before_dense(layers: list[Any]) -> bool:
    """Whether the first two layers are factors and the dense weights of those inputs."""
    return (
        len(layers) > 1
        and isinstance(layers[0], GroupFactor)
        and not layers[0].positions
        and isinstance(_weights(layers[1]), Dense)
    )


def _kept(flat: list[Atom], threshold: float) -> dict[int, Indices]:
    """The groups that stay, by the number of a layer of factors whose groups can go."""
    kept = {}
    for i, atom in enumerate(flat):
        if not isinstance(atom.layer, GroupFactor):
            continue
        behind_filters = i > 0 and isinstance(_weights(flat[i - 1].layer), Conv) and _consumed(flat, i + 1)
        if behind_filters if atom.layer.positions else _before_dense([a.layer for a in flat[i : i + 2]]):
            kept[i] = tuple(j for j, e in enumerate(atom.layer.law.excess(atom.params)) if float(e) <= threshold)
            if not kept[i]:
                raise ValueError(f"threshold is {threshold}, and every group of '{atom.path}' passes it: raise it")
    return kept


def _wanted(flat: list[Atom], kept: dict[int, Indices], i: int) -> Indices:
    """The outputs that a layer of weights has to compute."""
    j, dense = i + 1, isinstance(_weights(flat[i].layer), Dense)
    while dense and j < len(flat) and _elementwise(flat[j].layer):
        j += 1
    outputs = _outputs(_weights(flat[i].layer))
    fits = j in kept and flat[j].layer.units == outputs and bool(flat[j].layer.positions) != dense
    return kept[j] if fits else tuple(range(outputs))


def _resized(atom: Atom, inputs: Indices, outputs: Indices) -> Atom:
    """A layer of weights with those of its inputs and outputs alone."""
    layer, params, path = atom
    term: Any = layer.weight if isinstance(layer, Biased) else layer
    weight = params.weight if isinstance(layer, Biased) else params
    if len(inputs) == _inputs(term.map) and len(outputs) == _outputs(term.map):
        return atom
    if isinstance(term.map, Dense):
        map = replace(term.map, in_features=len(inputs), out_features=len(outputs))
        selected: Selected = (inputs, outputs)
    else:
        map = replace(term.map, in_channels=len(inputs), out_channels=len(outputs))
        selected = (outputs, inputs, *(tuple(range(size)) for size in term.map.kernel))
    cut = restricted(path, term.posterior, weight, selected)
    smaller = replace(term, map=map)
    if not isinstance(layer, Biased):
        return Atom(smaller, cut, path)
    bias = params.bias
    if len(outputs) < _outputs(term.map):
        bias = restricted(path, layer.bias.posterior, bias, (outputs,))
    return Atom(replace(layer, weight=smaller, bias=replace(layer.bias, map=map.bias())), AffineParams(cut, bias), path)


class _Live(NamedTuple):
    """The features or channels that are there, of so many before."""

    indices: Indices
    total: int

    def of(self, units: int) -> Indices:
        """As units of the next layer: behind `flatten` a channel is several, one after the other."""
        if len(self.indices) == self.total:
            return tuple(range(units))
        each = units // self.total
        return tuple(i * each + k for i in self.indices for k in range(each))


def _factors(atom: Atom, here: Indices, need: Indices) -> list[Atom]:
    """The factors of the groups that are needed, behind a layer that leaves out what else is there."""
    layer, params, path = atom
    left = tree.map(lambda leaf: taken(leaf, need, 0) if leaf.shape[0] == layer.units else leaf, params)
    factors = Atom(replace(layer, units=len(need)), left, path)
    if here == need:
        return [factors]
    places = tuple(place for place, i in enumerate(here) if i in set(need))
    return [Atom(select(places, len(here)), Empty(), path), factors]


def prune_groups(layer: Layer, params: Params, threshold: float = THRESHOLD) -> Pruned:
    """The chain without the groups whose excess passes the threshold: it predicts as if their factors were 0.

    Outputs that nothing uses any more go as well; inputs of the network that nothing uses are left out by a layer in
    front. A group stays where the layers around it do not say that it can go: a filter whose zeros would not stay zeros
    up to the next weights, or factors that are not beside the weights of their groups. ValueError for a network without
    such factors, for a layer of them that would lose every group, and for weights to cut that are not independent.
    """
    flat = atoms(layer, params)
    _check([atom.layer for atom in flat])
    kept = _kept(flat, threshold)
    live, out = _Live((), 0), []
    for i, atom in enumerate(flat):
        map = _weights(atom.layer)
        if map is not None:
            wanted = _wanted(flat, kept, i)
            out.append(_resized(atom, live.of(_inputs(map)), wanted))
            live = _Live(wanted, _outputs(map))
        elif i in kept:
            here = live.of(atom.layer.units)
            need = tuple(j for j in kept[i] if j in set(here))
            out += _factors(atom, here, need)
            live = _Live(need, atom.layer.units)
        else:
            out.append(atom)
    return Pruned(Chain(tuple(a.layer for a in out)), tuple(a.params for a in out))
