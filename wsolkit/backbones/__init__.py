"""Backbones: what turns images into named feature levels."""

from wsolkit.backbones.freezing import freeze_modules, keep_resting
from wsolkit.backbones.timm_backbone import TimmBackbone
from wsolkit.backbones.timm_models import build_timm_model, feature_places
from wsolkit.backbones.weights import fetch_torchvision, load_weights, read_weights

__all__ = [
    "TimmBackbone",
    "build_timm_model",
    "feature_places",
    "fetch_torchvision",
    "freeze_modules",
    "keep_resting",
    "load_weights",
    "read_weights",
]
