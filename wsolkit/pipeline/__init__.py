"""Pipelines: stages that meet in files, run by one command, resumed where they were stopped."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
