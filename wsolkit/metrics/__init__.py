"""mmengine metrics on top of ``wsolkit.evaluation``."""

from wsolkit.metrics.localization import LocalizationMetric

__all__ = ["LocalizationMetric"]
