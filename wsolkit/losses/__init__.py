"""Losses of the core."""

from wsolkit.losses.classification import BinaryCrossEntropy, CrossEntropy

__all__ = ["BinaryCrossEntropy", "CrossEntropy"]
