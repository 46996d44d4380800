"""FlipES: evolution strategies whose members are flips of one perturbation by signs of their own.

Wen, Vicol, Ba, Tran, Grosse 2018, "Flipout" (arXiv 1803.04386), section 4.3 (numbering as reported). Member n of a
population has, for a matrix of parameters theta,

    w_n = theta + scale * eps * (sign_in_n sign_out_n'),

and with F_n the value of any objective at w_n, differentiable or not,

    eps * (sign_in' diag(F) sign_out) / (members * scale)

is an unbiased estimate of the gradient of `E F(theta + scale eps)`: one normal number a parameter, and one product,
for the whole population. An array of more axes has signs for its first two, a vector one for each of its elements,
and a number one sign. Random are eps, one number a parameter, and the signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._parameters import standard_normal
from bayesnoise._typing import Array, Params, Rng, Shape
from bayesnoise.estimators.shared import sample


class Base(NamedTuple):
    """One perturbation and the signs of its members; each is a tree like the parameters."""

    eps: Params  # like the parameters, standard normal
    sign_in: Params  # (members, first axis), or (members,) for a number: -1 or 1
    sign_out: Params  # (members, second axis), -1 or 1; None where there is no second axis


@dataclass(frozen=True)
class FlipES:
    """A population of `bases * members`, `members` to each perturbation.

    With `antithetic`, members come in pairs of opposite perturbations: what is even in them cancels, a constant too.
    Without, each value is taken relative to the mean of the other members of its base, which keeps the estimate
    unbiased: relative to the mean of all of them it would be too short by `1 / members`.
    ValueError for a scale that is not above 0, for fewer than 2 members, and for an odd number of them in pairs.
    """

    scale: float = 0.1
    members: int = 16
    bases: int = 1
    antithetic: bool = True

    def __post_init__(self) -> None:
        _checks.positive("scale", self.scale)
        _checks.positive_integer("members", self.members)
        _checks.positive_integer("bases", self.bases)
        if self.members < 2 or (self.antithetic and self.members % 2):
            expected = "an even number" if self.antithetic else "at least 2"
            raise ValueError(f"members is {self.members}, expected {expected}: each is compared with others")

    def draw(self, rng: Rng, params: Params) -> tuple[Base, ...]:
        """The noise of one population, for a tree of parameters; ValueError for one without any array."""
        like = tree.first_leaf(params)
        if like is None:
            raise ValueError(f"params is {params!r}, without any array: expected something to optimise")
        return tuple(self._base(r, params, like) for r in rng.split(self.bases))

    def _base(self, rng: Rng, params: Params, like: Array) -> Base:
        for_eps, for_in, for_out = rng.split(3)
        count = len(tree.leaves(params))
        ins, outs = iter(for_in.split(count)), iter(for_out.split(count))
        pairs = self.members // 2 if self.antithetic else self.members
        sign_in = tree.map(lambda p: next(ins).rademacher((pairs, *p.shape[:1]), like=like), params)
        sign_out = tree.map(
            lambda p, r: r.rademacher((pairs, p.shape[1]), like=like) if p.ndim > 1 else None,
            params,
            tree.map(lambda p: next(outs), params),
        )
        if self.antithetic:
            sign_in = tree.map(lambda s: array_namespace(s).concat([s, -s], axis=0), sign_in)
            sign_out = tree.map(lambda s: array_namespace(s).concat([s, s], axis=0), sign_out)
        return Base(standard_normal(for_eps, params, like=like), sign_in, sign_out)

    def perturb(self, params: Params, noise: tuple[Base, ...]) -> tuple[Params, ...]:
        """The parameters of every member, base by base."""
        return tuple(self._member(params, base, n) for base in noise for n in range(self.members))

    def _member(self, params: Params, base: Base, n: int) -> Params:
        scaled = tree.map(lambda e: self.scale * e, base.eps)
        outs = dict(tree.paths(base.sign_out))
        moved = []
        leaves = zip(tree.paths(params), tree.leaves(scaled), tree.leaves(base.sign_in), strict=True)
        for (name, p), step, sign_in in leaves:
            pattern = _along(sign_in[n, ...], 0, p.shape)
            if name in outs:
                pattern = pattern * _along(outs[name][n, ...], 1, p.shape)
            moved.append(sample(p, pattern, step))
        return tree.unflatten(params, iter(moved))

    def gradient(self, noise: tuple[Base, ...], values: Array) -> Params:
        """The estimate, like the parameters, from the value of the objective at every member in the order of `perturb`.

        `values (bases * members,)`. TypeError or ValueError for values of another kind or shape, and ValueError for
        some that are not finite, unless they are traced.
        """
        _checks.floating("values", values)
        _checks.shape("values", values, (self.bases * self.members,))
        xp = array_namespace(values)
        finite = xp.isfinite(values)
        if not _checks.every(finite):
            wrong = int(xp.sum(xp.astype(~finite, values.dtype)))
            raise ValueError(
                f"values has {wrong} of {values.shape[0]} that are not finite, expected a number for every member: one "
                "alone makes the whole estimate NaN; give a member whose objective fails the worst finite value"
            )
        by_base = xp.reshape(values, (self.bases, self.members))
        estimates = [self._estimate(base, by_base[b, :]) for b, base in enumerate(noise)]
        return tree.map(lambda *leaves: sum(leaves[1:], leaves[0]) / self.bases, *estimates)

    def _estimate(self, base: Base, values: Array) -> Params:
        if not self.antithetic:
            values = relative_to_the_others(values)
        outs = dict(tree.paths(base.sign_out))
        found = []
        for (name, eps), sign_in in zip(tree.paths(base.eps), tree.leaves(base.sign_in), strict=True):
            weighted = sign_in * _along(values, 0, sign_in.shape)
            xp = array_namespace(weighted)
            if name in outs:
                total = xp.reshape(weighted.T @ outs[name], (*eps.shape[:2], *(1,) * (eps.ndim - 2)))
            else:
                total = xp.sum(weighted, axis=0)
            found.append(eps * total / (self.members * self.scale))
        return tree.unflatten(base.eps, iter(found))


def relative_to_the_others(values: Array) -> Array:
    """Each value minus the mean of the others, `(n,)`: `n / (n - 1)` of its distance from the mean of all."""
    xp, n = array_namespace(values), values.shape[0]
    return (values - xp.mean(values)) * (n / (n - 1))


def _along(x: Array, axis: int, shape: Shape) -> Array:
    """A vector laid along one axis of an array of that shape; a number as it is."""
    if x.ndim == 0:
        return x
    return array_namespace(x).reshape(x, tuple(x.shape[0] if i == axis else 1 for i in range(len(shape))))
