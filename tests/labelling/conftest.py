"""One folder of scenes, and the labels that ``label`` makes of it, shared by all tests here; none may change them."""

from pathlib import Path

import pytest

from wsolkit.labelling.run import label
from wsolkit_scenes import SyntheticParts

METHOD = str(Path(__file__).parents[1] / "support" / "label_config.py")


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    """Folders of three classes, eight scenes each, and their true boxes in boxes.json."""
    folder = tmp_path_factory.mktemp("label") / "photos"
    return SyntheticParts(num_images=24, num_classes=3, image_size=48).export(folder, boxes=True)


@pytest.fixture(scope="session")
def labelled(scenes):
    """What labelling the scenes left behind, and what it said."""
    said = []
    return label(
        scenes, scenes.parent / "labels", method=METHOD, formats=("coco", "csv"), draw=5, say=said.append
    ), said
