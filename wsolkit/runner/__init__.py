"""Running: configurations, training with exact resume, evaluation."""
