"""What people look at after an evaluation: a page of one run, and tables and a page of several side by side."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
