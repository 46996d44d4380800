"""Special functions, from elementwise operations alone."""

from bayesnoise.special._dawson import dawson, dawson_ratio
from bayesnoise.special._erf import erf
from bayesnoise.special._log_uniform import log_uniform_kl, log_uniform_slope, log_uniform_slope_by_inverse_alpha
from bayesnoise.special._logsumexp import logsumexp
from bayesnoise.special._normal import log_ndtr, ndtr, ndtri_exp
from bayesnoise.special._softplus import dlog_softplus, inverse_softplus, log_sigmoid, log_softplus, sigmoid, softplus

__all__ = [
    "dawson",
    "dawson_ratio",
    "dlog_softplus",
    "erf",
    "inverse_softplus",
    "log_ndtr",
    "log_sigmoid",
    "log_softplus",
    "log_uniform_kl",
    "log_uniform_slope",
    "log_uniform_slope_by_inverse_alpha",
    "logsumexp",
    "ndtr",
    "ndtri_exp",
    "sigmoid",
    "softplus",
]
