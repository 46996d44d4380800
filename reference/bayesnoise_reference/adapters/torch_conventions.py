"""A torch class whose arguments and parameters are named as is usual, made and described without being told.

    adapter = conventional(torchbnn.BayesLinear, inputs=8, outputs=64)

The constructor's arguments say the sizes (`in_features`, `out_channels`, `kernel_size`) and the prior
(`prior_variance`, `prior_sigma`); the parameters' names say how a scale is stored and whether the bias is random; the
name of the class says the estimator; the shape of the weights says their layout, or a call where they are square. A
wrong guess is refuted loudly, not passed, and the report says what was guessed. All of it can be given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bayesnoise_reference.adapters._answers import short
from bayesnoise_reference.adapters.adapter import Bias, Description
from bayesnoise_reference.adapters.torch import TorchModule, detect
from bayesnoise_reference.adapters.torch_layout import layout_of

_IN = ("in_features", "in_channels", "input_size", "inputs", "in_dim", "n_in")
_OUT = ("out_features", "out_channels", "output_size", "outputs", "out_dim", "n_out", "hidden_size")
_PRIOR_MEAN = ("prior_mean", "prior_mu", "prior_loc")
_PRIOR = {
    "prior_variance": "variance",
    "prior_var": "variance",
    "prior_sigma": "scale",
    "prior_std": "scale",
    "prior_scale": "scale",
}
_WIDTH = 0.5  # of a prior that nobody gave: not 1, where a variance taken for a scale would go unseen
_STORED = {  # how a scale is stored, by a word in the name of its parameter
    "rho": "softplus",
    "untransformed_scale": "softplus",
    "log_sigma": "exp",
    "log_std": "exp",
    "log_variance": "log_variance",
    "logvar": "log_variance",
    "log_var": "log_variance",
    "sigma": "identity",
    "scale": "identity",
}


def conventional(
    made: Callable[..., Any],
    inputs: int,
    outputs: int,
    *,
    kernel: Sequence[int] = (),
    arguments: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    kl: Callable[[Any], Any] | None = None,
    **described: Any,
) -> TorchModule:
    """The adapter of `made(...)`, a class or a function that returns a module.

    `arguments` are given to it besides the sizes; `parameters` and `kl` are those of `TorchModule`; `described` are
    fields of `Description` that are not to be guessed. Raises ValueError where a guess is impossible.
    """
    name = getattr(made, "__name__", type(made).__name__)
    shown = described.pop("name", name)
    given = _arguments(made, name, inputs, outputs, tuple(kernel), dict(arguments or {}))
    module = made(**given)
    held = dict(module.named_parameters())
    pool = _pool(module, held, inputs) if held else ()
    bias = described.pop("bias", None) or bias_of(pool)
    plain = Description("dense", "shared", inputs, outputs, bias=bias)
    names = dict(parameters) if parameters is not None else detect(pool, plain)
    missing = [n for n in names.values() if n not in held]
    if missing or not {"mean", "rho"} <= names.keys():
        wrong = f"names {missing[0]!r}, which is none of {', '.join(held)}" if missing else "does not name mean and rho"
        raise ValueError(f"parameters {wrong}")
    weight = held[names["mean"]]
    shape = tuple(weight.shape)
    scale = described.get("scale") or stored(names["rho"])
    layout = described.get("layout") or layout_of(module, names, scale, inputs, outputs)
    guessed: dict[str, Any] = {
        "family": "dense" if len(shape) == 2 else "convolution",
        "estimator": estimator_of(made, name),
        "scale": scale,
        "layout": layout,
        "kernel": shape[2:] if layout == "out_in" else shape[:-2],
        "dtype": str(weight.dtype).rpartition(".")[2],
        "name": shown,
        **_prior(made, given),
    }
    guessed |= {n: axes(given[n], len(shape) - 2) for n in ("stride", "padding", "dilation") if n in given}
    guessed |= {"groups": given["groups"]} if "groups" in given else {}
    description = Description(**{"inputs": inputs, "outputs": outputs, "bias": bias, **guessed, **described})
    adapter = TorchModule(module, description, names, kl)
    return adapter if description.prior is None or _has_kl(adapter) else _without_kl(adapter, names)


def _pool(module: Any, held: Mapping[str, Any], inputs: int) -> tuple[str, ...]:
    """The parameters that may be meant: not a bias that is never added, nor a second name for memory that has one.

    One call and its gradient tell. A weight without a gradient stays: that is for the claims to say.
    """
    weight = max(held.values(), key=lambda p: p.ndim)
    try:
        answer = module(weight.new_ones((1, inputs, *(2 * k for k in weight.shape[2:]))))
        (answer[0] if isinstance(answer, tuple) else answer).sum().backward()
    except Exception:  # of someone else's code: the claims will say so in a sentence
        return tuple(held)
    reached = {n for n, p in held.items() if p.grad is not None}
    memory = {held[n].data_ptr() for n in reached}
    biased = any("bias" in n.lower() for n in reached)
    module.zero_grad(set_to_none=True)
    return tuple(
        n
        for n, p in held.items()
        if n in reached or not (p.data_ptr() in memory or ("bias" in n.lower() and not biased))
    )


def _has_kl(adapter: TorchModule) -> bool:
    """Whether it says a KL at all; what it says is for the claims."""
    try:
        adapter.kl()
    except Exception as error:  # of someone else's code
        return "neither kl_loss nor kl" not in short(error)
    return True


def _without_kl(adapter: TorchModule, names: dict[str, str]) -> TorchModule:
    """The same layer at level 0 and gradients: its KL claims are reported "not run"."""

    class WithoutKL(TorchModule):
        @property
        def abilities(self) -> frozenset[str]:
            return super().abilities - {"kl"}

    return WithoutKL(adapter.module, adapter.description, names)


def _arguments(
    made: Callable[..., Any], name: str, inputs: int, outputs: int, kernel: tuple[int, ...], given: dict[str, Any]
) -> dict[str, Any]:
    taken = inspect.signature(made).parameters
    for words, size in ((_IN, inputs), (_OUT, outputs)):
        fitting = [word for word in words if word in taken]
        if not fitting:
            raise ValueError(f"{name} has the arguments {', '.join(taken) or 'none'}, and none of {', '.join(words)}")
        given.setdefault(fitting[0], size)
    if "kernel_size" in taken:
        if not kernel and "kernel_size" not in given:
            raise ValueError(f"{name} takes a kernel_size, and no kernel is given")
        given.setdefault("kernel_size", kernel[0] if len(kernel) == 1 else kernel)
    elif kernel:
        raise ValueError(f"kernel is {kernel}, and {name} takes no kernel_size")
    for word in _PRIOR_MEAN:
        if word in taken:
            given.setdefault(word, 0.0)
    for word, kind in _PRIOR.items():
        if word in taken:
            given.setdefault(word, _WIDTH**2 if kind == "variance" else _WIDTH)
    unknown = [n for n in given if n not in taken and not _takes_any(taken)]
    if unknown:
        raise ValueError(f"{name} has no argument {unknown[0]!r}, expected some of {', '.join(taken)}")
    needed = [n for n, p in taken.items() if p.default is p.empty and n not in given and p.kind < p.VAR_POSITIONAL]
    if needed:
        raise ValueError(f"{name} needs the argument {needed[0]!r}, which cannot be guessed: give it")
    return given


def _takes_any(taken: Mapping[str, inspect.Parameter]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in taken.values())


def bias_of(names: tuple[str, ...]) -> Bias:
    """Of how many parameters a bias is made."""
    count = sum("bias" in n.lower() for n in names)
    return "none" if count == 0 else "deterministic" if count == 1 else "random"


def estimator_of(made: Callable[..., Any], name: str) -> str:
    """What the name of a class, or of its module, says."""
    words = f"{getattr(made, '__module__', '')}.{name}".lower()
    return "flipout" if "flipout" in words else "local" if "local" in words or "lrt" in words else "shared"


def stored(name: str) -> str:
    """How a scale is stored, by the name of its parameter. ValueError if it does not say."""
    lower = name.lower().replace(".", "_")
    found = [kind for word, kind in _STORED.items() if f"_{word}_" in f"_{lower}_"]
    if not found:
        raise ValueError(f"the scale is stored as {name}, which does not say how: give scale")
    return found[0]


def _prior(made: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    widths = [word for word in _PRIOR if word in given]
    if not widths:
        return {}
    means = [given[word] for word in _PRIOR_MEAN if word in given]
    return {
        "prior": float(given[widths[0]]),
        "prior_kind": _PRIOR[widths[0]],
        "prior_mean": float(means[0]) if means else 0.0,
    }


def axes(value: Any, n: int) -> tuple[int, ...]:
    """A number for each axis."""
    return tuple(value) if isinstance(value, list | tuple) else (int(value),) * n
