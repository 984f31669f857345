"""Simple Baselines (Xiao et al., ECCV 2018)."""

from ptfast.methods.simple_baselines.config import Config, Similarity
from ptfast.methods.simple_baselines.method import SimpleBaselines
from ptfast.methods.simple_baselines.queue import is_own
from ptfast.methods.simple_baselines.similarity import QueueLinker

__all__ = ["Config", "QueueLinker", "Similarity", "SimpleBaselines", "is_own"]
