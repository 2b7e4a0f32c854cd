"""Maps of an earlier stage go through the pipeline with their images; annotations are refused; groups are told."""

import numpy as np
import pytest
import torch
from PIL import Image

from wsolkit import ConfigError, DataError
from wsolkit.config.classes import fill_classes
from wsolkit.config.load import load_config
from wsolkit.datasets import collate_samples
from wsolkit.datasets.class_groups import read_class_groups
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.datasets.pseudo_maps import PseudoMaps, refuse_annotations
from wsolkit.features.dataset import photographs_of
from wsolkit.formats import ImageMaps, write_image_maps
from wsolkit.interfaces import Loss
from wsolkit.model.preprocess import ImagePreprocessor
from wsolkit.registry import LOSSES

PIPELINE = [
    {"type": "ResizedRandomCrop", "size": 40, "crop": 32, "interpolation": "nearest", "antialias": False},
    {"type": "RandomHorizontalFlip"},
    {"type": "ColorJitter", "brightness": 0.0},
]


def slope(height=60, width=80):
    """Return values that tell rows and columns apart, (H, W) in [0, 1]."""
    rows, columns = np.mgrid[:height, :width]
    return ((rows + 2 * columns) / (height + 2 * width)).astype(np.float32)


@pytest.fixture
def photos(tmp_path):
    """Write images that show their own maps in grey, and the maps of the stage ``maps``."""
    for name in ("owl/a", "owl/b", "wren/c"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(slope() * 255).astype(np.uint8)).convert("RGB").save(path)
        write_image_maps(tmp_path / "maps", f"{name}.png", ImageMaps({int(name > "p"): slope()}, (80, 60)))
    return tmp_path


def opened(photos, **options):
    return ImageFolder(str(photos / "photos"), **options)


def test_a_map_follows_its_image_through_a_random_pipeline(photos):
    data = opened(photos, pipeline=PIPELINE, pseudo_maps=str(photos / "maps"))
    seen = set()
    for epoch in range(6):
        data.set_epoch(epoch)
        sample = data[0]
        found, image = sample["extras"]["pseudo_maps"], sample["inputs"].float() / 255
        assert found.shape == (1, 32, 32)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found[0], image[0], atol=0.02, rtol=0)
        seen.add(round(float(found[0, 0, 0] - found[0, 0, -1]), 1) > 0)
    assert seen == {True, False}, "some are mirrored and some are not"


def test_a_batch_carries_the_maps_to_the_device(photos):
    data = opened(photos, pipeline=[{"type": "Resize", "size": (24, 24)}], pseudo_maps=str(photos / "maps"))
    batch = ImagePreprocessor()(collate_samples([data[0], data[1]]))
    assert batch["extras"]["pseudo_maps"].shape == (2, 1, 24, 24)
    assert "extras" not in opened(photos)[0]


def test_several_classes_of_an_image_become_the_largest_score(tmp_path):
    left, right = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)
    left[:, 0], left[0, 0], right[:, 3], right[0, 3] = 0.5, 0.25, 0.75, 0.5
    write_image_maps(tmp_path, "x", ImageMaps({0: left, 2: right}))
    maps = PseudoMaps(tmp_path, ["a", "b", "c"], ["x"])
    assert maps.of({"image_id": "x", "labels": [0, 2]}, (4, 4)).tolist() == np.maximum(left, right).tolist()
    assert maps.of({"image_id": "x", "labels": []}, (2, 2)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("name", ["boxes.json", "a.xml", "masks/a.png", "labels.txt"])
def test_files_of_annotations_are_refused(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    words = r"pseudo_maps are the score maps of a model: .* holds boxes, masks or labels, and a training never sees"
    for given in (path, path.parent):
        with pytest.raises(ConfigError, match=words):
            refuse_annotations(given)


def test_masks_in_arrays_are_refused_too(photos):
    mask = (slope() > 0.5).astype(np.float32)
    write_image_maps(photos / "maps", "owl/a.png", ImageMaps({0: mask}))
    with pytest.raises(DataError, match=r"The map of image 'owl/a.png' .* holds 0 and 1 alone: it is a mask"):
        opened(photos, pseudo_maps=str(photos / "maps"))[0]


def test_an_image_without_a_map_and_an_evaluation_are_refused(photos):
    (photos / "maps/maps/owl/b.png.npz").unlink()
    with pytest.raises(DataError, match=r"has no map of image 'owl/b.png'. Write those of the whole split"):
        opened(photos, pseudo_maps=str(photos / "maps"))
    with pytest.raises(ConfigError, match="pseudo_maps are for training, but the data set is of an evaluation"):
        opened(photos, pseudo_maps=str(photos / "maps"), test_mode=True)


def test_cached_features_have_no_pseudo_maps(photos):
    with pytest.raises(ConfigError, match="feature_cache gives images without the pseudo_maps"):
        photographs_of(opened(photos, pseudo_maps=str(photos / "maps")))


def test_groups_of_classes_by_hand(tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text('wren,small,singers\n"owl, great",large,hunters\n\nkite,large,hunters\nemu,large,runners\n')
    assert read_class_groups(table, ["owl, great", "wren", "kite"]) == [[0, 1, 0], [0, 1, 0]]
    assert read_class_groups(table, ["emu", "wren", "kite"]) == [[0, 1, 0], [0, 1, 2]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "wren,small\nowl\n",
            r"line 2: expected a class and its groups .* as many as in the other lines, but got 'owl'",
        ),
        ("wren,small\nowl,large,hunters\n", "line 2: expected a class and its groups"),
        ("wren,small\nwren,large\n", "line 2: class 'wren' is there twice. Remove one."),
        ("wren,small\nowls,large\n", "has no line of class 'owl'. Did you mean 'owls'?"),
        ("wren,\n", "line 1: expected a class and its groups"),
    ],
)
def test_a_wrong_table_of_groups_names_the_line(tmp_path, text, words):
    table = tmp_path / "groups.csv"
    table.write_text(text)
    with pytest.raises(DataError, match=words):
        read_class_groups(table, ["wren", "owl"])


class Grouped(Loss):
    """Asks for the groups of the classes."""

    def __init__(self, class_groups: list | None = None) -> None:
        super().__init__()
        self.class_groups = class_groups

    def forward(self, activation, batch):
        return activation.maps.mean()


def test_a_part_is_told_the_groups_of_the_data(photos):
    (photos / "photos/groups.csv").write_text("owl,birds,hunters\nwren,birds,singers\n")
    LOSSES.register_module(name="Grouped", module=Grouped, force=True)
    try:
        options = {
            "model.losses": [{"type": "CrossEntropy"}, {"type": "Grouped"}],
            "data_root": str(photos / "photos"),
            "train_dataloader.dataset.class_groups": "groups.csv",
        }
        config = fill_classes(load_config("cam_folder", options))
        assert config.model.losses[1].class_groups == [[0, 0], [0, 1]]
        assert list(config.classes) == ["owl", "wren"]
        without = fill_classes(load_config("cam_folder", {**options, "train_dataloader.dataset.class_groups": None}))
        assert "class_groups" not in without.model.losses[1]
    finally:
        del LOSSES.module_dict["Grouped"]
