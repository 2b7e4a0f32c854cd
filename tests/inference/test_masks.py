"""Masks through prediction: in results, in part files, in every format, resumed, and only where they are asked for."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.support.colours import colour_model, colour_predictor, scene
from wsolkit.components.refiners.map_masks import MapMasks
from wsolkit.errors import ConfigError
from wsolkit.formats.coco_outlines import painted
from wsolkit.inference.photos import refine_boxes
from wsolkit.inference.pixels import batches_of
from wsolkit.inference.to_folder import predict_to_folder
from wsolkit.interfaces import Refined, Refiner, ScoredBoxes
from wsolkit.registry import REFINERS

BOX = (16, 8, 80, 40)
TRUTH = np.zeros((64, 128), bool)
TRUTH[8:40, 16:80] = True


def run(predictor, photos, out, **options):
    settings = {"formats": ["coco"], "chunk_size": 2, "num_workers": 0}
    return predict_to_folder(predictor, [photos], out, **{**settings, **options})


def test_every_box_gets_a_mask_in_pixels_of_the_photograph(predictor, tmp_path):
    predictor.masks = True
    Image.fromarray(scene(BOX)).save(tmp_path / "a.png")
    for given in (scene(BOX), tmp_path / "a.png"):
        (found,) = predictor(given)[0].boxes
        assert found.box == BOX
        assert found.mask.size == (128, 64)
        assert (found.mask.inside() == TRUTH).mean() > 0.98
    predictor.masks = False
    assert predictor(scene(BOX))[0].boxes[0].mask is None


def test_batches_without_photographs_have_them_read_again(predictor, tmp_path):
    Image.fromarray(scene(BOX)).save(tmp_path / "a.png")
    predictor.masks = True
    (whole,) = predictor(tmp_path / "a.png")
    batches = batches_of(tmp_path / "a.png", predictor.transform, predictor.input_size, 1)
    ((_, (again,)),) = predictor.run(batches, None, predictor.categories(), None)
    assert again.boxes == whole.boxes


def test_masks_travel_into_the_files(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out", masks=True)
    results = json.loads((tmp_path / "out" / "boxes.json").read_text())
    images = {each["id"]: each for each in json.loads((tmp_path / "out" / "dataset.json").read_text())["images"]}
    assert len(results) == 7
    for each in results:
        size = (images[each["image_id"]]["width"], images[each["image_id"]]["height"])
        x, y, width, height = (round(side) for side in each["bbox"])
        inside = painted(each["segmentation"], size)
        assert inside[y : y + height, x : x + width].mean() > 0.9
        assert inside.sum() < 1.2 * width * height


@pytest.mark.parametrize("name", ["yolo-seg", "masks"])
def test_a_format_of_masks_asks_for_them(name, predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out", formats=["coco", name])
    assert all("segmentation" in each for each in json.loads((tmp_path / "out" / "boxes.json").read_text()))
    assert (tmp_path / "out" / name).is_dir()
    assert not predictor.masks


def test_a_run_with_masks_goes_on_and_one_without_is_another(predictor, photos, tmp_path):
    run(predictor, photos, tmp_path / "out", masks=True)
    before = (tmp_path / "out" / "boxes.json").read_bytes()
    assert run(predictor, photos, tmp_path / "out", masks=True).computed == 0
    assert (tmp_path / "out" / "boxes.json").read_bytes() == before
    with pytest.raises(ConfigError, match="refiner was .*DenseCRFRefiner.* and is None now"):
        run(predictor, photos, tmp_path / "out")


@REFINERS.register_module(force=True)
class RightHalf(Refiner):
    """The right half of each box, as mask and as box; notes what it is handed."""

    def __init__(self, side=32):
        super().__init__(side)

    def __call__(self, image, score_map, boxes, threshold):
        RightHalf.seen = image.shape, score_map.shape, threshold
        masks = np.zeros((len(boxes.boxes), *score_map.shape), bool)
        halves = boxes.boxes.copy()
        halves[:, 0] = halves[:, [0, 2]].mean(axis=1)
        for mask, (x0, y0, x1, y1) in zip(masks, halves.round().astype(int), strict=True):
            mask[y0:y1, x0:x1] = True
        return Refined(masks, ScoredBoxes(halves, boxes.scores))


def test_the_refiner_of_the_configuration_is_used_at_its_side():
    predictor = colour_predictor(model=colour_model(refiner={"type": "RightHalf"}), masks=True)
    (found,) = predictor(scene(BOX))[0].boxes
    assert RightHalf.seen == ((16, 32, 3), (16, 32), 0.5)
    assert found.box == (48, 8, 80, 40)
    inside = found.mask.inside()
    assert inside[8:40, 48:80].mean() > 0.9
    assert not inside[:, :44].any()


def test_boxes_that_a_refiner_leaves_alone_are_not_rounded():
    boxes = ScoredBoxes(np.array([[3, 5, 10, 11]], np.float32), np.ones(1, np.float32))
    score_map = np.zeros((20, 20), np.float32)
    score_map[5:11, 3:10] = 1
    photo = np.zeros((33, 47, 3), np.uint8)
    found, masks = refine_boxes(MapMasks(), photo, (470, 330), score_map, boxes, 0.5)
    assert found[0].tolist() == [70.5, 82.5, 235.0, 181.5]
    assert masks[0].size == (470, 330)
    inside = masks[0].inside()
    assert 0.8 < inside.sum() / (164.5 * 99) < 1.2
