"""One coupling step of a normalizing flow, with its log-determinant: half of `z` moves, at the word of the other half.

    h = tanh((mask z) w_hidden + b_hidden),  t = h w_shift + b_shift,  s = sigmoid(h w_gate + b_gate)
    y = mask z + (1 - mask) (s z + (1 - s) t),    log |det dy/dz| = sum (1 - mask) log s

Dinh, Sohl-Dickstein, Bengio 2017, "Density estimation using Real NVP" (arXiv 1605.08803), in the gated form of Louizos
and Welling 2017 (arXiv 1703.01961), equation 9 (numbering as reported). The mask there is drawn at random; here it is
every second element, the others in the next step. Nothing is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng
from bayesnoise.special import log_sigmoid, sigmoid

INITIAL_GATE = 2.0  # the raw gate of a fresh step: 0.88 of z stays


class RealNVPParams(NamedTuple):
    w_hidden: Array  # (d, hidden)
    b_hidden: Array  # (hidden,)
    w_shift: Array  # (hidden, d)
    b_shift: Array  # (d,)
    w_gate: Array  # (hidden, d)
    b_gate: Array  # (d,)


class RealNVPResiduals(NamedTuple):
    params: RealNVPParams
    z: Array  # (n, d)
    h: Array  # (n, hidden)
    shift: Array  # (n, d)
    raw_gate: Array  # (n, d), before the sigmoid


@dataclass(frozen=True)
class RealNVP:
    """`(n, d) -> (n, d)` and `(n,)`, the log-determinant of each row; element i moves where `i + parity` is even.

    ValueError for sizes below 1 or a parity other than 0 and 1.
    """

    features: int
    hidden: int
    parity: int = 0

    def __post_init__(self) -> None:
        _checks.positive_integer("features", self.features)
        _checks.positive_integer("hidden", self.hidden)
        if self.parity not in (0, 1):
            raise ValueError(f"parity is {self.parity!r}, expected 0 or 1")

    def init(self, rng: Rng, *, like: Array) -> RealNVPParams:
        """A step close to one that draws every element a little towards 1, whatever the others are."""
        xp, kind = array_namespace(like), {"dtype": like.dtype, "device": device(like)}
        for_hidden, for_shift, for_gate = rng.split(3)
        d, hidden = self.features, self.hidden
        return RealNVPParams(
            d**-0.5 * for_hidden.normal((d, hidden), like=like),
            xp.zeros((hidden,), **kind),
            0.1 * hidden**-0.5 * for_shift.normal((hidden, d), like=like),
            xp.ones((d,), **kind),
            0.1 * hidden**-0.5 * for_gate.normal((hidden, d), like=like),
            xp.full((d,), INITIAL_GATE, **kind),
        )

    def _mask(self, like: Array) -> Array:
        stays = [float((i + self.parity) % 2) for i in range(self.features)]
        return array_namespace(like).asarray(stays, dtype=like.dtype, device=device(like))

    def _conditioned(self, params: RealNVPParams, kept: Array) -> tuple[Array, Array, Array]:
        """The hidden units, the shift and the raw gate, from the elements that stay."""
        xp = array_namespace(kept)
        h = xp.tanh(xp.matmul(kept, params.w_hidden) + params.b_hidden)
        return h, xp.matmul(h, params.w_shift) + params.b_shift, xp.matmul(h, params.w_gate) + params.b_gate

    def forward(self, params: RealNVPParams, z: Array) -> tuple[Array, Array, RealNVPResiduals]:
        """The moved `z`, the log-determinant of each row, and what `backward` needs."""
        mask = self._mask(z)
        h, shift, raw_gate = self._conditioned(params, mask * z)
        moved = sigmoid(raw_gate) * z + sigmoid(-raw_gate) * shift
        log_det = array_namespace(z).sum((1.0 - mask) * log_sigmoid(raw_gate), axis=-1)
        return mask * z + (1.0 - mask) * moved, log_det, RealNVPResiduals(params, z, h, shift, raw_gate)

    def backward(self, residuals: RealNVPResiduals, grad_y: Array, grad_log_det: Array) -> tuple[Array, RealNVPParams]:
        """Gradients of `z` and of the parameters, from those of the two outputs."""
        params, z, h, shift, raw_gate = residuals
        xp, mask = array_namespace(z), self._mask(z)
        gate, rest = sigmoid(raw_gate), sigmoid(-raw_gate)
        grad_moved = (1.0 - mask) * grad_y
        grad_shift = grad_moved * rest
        grad_raw = grad_moved * (z - shift) * gate * rest + (1.0 - mask) * rest * grad_log_det[:, None]
        grad_h = xp.matmul(grad_shift, params.w_shift.T) + xp.matmul(grad_raw, params.w_gate.T)
        grad_hidden = grad_h * (1.0 - h * h)
        grad_z = grad_y * mask + grad_moved * gate + mask * xp.matmul(grad_hidden, params.w_hidden.T)
        return grad_z, RealNVPParams(
            xp.matmul((mask * z).T, grad_hidden),
            xp.sum(grad_hidden, axis=0),
            xp.matmul(h.T, grad_shift),
            xp.sum(grad_shift, axis=0),
            xp.matmul(h.T, grad_raw),
            xp.sum(grad_raw, axis=0),
        )

    def inverse(self, params: RealNVPParams, y: Array) -> Array:
        """The `z` that `forward` takes to `y`: what stays tells the shift and the gate."""
        mask = self._mask(y)
        _, shift, raw_gate = self._conditioned(params, mask * y)
        return mask * y + (1.0 - mask) * (y - sigmoid(-raw_gate) * shift) / sigmoid(raw_gate)
