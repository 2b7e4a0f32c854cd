"""F-CAM (Belharbi et al., WACV 2022): a decoder to fine maps, trained by pixels of coarse ones."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "ActivationHead": ["wsolkit_fcam.decoder:PixelDecoder"],
        "Loss": [
            "wsolkit_fcam.area:BothPresent",
            "wsolkit_fcam.colours:ColourAffinity",
            "wsolkit_fcam.seeds:PixelSeeds",
        ],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
