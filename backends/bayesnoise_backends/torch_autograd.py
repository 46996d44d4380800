"""Layers for `torch.autograd` and `torch.nn`: the derivative is the layer's own backward rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from bayesnoise import tree
from bayesnoise._typing import Array, Noise, Params, Residuals
from bayesnoise.layer import Layer, absorb, frozen
from bayesnoise.optimizers import learned
from bayesnoise_backends._seed import Seed
from bayesnoise_backends.torch_random import TorchRng


@dataclass(frozen=True)
class _Slot:
    """The place of a saved tensor in a tree."""

    index: int


def _save(ctx: Any, value: Any) -> None:
    """Keep a tree for the backward pass: its tensors where autograd watches them, the rest beside them."""
    tensors: list[Array] = []

    def place(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        tensors.append(leaf)
        return _Slot(len(tensors) - 1)

    ctx.tree = tree.map(place, value)
    ctx.save_for_backward(*tensors)


def _saved(ctx: Any) -> Any:
    tensors = ctx.saved_tensors
    return tree.map(lambda leaf: tensors[leaf.index] if isinstance(leaf, _Slot) else leaf, ctx.tree)


class _Forward(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any, layer: Layer, like: Params, noise: Noise, kept: list[Residuals], x: Array, *leaves: Array
    ) -> Array:
        y, residuals = layer.forward(tree.unflatten(like, iter(leaves)), noise, x)
        kept.append(residuals)
        ctx.layer = layer
        _save(ctx, residuals)
        return y

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *grad_outputs: Array) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        grad_x, grads = ctx.layer.backward(_saved(ctx), grad_outputs[0], input_grad=ctx.needs_input_grad[4])
        return None, None, None, None, grad_x, *tree.leaves(grads)


class _KL(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, layer: Layer, like: Params, noise: Noise | None, *leaves: Array) -> Array:
        params = tree.unflatten(like, iter(leaves))
        ctx.layer = layer
        _save(ctx, (params, noise))
        return torch.as_tensor(layer.kl(params, noise), dtype=leaves[0].dtype, device=leaves[0].device)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *grad_outputs: Array) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return None, None, None, *(grad_outputs[0] * leaf for leaf in tree.leaves(ctx.layer.kl_grad(*_saved(ctx))))


def _structure(params: Params) -> Params:
    """The tree without its tensors."""
    return tree.map(lambda _: 0, params)


@dataclass(frozen=True)
class Differentiable:
    """A layer as two functions for `torch.autograd`. The noise is a constant to both."""

    layer: Layer

    def __call__(self, params: Params, noise: Noise, x: Array) -> Array:
        """The output, differentiable once by every tensor of `params` and by `x`."""
        return self.with_residuals(params, noise, x)[0]

    def with_residuals(self, params: Params, noise: Noise, x: Array) -> tuple[Array, Residuals]:
        """The same output, and the residuals from which a layer takes the statistics it keeps."""
        kept: list[Residuals] = []
        y = _Forward.apply(self.layer, _structure(params), noise, kept, x, *tree.leaves(params))
        return y, kept[0]

    def kl(self, params: Params, noise: Noise | None = None) -> Array:
        """The divergence, shape (), differentiable once by every tensor of `params`."""
        leaves = tree.leaves(params)
        return _KL.apply(self.layer, _structure(params), noise, *leaves) if leaves else torch.zeros(())


class Module(torch.nn.Module):  # type: ignore[misc]
    """A layer for a `torch.nn` model. Each call draws noise anew, in training and in evaluation alike.

    The parameters are named as in the layer's tree, with `_` between: `weight_mu`, `weight_rho`. They start with the
    dtype and device of `like` (float32 on the CPU); initial values and noise follow `torch.manual_seed`. Statistics
    that a layer keeps are buffers, brought up to date in training and used in evaluation.
    """

    def __init__(self, layer: Layer, *, like: Array | None = None) -> None:
        super().__init__()
        self.layer = layer
        params = layer.init(_rng(), like=torch.zeros(()) if like is None else like)
        self._like = _structure(params)
        self._names = [name.replace(".", "_") for name, _ in tree.paths(params)]
        for name, (path, leaf) in zip(self._names, tree.paths(params), strict=True):
            if learned(path):
                self.register_parameter(name, torch.nn.Parameter(leaf))
            else:
                self.register_buffer(name, leaf)
        self._noise: Noise | None = None

    @property
    def params(self) -> Params:
        """The parameters as the layer's tree."""
        return tree.unflatten(self._like, iter([getattr(self, name) for name in self._names]))

    def forward(self, x: Array) -> Array:
        params = self.params
        self._noise = self.layer.draw(_rng(), params, tuple(x.shape), like=x.detach())
        if not self.training:
            return Differentiable(frozen(self.layer))(params, self._noise, x)
        y, residuals = Differentiable(self.layer).with_residuals(params, self._noise, x)
        with torch.no_grad():
            absorbed = tree.leaves(absorb(self.layer, params, residuals))
        for name, leaf in zip(self._names, absorbed, strict=True):
            if name in self._buffers:
                setattr(self, name, leaf)  # a new tensor: the old one is needed in the backward pass
        return y

    def predict(self, x: Array) -> Array:
        """The output at the mean of every law, without gradients."""
        with torch.no_grad():
            return self.layer.predict(self.params, x)

    def kl(self) -> Array:
        """The divergence, shape (): a Monte Carlo one at the noise of the last call."""
        return Differentiable(self.layer).kl(self.params, self._noise)

    def extra_repr(self) -> str:
        return repr(self.layer)


def _rng() -> TorchRng:
    """A source seeded by torch's global generator, on the host."""
    return TorchRng(Seed(int(torch.randint(0, 2**63 - 1, ()))))
