"""Numbers of a model or of score maps against the truth."""
