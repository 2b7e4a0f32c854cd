"""What is written is read by the libraries that train on it: torchvision's data set and detector, supervision's YOLO.

supervision (MIT) is no dependency: its test is skipped where it is not installed.
"""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign
from torchvision.transforms import v2

from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.formats.export import Export
from wsolkit.formats.found_boxes import FoundBox, ImageResult
from wsolkit.formats.writers import write_results
from wsolkit_scenes import SyntheticParts


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Scenes whose true boxes are written as found ones, in COCO's and YOLO's form, with copies of the pictures."""
    folder = tmp_path_factory.mktemp("found")
    photos = SyntheticParts(num_images=12, num_classes=3, image_size=64).export(folder / "photos", boxes=True)
    dataset = ImageFolder(str(photos), "all", boxes="boxes.json", load_targets=True, test_mode=True)
    results = []
    for index in range(len(dataset)):
        record, targets = dataset.record(index), dataset[index]["targets"]
        boxes = [
            FoundBox(tuple(box), label, dataset.classes[label], 0.9, 0.8)
            for box, label in zip(targets.boxes.tolist(), targets.box_labels.tolist(), strict=True)
        ]
        results.append(ImageResult(record["image_id"], record["image_path"], (64, 64), boxes))
    write_results(results, folder, dataset.classes, ["coco"])
    return folder, photos, dataset.classes, {each.image_id: each for each in results}


def small_detector(num_classes):
    """Return torchvision's Faster R-CNN on a backbone of one layer: the other sizes take seconds a step."""
    backbone = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 4, stride=4), torch.nn.ReLU())
    backbone.out_channels = 16
    return FasterRCNN(
        backbone,
        min_size=64,
        max_size=64,
        rpn_anchor_generator=AnchorGenerator(((8, 16, 32),), ((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(["0"], 4, 2),
        box_head=TwoMLPHead(16 * 16, 32),
        box_predictor=FastRCNNPredictor(32, num_classes),
        rpn_post_nms_top_n_train=50,
    )


def test_a_detector_of_torchvision_learns_from_dataset_json(written):
    folder, photos, classes, results = written
    plain = CocoDetection(str(photos), str(folder / "dataset.json"), transforms=v2.ToDtype(torch.float32, scale=True))
    dataset = wrap_dataset_for_transforms_v2(plain, target_keys=("boxes", "labels", "image_id"))
    assert len(dataset) == 12
    for index in range(3):
        _, target = dataset[index]
        found = results[plain.coco.loadImgs(target["image_id"])[0]["file_name"]].boxes
        np.testing.assert_allclose(target["boxes"], [each.box for each in found], atol=0.01)
        assert target["labels"].tolist() == [each.class_index + 1 for each in found]
    torch.manual_seed(0)
    model = small_detector(len(classes) + 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(20):
        images, targets = zip(*(dataset[index] for index in range(1)), strict=True)
        inputs = [v2.functional.to_dtype(v2.functional.to_image(image), scale=True) for image in images]
        loss = sum(model(inputs, list(targets)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.2


def test_the_yolo_folder_is_read_by_supervision(written):
    folder, _, classes, results = written
    supervision = pytest.importorskip("supervision", reason="supervision is not installed; it reads YOLO's folders")
    flat = [replace(each, image_id=name.rpartition("/")[2]) for name, each in results.items()]  # it reads no subfolders
    write_results(flat, folder, classes, ["yolo"], export=Export(copy_images=True, val_share=0.25))
    root = folder / "yolo"
    lists = {name: (root / f"{name}.txt").read_text().split() for name in ("train", "val")}
    assert sum(map(len, lists.values())) == 12
    assert lists["val"]
    assert not set(lists["train"]) & set(lists["val"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = supervision.DetectionDataset.from_yolo(
            images_directory_path=str(root / "images"),
            annotations_directory_path=str(root / "labels"),
            data_yaml_path=str(root / "data.yaml"),
        )
    assert found.classes == list(classes)
    assert len(found) == 12
    by_name = {each.image_id: each for each in flat}
    for path, image, detections in found:
        true = by_name[path.rpartition("/")[2]]
        assert image.shape == (64, 64, 3)
        np.testing.assert_allclose(detections.xyxy, [each.box for each in true.boxes], atol=0.01)
        assert detections.class_id.tolist() == [each.class_index for each in true.boxes]
