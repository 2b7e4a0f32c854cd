"""Files that wsolkit reads and writes: boxes, masks, lists and score maps, one format a module."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
