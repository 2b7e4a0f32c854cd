"""What every part promises, as functions that a plugin's own tests call; they raise ``AssertionError`` in words.

``check_plugin("wsolkit_mine")`` holds a whole installed plugin against all of it, ``check_pairs`` tries its parts
beside the core's alone, ``check_loss(MyLoss)`` and its like hold one part to its contract. No test framework is needed.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
