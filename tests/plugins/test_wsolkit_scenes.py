from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as rle

from wsolkit.config.load_model import pipeline_of
from wsolkit.datasets.decode import read_image
from wsolkit.errors import ConfigError, DataError
from wsolkit_scenes import synthetic
from wsolkit_scenes.synthetic import SyntheticParts, export_folder


def small(**options) -> SyntheticParts:
    return SyntheticParts(**{"num_images": 12, "num_classes": 4, "image_size": 64} | options)


def test_a_training_sample_sees_no_targets():
    sample = small()[0]
    assert sample["inputs"].dtype == torch.uint8
    assert sample["inputs"].shape == (3, 64, 64)
    assert sample["labels"].dtype == torch.int64
    assert sample["labels"].shape == ()
    assert set(sample) == {"inputs", "labels", "image_ids"}


def test_targets_are_the_scene_s():
    dataset = small(load_targets=True, image_size=(80, 64))
    for index in range(4):
        sample, scene = dataset[index], dataset.scene(index)
        targets = sample["targets"]
        assert targets.size == (80, 64)
        assert (targets.boxes == scene.boxes).all()
        assert targets.boxes.dtype == np.float32
        assert targets.box_labels.tolist() == [sample["labels"].item()]
        assert (targets.mask == scene.mask).all()
        assert not targets.difficult.any()
        assert (sample["inputs"].numpy() == scene.image.transpose(2, 0, 1)).all()


def test_one_rendering_serves_image_and_targets(monkeypatch):
    calls = []
    render = synthetic.render_scene
    monkeypatch.setattr(synthetic, "render_scene", lambda *key: calls.append(key) or render(*key))
    dataset = small(load_targets=True)
    assert calls == [], "labels are known without rendering"
    dataset[3]
    assert len(calls) == 1


def test_changing_a_sample_does_not_change_the_next():
    dataset = small(load_targets=True)
    first = dataset[0]
    before = first["inputs"].clone()
    first["inputs"].zero_()
    first["targets"].boxes[:] = 0
    first["targets"].mask[:] = 0
    again = dataset[0]
    assert (again["inputs"] == before).all()
    assert again["targets"].boxes.any()
    assert again["targets"].mask.any()


@pytest.mark.slow
def test_splits_share_no_image_and_order_does_not_matter():
    train, val = small(), small(split="val")
    assert train[0]["image_ids"] == "train/00000"
    assert val[11]["image_ids"] == "val/00011"
    forwards = [train[index]["inputs"] for index in range(12)]
    backwards = [small(num_images=40)[index]["inputs"] for index in reversed(range(12))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    for index in range(12):
        other = val[index]["inputs"]
        assert not any(torch.equal(other, image) for image in forwards)


def test_indices_keep_their_scenes_and_copies_their_images():
    whole, part = small(), small(indices=[5, 7])
    assert len(part) == 2
    assert part[1]["image_ids"] == "train/00007"
    assert torch.equal(part[1]["inputs"], whole[7]["inputs"])
    assert torch.equal(pickle.loads(pickle.dumps(whole))[3]["inputs"], whole[3]["inputs"])


def test_classes_are_balanced():
    dataset = small(num_images=14)
    counts = np.bincount([dataset.record(index)["labels"][0] for index in range(14)])
    assert counts.min() >= 3
    assert counts.sum() == 14
    assert dataset.classes == ("ring-red", "star-blue", "cross-yellow", "fan-red")


def test_multi_label_vectors_agree_with_the_boxes():
    dataset = small(multi_label=True, load_targets=True, num_classes=6, image_size=96)
    assert dataset.metainfo["multi_label"]
    several = 0
    for index in range(8):
        sample = dataset[index]
        assert sample["labels"].shape == (6,)
        assert torch.nonzero(sample["labels"]).flatten().tolist() == sorted(set(sample["targets"].box_labels.tolist()))
        assert 2 <= len(sample["targets"].boxes) <= 4
        several += int(sample["labels"].sum() > 1)
    assert several > 0
    assert not small().metainfo["multi_label"]


def test_targets_go_through_the_pipeline():
    flip = {"type": "RandomHorizontalFlip", "p": 1.0}
    dataset = small(load_targets=True, transform_targets=True, pipeline=[flip])
    sample = dataset[2]
    x0, y0, x1, y1 = sample["targets"].boxes[0].tolist()
    assert sample["boxes"].tolist() == [[64 - x1, y0, 64 - x0, y1]]
    assert (sample["masks"].numpy()[:, ::-1] == sample["targets"].mask).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"split": "vla"}, "no split 'vla'. Did you mean 'val'"),
        ({"num_classes": 40}, "1 to 12, but got 40"),
        ({"objects": (2, 3)}, "needs multi_label=True"),
        ({"image_size": (64,)}, "image_size should be two values"),
        ({"seed": -1}, "seed 0 or more"),
        ({"num_images": 0}, "num_images should be 1 or more"),
    ],
)
def test_errors_say_what_was_given(wrong, words):
    with pytest.raises(ConfigError, match=words):
        small(**wrong)


def test_export_reads_back(tmp_path):
    dataset = small(split="val", load_targets=True, num_images=6)
    folder = export_folder(dataset, tmp_path / "deep" / "val")
    table = json.loads((folder / "boxes.json").read_text())
    assert [category["name"] for category in table["categories"]] == list(dataset.classes)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(dataset.classes)
    for index, (image, annotation) in enumerate(zip(table["images"], table["annotations"], strict=True)):
        sample = dataset[index]
        assert image["file_name"] == f"{dataset.classes[sample['labels']]}/{index:05d}.png"
        assert torch.equal(read_image(folder / image["file_name"]), sample["inputs"])
        x, y, width, height = annotation["bbox"]
        assert [x, y, x + width, y + height] == sample["targets"].boxes[0].tolist()
        assert annotation["image_id"] == image["id"]
        assert annotation["category_id"] == sample["labels"] + 1
        assert (rle.decode(annotation["segmentation"]) == (sample["targets"].mask > 0)).all()
    assert [path.name for path in folder.parent.iterdir()] == ["val"], "a draft is left behind"


def test_the_data_set_exports_itself(tmp_path):
    folder = small(num_images=2).export(tmp_path / "out", boxes=True, suffix=".jpg")
    assert len(list(folder.rglob("*.jpg"))) == 2
    assert (folder / "boxes.json").exists()


@pytest.mark.parametrize(("settings", "size"), [({}, (128, 128)), ({"image_size": 96}, (96, 96))])
def test_images_from_elsewhere_are_brought_to_the_size_of_the_scenes(settings, size):
    config = {"test_dataloader": {"dataset": {"type": "SyntheticParts", "pipeline": [], **settings}}}
    assert pipeline_of(config)[0] == [{"type": "Resize", "size": size, "antialias": True}]


def test_training_export_has_no_boxes(tmp_path):
    (tmp_path / "train").mkdir()
    folder = export_folder(small(num_images=4), tmp_path / "train", suffix=".jpg")
    assert not (folder / "boxes.json").exists()
    files = sorted(folder.rglob("*.jpg"))
    assert len(files) == 4
    with Image.open(files[0]) as picture:
        assert picture.format == "JPEG"


def test_multi_label_export(tmp_path):
    dataset = small(num_images=3, multi_label=True)
    with pytest.raises(ConfigError, match="boxes=False"):
        export_folder(dataset, tmp_path / "out", boxes=False)
    table = json.loads((export_folder(dataset, tmp_path / "out") / "boxes.json").read_text())
    assert [image["file_name"] for image in table["images"]] == [f"images/0000{index}.png" for index in range(3)]
    ids = [annotation["id"] for annotation in table["annotations"]]
    assert ids == list(range(1, sum(len(dataset.scene(index).boxes) for index in range(3)) + 1))


def test_export_leaves_a_full_folder_alone_and_nothing_half_done(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="holds something already"):
        export_folder(small(), tmp_path / "full")
    with pytest.raises(ConfigError, match="suffix"):
        export_folder(small(), tmp_path / "new", suffix=".bmp")
    monkeypatch.setattr(synthetic.cv2, "imencode", lambda *_: (False, None))
    with pytest.raises(DataError, match="cannot be encoded"):
        export_folder(small(), tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
