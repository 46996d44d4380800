"""The noise on activations of this library's methods, as adapters, alone where it stands before a map."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.noise import Noise
from bayesnoise_reference.families.strength import Strength

Dtype: TypeAlias = Literal["float32", "float64"]


def _multiply(law: Any, what: Noise) -> LibraryTree:
    from bayesnoise.noise import Multiply

    return LibraryTree(Multiply(law), what)


def dropout(*, rate: float = 0.25, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A Bernoulli factor for every element."""
    from bayesnoise.noise import Bernoulli

    what = Noise(kind="bernoulli", rate=rate, units=units, dtype=dtype, name="library:dropout")
    return _multiply(Bernoulli(rate), what)


def gaussian_dropout(*, alpha: float = 0.5, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A normal factor for every element."""
    from bayesnoise.noise import Gaussian

    what = Noise(kind="gaussian", alpha=alpha, units=units, dtype=dtype, name="library:gaussian_dropout")
    return _multiply(Gaussian(alpha), what)


def spatial_dropout(*, rate: float = 0.25, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A Bernoulli factor for every channel."""
    from bayesnoise.noise import Bernoulli, Spatial

    what = Noise(kind="spatial", rate=rate, units=units, dtype=dtype, name="library:spatial_dropout")
    return _multiply(Spatial(Bernoulli(rate), units, len(what.space)), what)


def drop_block(
    *,
    rate: float = 0.25,
    units: int = 4,
    space: tuple[int, ...] = (4, 4),
    block: int = 2,
    scale_by: Literal["batch", "example"] = "batch",
    dtype: Dtype = "float64",
) -> LibraryTree:
    """Blocks of every channel."""
    from bayesnoise.noise import DropBlock

    what = Noise(
        kind="drop_block",
        rate=rate,
        units=units,
        space=space,
        block=block,
        scale_by=scale_by,
        dtype=dtype,
        name="library:drop_block",
    )
    return LibraryTree(DropBlock(rate, (block,) * len(space), scale_by), what, noise={"blocks": "blocks"})


def variational_dropout_noise(*, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """Variational dropout of type B: normal factors with a learned alpha for every channel."""
    from bayesnoise.noise import LearnedGaussian

    what = Noise(kind="learned", units=units, dtype=dtype, name="library:variational_dropout")
    layer = LearnedGaussian(units, positions=len(what.space))
    return LibraryTree(layer, what, {"log_alpha": "log_alpha"}, {"zeta": "zeta"})


class LibraryInformation(LibraryTree):
    """Information dropout, whose divergence belongs to an example."""

    @property
    def abilities(self) -> frozenset[str]:
        """Those of every layer, and the divergence of examples."""
        return super().abilities | {"example_kl"}

    def example_kl(self, x: Array) -> Array:
        """That of one draw, `(n,)`."""
        at = self._in(x)
        _, residuals = self.layer.forward(self._params, self._draw(at), at)
        return self._out(self.layer.example_kl(residuals))


def concrete_dropout(*, units: int = 6, dtype: Dtype = "float64") -> LibraryTree:
    """A relaxed mask on the inputs of a dense map."""
    from bayesnoise import maps
    from bayesnoise.concrete import ConcreteDropout

    what = Strength(kind="concrete", units=units, dtype=dtype, name="library:concrete_dropout")
    layer = ConcreteDropout(maps.Dense(units, units), temperature=what.temperature, prior_scale=what.prior)
    return LibraryTree(layer, what, {"theta": "theta", "logit": "logit"}, {"u": "u"})


def information_dropout(
    *, prior: Literal["log_uniform", "log_normal"] = "log_uniform", units: int = 6, dtype: Dtype = "float64"
) -> LibraryTree:
    """Log-normal noise on the output of a dense map and its activation."""
    from bayesnoise import maps, methods
    from bayesnoise.information import InformationDropout

    what = Strength(kind=prior, units=units, dtype=dtype, name="library:information_dropout")
    plain = methods.deterministic(maps.Dense(units, units), bias="none")
    layer = InformationDropout(plain, plain, prior, what.beta, what.least, what.span)
    names = {"theta": "value.theta", "theta_alpha": "spread.theta"}
    return LibraryInformation(layer, what, names, {"zeta": "zeta"})
