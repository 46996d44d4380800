"""The law of some of the weights, those at chosen indices of each axis, where it is a law of the same kind.

Independent weights keep theirs: of a parameter that is one a weight the others go, and one that several weights share
along an axis stays. The factors of `KTied` and `MatrixGaussian` are of the rows and the columns of the weights seen as
a matrix: those of the rows and columns that are left.
"""

from __future__ import annotations

from typing import Any

from bayesnoise import tree
from bayesnoise._typing import Array, Params
from bayesnoise.posteriors.k_tied import KTied
from bayesnoise.posteriors.law import Posterior
from bayesnoise.posteriors.matrix_gaussian import MatrixGaussian
from bayesnoise.reshaping import taken

Selected = tuple[tuple[int, ...], ...]  # the indices that stay, one tuple an axis of the weights


def restricted(name: str, posterior: Posterior, params: Params, selected: Selected) -> Params:
    """The parameters of the selected weights.

    ValueError for weights that are not independent: what is left of them has another law.
    """
    if not posterior.traits.independent:
        raise ValueError(
            f"params of '{name}' are of {posterior}, whose weights are drawn together: those that are left would have "
            "another law, use independent weights there"
        )
    if isinstance(posterior, KTied | MatrixGaussian):
        return _factored(params, selected)
    return tree.map(lambda leaf: _along(leaf, selected), params)


def _along(leaf: Array, selected: Selected) -> Array:
    for axis, indices in enumerate(selected):
        leaf = leaf if leaf.shape[axis] == 1 else taken(leaf, indices, axis)
    return leaf


def _factored(params: Any, selected: Selected) -> Params:
    columns: tuple[int, ...] = (0,)
    for indices, size in zip(selected[1:], params.mu.shape[1:], strict=True):
        columns = tuple(column * size + i for column in columns for i in indices)
    mu = _along(params.mu, selected)
    return params._replace(mu=mu, log_u=taken(params.log_u, selected[0], 0), log_v=taken(params.log_v, columns, 0))
