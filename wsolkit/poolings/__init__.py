"""Poolings of the core."""

from wsolkit.poolings.spatial import AveragePooling, LogSumExpPooling, MaxPooling, log_sum_exp

__all__ = ["AveragePooling", "LogSumExpPooling", "MaxPooling", "log_sum_exp"]
