"""Transforms by name, nested ones, words instead of Python objects, and our own crop against its definition."""

import inspect

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from wsolkit.datasets.transforms import ResizedRandomCrop, build_pipeline
from wsolkit.errors import ConfigError
from wsolkit.inference.geometry import build_pipeline as pipeline_to_predict
from wsolkit.registry import TRANSFORMS


@pytest.fixture
def image():
    coarse = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    smooth = np.array(Image.fromarray(coarse).resize((500, 375), Image.BICUBIC))
    return torch.from_numpy(smooth).permute(2, 0, 1)


def test_every_public_transform_is_known():
    names = [
        n for n, c in vars(v2).items() if inspect.isclass(c) and issubclass(c, v2.Transform) and c is not v2.Transform
    ]
    assert len(names) > 40
    assert set(names) <= set(TRANSFORMS.module_dict)


def test_nested_transforms_and_words():
    pipeline = build_pipeline(
        [
            {"type": "RandomResizedCrop", "size": 8, "antialias": True, "interpolation": "bicubic"},
            {"type": "RandomApply", "transforms": [{"type": "ColorJitter", "brightness": 0.4}], "p": 0.3},
            {
                "type": "RandomChoice",
                "transforms": [{"type": "Compose", "transforms": [{"type": "RandomHorizontalFlip"}]}],
            },
            {"type": "AutoAugment", "policy": "cifar10"},
            {"type": "ToDtype", "dtype": "uint8", "scale": True},
        ]
    )
    crop, apply, choice, auto, dtype = pipeline.transforms
    assert crop.interpolation is InterpolationMode.BICUBIC
    assert isinstance(apply.transforms[0], v2.ColorJitter)
    assert apply.p == 0.3
    assert isinstance(choice.transforms[0].transforms[0], v2.RandomHorizontalFlip)
    assert auto.policy is v2.AutoAugmentPolicy.CIFAR10
    assert dtype.dtype is torch.uint8
    assert pipeline(torch.zeros(3, 20, 20, dtype=torch.uint8)).shape == (3, 8, 8)


def test_objects_pass_and_nothing_is_nothing():
    assert build_pipeline([]) is None
    assert build_pipeline([v2.CenterCrop(3)])(torch.zeros(3, 9, 9)).shape == (3, 3, 3)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"type": "RandomResizeCrop"}, "no transform named 'RandomResizeCrop'.*RandomResizedCrop"),
        ({"type": "Resize", "sizes": 3}, "takes no argument 'sizes'.*'size'"),
        ({"type": "RandomCrop"}, "needs 'size'"),
        ({"type": "Resize", "size": 3, "interpolation": "bicubik"}, "interpolation cannot be 'bicubik'.*bicubic"),
        ({"type": "ToDtype", "dtype": "float23"}, "dtype cannot be 'float23'.*float32"),
        ({"type": "RandomApply", "transforms": [{"type": "Flip"}]}, "no transform named 'Flip'"),
    ],
)
def test_mistakes_are_named(step, words):
    with pytest.raises(ConfigError, match=words):
        build_pipeline([step])


def test_resize_is_pillows(image):
    got = build_pipeline([{"type": "Resize", "size": (256, 256), "antialias": True}])(image)
    expected = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((256, 256), Image.BILINEAR)
    assert np.abs(got.permute(1, 2, 0).numpy().astype(int) - np.asarray(expected)).max() <= 1


def test_crop_is_a_crop_of_the_resized_image(image):
    resized = v2.functional.resize(image, [256, 256], antialias=True).float()
    offsets = set()
    for seed in range(6):
        torch.manual_seed(seed)
        got = ResizedRandomCrop(256, crop=224)(image).float()
        assert got.shape == (3, 224, 224)
        errors = {
            (top, left): (resized[:, top : top + 224, left : left + 224] - got).abs().mean().item()
            for top in range(0, 33, 4)
            for left in range(0, 33, 4)
        }
        torch.manual_seed(seed)
        top, left = int(torch.randint(33, ())), int(torch.randint(33, ()))
        exact = (resized[:, top : top + 224, left : left + 224] - got).abs().mean().item()
        assert exact < 1, (top, left)
        assert exact <= min(errors.values()) + 0.2
        offsets.add((top, left))
    assert len(offsets) > 4


def test_crop_moves_boxes_and_masks_with_the_image():
    image = torch.zeros(3, 120, 200, dtype=torch.uint8)
    image[:, 40:80, 50:150] = 255
    mask = (image[0] > 0).to(torch.uint8)
    box = tv_tensors.BoundingBoxes(torch.tensor([[50.0, 40, 150, 80]]), format="XYXY", canvas_size=(120, 200))
    crop = ResizedRandomCrop(96, crop=80)
    for seed in range(5):
        torch.manual_seed(seed)
        sample = crop({"image": tv_tensors.Image(image), "boxes": box, "masks": tv_tensors.Mask(mask)})
        rows, columns = torch.nonzero(sample["masks"], as_tuple=True)
        tight = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert (sample["boxes"][0] - tight).abs().max() <= 1
        assert sample["boxes"].canvas_size == (80, 80)
        assert ((sample["image"][0] > 127) == sample["masks"].bool()).float().mean() > 0.97


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 200, "crop": 224}, "crop should fit into the size"),
        ({"size": (1, 2, 3)}, "size should be one or two positive whole numbers"),
        ({"crop": 0}, "crop should be one or two"),
    ],
)
def test_impossible_crops_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        ResizedRandomCrop(**options)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (500, 3)])
def test_tiny_images_are_cropped_too(size):
    assert ResizedRandomCrop(32, crop=28)(torch.zeros(3, *size, dtype=torch.uint8)).shape == (3, 28, 28)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (dict(type="Resize", size=None), "The step Resize of a pipeline does not work with its arguments: max_size"),
        (dict(type="Resize", size=["x", 1]), "A step of the test pipeline does not work .*expected size to be"),
        (dict(type="Resize", size=-1), "A step of the test pipeline does not work .*should be greater than 0"),
    ],
)
def test_what_torchvision_says_of_arguments_is_told_in_words(step, words):
    with pytest.raises(ConfigError, match=words):
        pipeline_to_predict([step])


def test_errors_of_a_transform_of_one_s_own_stay_its_own():
    class Mine(v2.Transform):
        def forward(self, *inputs):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        pipeline_to_predict([Mine()])
