"""From images, or score maps, to boxes in files: ``Predictor`` from Python, ``predict_to_folder`` for whole folders."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
