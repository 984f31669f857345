"""Training of the pose entailment network."""

from ptfast.training.entailment.config import EntailmentConfig, PairAugmentation, read_config
from ptfast.training.entailment.recipe import RECIPE, entailment_task
from ptfast.training.entailment.train import train_pose_entailment
from ptfast.training.entailment.validation import entailment_figures

__all__ = [
    "RECIPE",
    "EntailmentConfig",
    "PairAugmentation",
    "entailment_figures",
    "entailment_task",
    "read_config",
    "train_pose_entailment",
]
