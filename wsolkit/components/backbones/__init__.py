"""Backbones: what turns images into named feature levels."""
