"""Refiners: masks of found objects from the photograph itself, on arrays and without torch but for SAM."""
