"""Normalizing flows: invertible functions whose log-determinant is known, and densities that they make."""

from bayesnoise.flows.auxiliary import Auxiliary, AuxiliaryParams
from bayesnoise.flows.bound import Bound, MultiplicativeFlowParams
from bayesnoise.flows.factor import Factor, FactorParams
from bayesnoise.flows.flow import Flow
from bayesnoise.flows.real_nvp import RealNVP, RealNVPParams

__all__ = [
    "Auxiliary",
    "AuxiliaryParams",
    "Bound",
    "Factor",
    "FactorParams",
    "Flow",
    "MultiplicativeFlowParams",
    "RealNVP",
    "RealNVPParams",
]
