"""Data sets: one class per layout on disk, all giving the same samples and targets."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
