"""A model whose answers are known beforehand: its features are the colours, its classes are red, green and blue."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from wsolkit import Backbone, load_plugins
from wsolkit.inference.predictor import Predictor
from wsolkit.model.localizer import Localizer
from wsolkit.registry import BACKBONES

SIDE = 32
CLASSES = ("red", "green", "blue")
CONFIG = f"""
classes = {list(CLASSES)!r}
model = dict(
    type="Localizer",
    backbone=dict(type="ColourBackbone"),
    head=dict(type="LinearHead"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.5),
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0, 0, 0), std=(1, 1, 1)),
    precision="fp32",
)
test_dataloader = dict(
    batch_size=4,
    dataset=dict(type="ImageFolder", data_root="nowhere", pipeline=[dict(type="Resize", size=({SIDE}, {SIDE}))]),
)
"""


@BACKBONES.register_module(force=True)
class ColourBackbone(Backbone):
    """The image itself as the only level."""

    def __init__(self, weights=None):
        super().__init__()
        self.channels = {"colours": 3}
        self.strides = {"colours": 1}
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, images):
        return {"colours": images * self.scale}


def colour_model(**changes):
    """Return the model: the map of a class is its colour, its logit the colour's mean, ten times."""
    load_plugins()
    settings = {
        "backbone": {"type": "ColourBackbone"},
        "head": {"type": "LinearHead", "num_classes": 3},
        "losses": [{"type": "CrossEntropy"}],
        "box_extractor": {"type": "LargestComponent", "threshold": 0.5},
        "data_preprocessor": {"type": "ImagePreprocessor", "mean": (0, 0, 0), "std": (1, 1, 1)},
        "precision": "fp32",
    }
    model = Localizer(**{**settings, **changes})
    if "head" not in changes:
        with torch.no_grad():
            model.head.classifier.weight.copy_(10 * torch.eye(3))
    return model


def colour_predictor(**options):
    """Return a predictor of the model; images are resized to 32 x 32."""
    model = options.pop("model", None) or colour_model()
    return Predictor(model, [v2.Resize((SIDE, SIDE))], CLASSES, device="cpu", **options)


def scene(box, size=(128, 64), colour=0, value=255):
    """Return a black image (h, w, 3) with a rectangle of one colour."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1, colour] = value
    return image


@pytest.fixture
def predictor():
    return colour_predictor(batch_size=4)


@pytest.fixture
def photos(tmp_path):
    """A folder with a folder for each class, with seven images in all."""
    for number in range(7):
        colour = number % 3
        path = tmp_path / "photos" / CLASSES[colour] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene((8 * number, 8, 8 * number + 32, 40), colour=colour)).save(path)
    return tmp_path / "photos"


@pytest.fixture
def trained(tmp_path):
    """A configuration file and a checkpoint."""
    config, checkpoint = tmp_path / "colours.py", tmp_path / "best.pth"
    config.write_text(CONFIG)
    torch.save({"state_dict": colour_model().state_dict(), "meta": {"epoch": 1}}, checkpoint)
    return config, checkpoint
