"""Configurations: found by name or path, loaded, checked once."""
