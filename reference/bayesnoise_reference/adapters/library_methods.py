"""A method of this library by its name, as an adapter.

adapter = library_method("flipout", inputs=8, outputs=64)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.library import LibraryLayer

_ESTIMATORS = {"bayes_by_backprop": "shared", "flipout": "flipout", "local_reparameterization": "local"}
_BIASES = {"bayes_by_backprop": "random", "flipout": "deterministic", "local_reparameterization": "deterministic"}
_WIDTH = 0.5  # of the prior: not 1, where a variance taken for a scale would go unseen


def library_method(
    name: str, inputs: int, outputs: int, *, kernel: Sequence[int] = (), **described: Any
) -> LibraryLayer:
    """The method over a dense map, or over a convolution if a kernel is given.

    `described` may give the bias, the prior's scale and the dtype. ValueError for a method without claims.
    """
    import bayesnoise
    from bayesnoise import maps

    method: Any = bayesnoise.method(name).build
    if name not in _ESTIMATORS:
        raise ValueError(f"method is {name!r}; there are claims about {', '.join(_ESTIMATORS)}")
    allowed = {"bias", "prior", "dtype"}
    if not described.keys() <= allowed:
        wrong = sorted(described.keys() - allowed)[0]
        raise ValueError(f"{wrong} cannot be given for a method of the library, whose description is known")
    described = {"bias": _BIASES[name], "prior": _WIDTH, **described}
    over = maps.Conv(inputs, outputs, tuple(kernel)) if kernel else maps.Dense(inputs, outputs)
    description = Description(
        family="convolution" if kernel else "dense",
        estimator=_ESTIMATORS[name],  # type: ignore[arg-type]  # checked above
        inputs=inputs,
        outputs=outputs,
        layout="out_in" if kernel else "in_out",
        kernel=tuple(kernel),
        name=f"library:{name}",
        **described,
    )
    return LibraryLayer(method(over, prior_scale=description.prior, bias=description.bias), description)
