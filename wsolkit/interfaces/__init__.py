"""What a part is, and what parts hand each other; what works on arrays and files needs no torch."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
