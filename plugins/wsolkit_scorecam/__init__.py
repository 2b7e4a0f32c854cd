"""Score-CAM (Wang et al., CVPR workshop 2020): channels are weighed by the score of the image seen through them."""

from pathlib import Path

import lazy_loader as lazy

from wsolkit import Method, hookimpl

__getattr__, _, __all__ = lazy.attach_stub(__name__, __file__)


@hookimpl
def wsolkit_components() -> dict[str, list[str]]:
    """Return where this plugin's parts are, by interface."""
    return {"CamMethod": ["wsolkit_scorecam.masked_scores:ScoreCAM"]}


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the paper behind it."""
    return [Method.from_card(Path(__file__).with_name("card.md"))]
