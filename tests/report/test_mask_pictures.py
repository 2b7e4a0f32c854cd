"""Masks of runs beside the true one: which images, the IoU under them, and the colours over the photo."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from wsolkit import ConfigError, DataError
from wsolkit.formats.masks import write_index_mask
from wsolkit.report.comparison import compare_runs
from wsolkit.report.comparison_page import write_comparison
from wsolkit.report.evaluation_file import evaluation_of
from wsolkit.report.mask_pictures import image_iou, mask_cards, mask_names
from wsolkit.report.pictures import PictureSource

SIZE = (30, 40)


def square(columns, label=1):
    mask = np.zeros(SIZE, np.uint8)
    mask[10:20, :columns] = label
    return mask


@pytest.fixture
def masks(tmp_path):
    """Write masks of two runs and the true ones of four images, the fourth of which one run lacks."""
    widths = {"true": (20, 20, 20, 20), "one": (20, 10, 18, 20), "two": (20, 20, 5)}
    for kind, columns in widths.items():
        for number, width in enumerate(columns):
            folder = tmp_path / kind / ("masks" if kind == "one" else ".") / "cats"
            folder.mkdir(parents=True, exist_ok=True)
            write_index_mask(folder / f"{number}.png", square(width))
    return tmp_path


def iou_by_hand(width):
    inside = 10 * min(width, 20)
    union = 10 * max(width, 20)
    background = 30 * 40 - union
    return (inside / union + background / (30 * 40 - inside)) / 2


def test_images_on_which_masks_differ_come_first_with_their_ious(masks):
    source = PictureSource(None)
    found = mask_cards([masks / "one", masks / "two"], masks / "true", source)
    assert [card.name for card in found] == ["cats/2", "cats/1", "cats/0"]
    assert found[0].ious == pytest.approx((iou_by_hand(18), iou_by_hand(5)))
    assert found[1].ious == pytest.approx((iou_by_hand(10), 1))
    assert found[2].ious == (1, 1)
    without = mask_cards([masks / "one", masks / "two"], None, source)
    assert [(card.truth, card.ious) for card in without] == [(None, (None, None))] * 3
    assert [card.name for card in mask_cards([masks / "one", masks / "two"], masks / "true", source, 1)] == ["cats/2"]
    assert mask_names(masks / "two") == ["cats/0", "cats/1", "cats/2"]


def test_the_iou_of_an_image_counts_the_classes_of_either_mask_and_not_what_is_not_judged():
    truth = np.array([[0, 0, 3, 3, 255, 255]])
    assert image_iou(np.array([[0, 3, 3, 3, 5, 5]]), truth) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert image_iou(np.array([[0, 7, 3, 3, 0, 0]]), truth) == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert image_iou(np.zeros((2, 2), np.uint8), np.full((2, 2), 255)) is None


def test_colours_lie_over_the_photo_where_the_mask_is(masks, make, tmp_path):
    root = tmp_path / "photos"
    (root / "cats").mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (80, 60), (100, 100, 100)).save(root / "cats" / f"{number}.jpg")
    comparison = compare_runs([evaluation_of(make.content(name), f"{name}/results.json") for name in "AB"])
    folders = [masks / "one", masks / "two"]
    page = write_comparison(tmp_path / "out", comparison, root, masks=folders, true_masks=masks / "true")[0]
    html = page.read_text("utf-8")
    assert html.count('<div class="masks">') == 3
    assert html.count("<figcaption>true mask") == 3
    assert f'A <span class="quiet">IoU {iou_by_hand(18):.2f}' in html
    first = html.split('<div class="masks">')[1]
    pictures = [
        np.asarray(Image.open(BytesIO(base64.b64decode(data)))).astype(int)
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', first)
    ]
    assert [picture.shape for picture in pictures] == [(255, 340, 3)] * 4
    photo, truth, one, two = pictures
    assert abs(photo - 100).max() < 8
    for picture, width in ((truth, 20), (one, 18), (two, 5)):
        red = picture[128, :, 0] - picture[128, :, 1] > 40
        assert abs(red.sum() - 340 * width / 40) < 6
        assert abs(picture[20] - 100).max() < 12
    with pytest.raises(ConfigError, match="masks should be a folder for each of the 2 runs, but got 1"):
        write_comparison(tmp_path / "out", comparison, root, masks=folders[:1])


def test_folders_without_a_common_image_are_told_with_what_they_hold(masks):
    write_index_mask(masks / "other.png", square(3))
    (masks / "lone").mkdir()
    (masks / "other.png").rename(masks / "lone" / "other.png")
    with pytest.raises(DataError, match=r"No image has a mask in every folder.*lone: 'other'; .*true: 'cats/0'"):
        mask_cards([masks / "lone"], masks / "true", PictureSource(None))
    with pytest.raises(DataError, match="There is no folder of masks .*nowhere. Give one with a PNG file for each"):
        mask_cards([masks / "nowhere"], None, PictureSource(None))
