"""FSL (Choe et al., CVPR 2020): the few-shot baseline, a foreground map learnt from the boxes of a few images."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {
        "ActivationHead": ["wsolkit_fsl.head:ForegroundHead"],
        "BaseDataset": ["wsolkit_fsl.boxed_shots:BoxedShots"],
        "BaseModel": ["wsolkit_fsl.localizer:FewShotLocalizer"],
        "Loss": ["wsolkit_fsl.pixel_loss:BoxPixelLoss"],
    }


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
