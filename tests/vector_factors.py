"""The golden vectors of random factors as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from bayesnoise import noise
from bayesnoise.noise.reflection_vectors import FullStep, ReflectionParams
from bayesnoise.posteriors import LogSigmaParams


def factors(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    units = v["x"].shape[1]
    if kind == "structured":
        layer: Any = noise.StructuredGaussian(units, 1, int(v["columns"]))
        steps = tuple(FullStep(v[f"matrix_{t}"], v[f"shift_{t}"]) for t in (1, 2))
        params: Any = noise.StructuredGaussianParams(v["log_alpha"], ReflectionParams(v["start"], steps))
        drawn: Any = noise.StructuredGaussianNoise(v["eps"])
    else:
        layer = noise.GroupFactor(units, 1, noise.TruncatedLogNormal(float(v["low"]), float(v["high"])))
        params, drawn = LogSigmaParams(v["mu"], v["log_sigma"]), noise.TruncatedLogNormalNoise(v["eps"])
    y, residuals = layer.forward(params, drawn, v["x"])
    grad_x, grad = layer.backward(residuals, v["grad_y"])
    found = {"y": y, "grad_x": grad_x, "kl": layer.kl(params)}
    for prefix, tree in (("grad_", grad), ("kl_grad_", layer.kl_grad(params))):
        found |= {prefix + name: leaf for name, leaf in _named(tree).items()}
    return found


def _named(tree: Any) -> dict[str, Any]:
    """The leaves by their names in the vectors."""
    if isinstance(tree, LogSigmaParams):
        return tree._asdict()
    found = {"log_alpha": tree.log_alpha, "start": tree.reflections.start}
    for t, step in enumerate(tree.reflections.steps, 1):
        found |= {f"matrix_{t}": step.matrix, f"shift_{t}": step.shift}
    return found
