"""An adapter of a torch module: its parameters by name, its output, its gradients by autograd, its KL.

    TorchModule(module, Description("dense", "flipout", 8, 64, bias="random", layout="out_in", prior=1.0,
    dtype="float32"))

The names are found where they follow a custom: `mu` or `mean` for means, `rho`, `log_sigma`, `logvar` and their like
for scales, with `bias` in those of the bias. Or they are given, by the names of the parameters in `Adapter`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.subject import Subject

_MEANS = ("mu", "mean", "loc", "theta")
_SCALES = ("rho", "log_sigma", "log_std", "log_variance", "logvar", "log_var", "untransformed_scale", "sigma", "scale")
_NAME_IT = "name it in parameters, or on the command line by --parameter {}=NAME"


class TorchModule:
    """A module whose call gives the output, or a tuple that begins with it.

    `parameters` names the module's parameters by those of `Adapter`, like `{"mean": "W.mu", "rho": "W.rho"}`; without
    it they are detected, or have the names of the family if that is not one of random weights. `kl` is a function of
    the module, or the name of a method; without it, `kl_loss` or `kl` is tried, and then the second element of a tuple
    that the call returns. `evaluate(module, x)` is a pass without noise, and `network_kl(network)` what adds up the KL
    of a `torch.nn.Sequential`. Raises ValueError for names that cannot be found.
    """

    def __init__(
        self,
        module: Any,
        description: Subject,
        parameters: Mapping[str, str] | None = None,
        kl: Callable[[Any], Any] | str | None = None,
        evaluate: Callable[[Any, Any], Any] | None = None,
        network_kl: Callable[[Any], Any] | None = None,
    ) -> None:
        self.module, self.description = module, description
        found = dict(module.named_parameters())
        self._names = dict(parameters) if parameters is not None else _names(tuple(found), description)
        missing = [name for name in self._names.values() if name not in found]
        if missing:
            raise ValueError(f"parameters names {missing[0]!r}, which is none of {', '.join(found) or 'no parameters'}")
        self._held = {ours: found[theirs] for ours, theirs in self._names.items()}
        self._kl, self._evaluate, self._network_kl = kl, evaluate, network_kl
        self._tensor_kl: bool | None = None

    @property
    def versions(self) -> dict[str, str]:
        """The version of torch, for the report."""
        import torch

        return {"torch": str(torch.__version__)}

    @property
    def abilities(self) -> frozenset[str]:
        """Sampling, gradients and saving; the KL if there is a prior; what there is a function for."""
        able = {"load", "sample", "gradients", "parameters", "seed", "save", "restore"}
        told = {"kl": self._kl_wanted(), "evaluate": self._evaluate, "network_kl": self._network_kl}
        able |= {name for name, value in told.items() if value is not None}
        return frozenset(able | ({"kl_gradients"} if "kl" in able and self._kl_is_tensor() else set()))

    def _kl_is_tensor(self) -> bool:
        """Whether there are gradients of the KL: none of a number, nor of what cannot be computed."""
        import torch

        if self._tensor_kl is None:
            try:
                with torch.no_grad():
                    self._tensor_kl = isinstance(self._kl_value(), torch.Tensor)
            except Exception:  # kl says so itself, when it is asked
                self._tensor_kl = False
        return self._tensor_kl

    def _kl_wanted(self) -> object:
        """The prior; of a family without such a field, whatever gives a KL."""
        if isinstance(self.description, Description):
            return self.description.prior
        return self._kl or getattr(self.module, "kl_loss", None) or getattr(self.module, "kl", None)

    def seed(self, seed: int) -> None:
        """Seed torch's own generators."""
        import torch

        torch.manual_seed(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        """Copy the parameters into the module; ValueError where its own have another shape."""
        import torch

        with torch.no_grad():
            for name, value in parameters.items():
                if name not in self._held:
                    raise ValueError(f"the module has no parameter that is known as {name}: {_NAME_IT.format(name)}")
                held = self._held[name]
                if tuple(held.shape) != value.shape:
                    raise ValueError(
                        f"{self._names[name]} has shape {tuple(held.shape)}, the description gives {value.shape}: "
                        "look at its sizes and its layout"
                    )
                held.copy_(torch.as_tensor(value))

    def parameters(self) -> dict[str, Array]:
        """What the module holds now."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self._held.items()}

    def _tensor(self, x: Array) -> Any:
        import torch

        return torch.from_numpy(x).to(next((held.device for held in self._held.values()), "cpu"))

    def _forward(self, x: Any) -> Any:
        answer = self.module(x)
        return answer[0] if isinstance(answer, tuple) else answer

    def sample(self, x: Array) -> Any:
        import torch

        with torch.no_grad():
            return self._forward(self._tensor(x)).cpu().numpy()

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        for value in self._held.values():
            value.grad = None
        at = self._tensor(x).requires_grad_()
        y = self._forward(at)
        y.backward(self._tensor(grad_y))
        grads = {name: value.grad for name, value in self._held.items()} | {"x": at.grad}
        found = {name: g.cpu().numpy() for name, g in grads.items() if g is not None}
        # A parameter that the output does not reach has a gradient of zero.
        found |= {name: np.zeros(tuple(v.shape)) for name, v in self._held.items() if v.grad is None}
        return found | {"y": y.detach().cpu().numpy()}

    def kl(self) -> float:
        import torch

        with torch.no_grad():
            return float(self._kl_value())

    def kl_gradients(self) -> dict[str, Array]:
        """By autograd; zero for a parameter that the KL does not reach."""
        import torch

        value, held = self._kl_value(), list(self._held.values())
        found: Any = torch.autograd.grad(value, held, allow_unused=True) if value.requires_grad else [None] * len(held)
        grads = (torch.zeros_like(at) if g is None else g for at, g in zip(held, found, strict=True))
        return {name: g.cpu().numpy() for name, g in zip(self._held, grads, strict=True)}

    def _kl_value(self) -> Any:
        import torch

        if callable(self._kl):
            return self._kl(self.module)
        names = (self._kl,) if self._kl is not None else ("kl_loss", "kl")
        for name in names:
            method = getattr(self.module, name, None)
            if callable(method):
                return method()
        answer = self.module(torch.zeros(self._one_input(), dtype=next(iter(self._held.values())).dtype))
        if isinstance(answer, tuple) and len(answer) > 1:
            return answer[1]
        raise ValueError("the module has neither kl_loss nor kl, and returns no tuple with it: pass kl")

    def evaluate(self, x: Array) -> Any:
        import torch

        assert self._evaluate is not None
        with torch.no_grad():
            return self._evaluate(self.module, self._tensor(x)).cpu().numpy()

    def network_kl(self, arrangement: str) -> float:
        import torch

        assert self._network_kl is not None
        nested = torch.nn.Sequential(torch.nn.Sequential(self.module))
        network = nested if arrangement == "nested" else torch.nn.Sequential(self.module, self.module)
        with torch.no_grad():
            return float(self._network_kl(network))

    def save(self) -> bytes:
        """The bytes of the module's state."""
        import torch

        held = io.BytesIO()
        torch.save(self.module.state_dict(), held)
        return held.getvalue()

    def restore(self, saved: bytes) -> None:
        import torch

        self.module.load_state_dict(torch.load(io.BytesIO(saved), weights_only=True))

    def _one_input(self) -> tuple[int, ...]:
        d: Any = self.description
        sizes = [d.dilation[a] * (d.kernel[a] - 1) + 1 for a in range(len(d.kernel))]
        return (1, d.inputs, *sizes)


def _names(found: tuple[str, ...], description: Subject) -> dict[str, str]:
    return detect(found, description) if isinstance(description, Description) else {name: name for name in found}


def detect(names: tuple[str, ...], description: Description) -> dict[str, str]:
    """Which of the names is which parameter. Raises ValueError where none, or more than one, could be."""
    wanted = {"mean": (_MEANS, False), "rho": (_SCALES, False)}
    if description.bias == "random":
        wanted |= {"bias_mean": (_MEANS, True), "bias_rho": (_SCALES, True)}
    found = {name: _one(name, names, words, bias) for name, (words, bias) in wanted.items()}
    if description.bias == "deterministic":
        left = [n for n in names if "bias" in n.lower() and n not in found.values()]
        found["bias"] = _only("bias", left, names)
    return found


def _one(wanted: str, names: tuple[str, ...], words: tuple[str, ...], bias: bool) -> str:
    fitting = [n for n in names if ("bias" in n.lower()) == bias and any(_says(n.lower(), word) for word in words)]
    return _only(wanted, fitting, names)


def _says(name: str, word: str) -> bool:
    """Whether the word stands between separators: "mu" is in "weight_mu" and "mu_kernel", and not in "simulate"."""
    return f"_{word}_" in f"_{name.replace('.', '_').replace('-', '_')}_"


def _only(wanted: str, fitting: list[str], names: tuple[str, ...]) -> str:
    if len(fitting) != 1:
        what = "none of them is" if not fitting else f"{', '.join(fitting)} all could be"
        said = f"the parameters are {', '.join(names) or 'none'}, and {what} {wanted}"
        raise ValueError(f"{said}: {_NAME_IT.format(wanted)}")
    return fitting[0]
