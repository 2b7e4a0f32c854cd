"""Scores and boxes from score maps that any program wrote: files in, numbers and box files out, no model."""
