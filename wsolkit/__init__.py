"""wsolkit: class activation maps, boxes and masks from image labels alone."""

import lazy_loader as lazy

from wsolkit.finder import use_finder

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
use_finder(lambda: __getattr__("load_plugins")())
