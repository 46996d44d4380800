"""Normalisation to mean 0 and variance 1, followed by a learned scale and shift."""

from bayesnoise.normalisation.batch import BatchNorm, BatchNormParams, FrozenBatchNorm
from bayesnoise.normalisation.layer import LayerNorm, LayerNormParams

__all__ = ["BatchNorm", "BatchNormParams", "FrozenBatchNorm", "LayerNorm", "LayerNormParams"]
