"""Metrics of the validation, as mmengine wants them."""

from wsolkit.metrics.localization import LocalizationMetric
from wsolkit.metrics.protocol import ProtocolMetric

__all__ = ["LocalizationMetric", "ProtocolMetric"]
