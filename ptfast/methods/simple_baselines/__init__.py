"""Simple Baselines (Xiao et al., ECCV 2018)."""

from ptfast.methods.simple_baselines.config import Config, Similarity
from ptfast.methods.simple_baselines.method import SimpleBaselines
from ptfast.methods.simple_baselines.propagation import Carry, DenseCarry

__all__ = ["Carry", "Config", "DenseCarry", "Similarity", "SimpleBaselines"]
