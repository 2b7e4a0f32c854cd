"""Painted scenes: a data set that needs no download, in which a small part tells the class of a large body."""

import lazy_loader as lazy

from wsolkit import hookimpl

# dir() stays as it is: the hook below is found in it
__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {"BaseDataset": ["wsolkit_scenes.synthetic:SyntheticParts"]}
