"""Parts of the core: what a plugin would bring, brought by the core itself (listed in ``wsolkit.builtin``)."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
