"""CutMix: boxes, pasting and labels against loops over pixels, what is drawn, and a training step."""

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import Batch, ConfigError, ShapeError
from wsolkit.config.load import load_config
from wsolkit.registry import MODELS
from wsolkit_cutmix import CutMix, cut_box, mix_labels, paste


def inside(box, row, column):
    return box[0] <= row < box[2] and box[1] <= column < box[3]


@pytest.mark.parametrize(
    ("share", "centre", "expected"),
    [
        (0.75, (4, 6), (2, 3, 6, 9)),  # sides 8 * .5 and 12 * .5
        (0.75, (0, 11), (0, 8, 2, 12)),  # cut off at the corner
        (1.0, (3, 3), (3, 3, 3, 3)),  # nothing
        (0.0, (4, 6), (0, 0, 8, 12)),  # everything
        (0.5, (4, 6), (2, 2, 6, 10)),  # 5.66 and 8.49 become 5 // 2 = 2 and 8 // 2 = 4 on each side
    ],
)
def test_boxes_by_hand(share, centre, expected):
    assert cut_box(share, (8, 12), centre) == expected


def test_pasting_by_a_loop_over_pixels():
    maps = torch.randn(3, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    order, box = torch.tensor([2, 0, 1]), (1, 2, 4, 5)
    found = paste(maps, order, box)
    for image in range(3):
        for row in range(5):
            for column in range(6):
                source = int(order[image]) if inside(box, row, column) else image
                assert torch.equal(found[image, :, row, column], maps[source, :, row, column])


def test_several_labels_of_an_image_are_mixed_as_well():
    labels = torch.tensor([[1.0, 1, 0], [0, 0, 1]])
    assert mix_labels(labels, torch.tensor([1, 0]), 0.5, 3).tolist() == [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    assert mix_labels(labels[:0], torch.tensor([], dtype=torch.long), 0.5, 3).shape == (0, 3)


@pytest.mark.parametrize("labels", [torch.tensor([0, 3]), torch.eye(4)[:2]])
def test_labels_of_other_classes_are_refused(labels):
    with pytest.raises(ShapeError, match=r"CutMix mixes labels of 3 classes, but got .* Leave its num_classes out"):
        mix_labels(labels, torch.tensor([1, 0]), 0.5, 3)


def test_labels_tell_which_part_of_the_pixels_is_whose():
    torch.manual_seed(0)
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 20, 30)  # an image is filled with its number
    batch = Batch(
        images, torch.tensor([3, 2, 1, 0]), list("abcd"), extras={"maps": images[:, :1], "ids": torch.ones(4)}
    )
    shares = []
    for _ in range(20):
        found = CutMix(4)(batch)
        for image in range(4):
            counted = torch.zeros(4)
            for number in range(4):
                counted[3 - number] = (found.images[image, 0] == number).float().mean()
            torch.testing.assert_close(found.labels[image], counted)
        assert torch.equal(found.extras["maps"], found.images[:, :1])
        assert found.extras["ids"] is batch.extras["ids"]
        shares.append(float(found.labels[0, 3]))
    assert min(shares) < 0.4
    assert max(shares) > 0.9
    assert torch.equal(batch.images, images)


def test_prob_chooses_batches_and_labels_are_rows_in_any_case():
    torch.manual_seed(0)
    batch = Batch(torch.randn(2, 3, 8, 8), torch.tensor([0, 1]))
    never = CutMix(2, prob=0.0)(batch)
    assert torch.equal(never.images, batch.images)
    assert never.labels.tolist() == [[1, 0], [0, 1]]
    changed = [not torch.equal(CutMix(2, prob=0.5, beta=8.0)(batch).images, batch.images) for _ in range(60)]
    assert 8 <= sum(changed) <= 32  # a half of them, of which a half keep the order of two images
    with pytest.raises(ShapeError, match="CutMix mixes labels, but the batch has none"):
        CutMix(2)(Batch(batch.images))


@pytest.mark.parametrize(("setting", "words"), [({"prob": 1.5}, "prob"), ({"beta": 0}, "beta")])
def test_settings_out_of_range_are_refused(setting, words):
    with pytest.raises(ConfigError, match=words):
        CutMix(2, **setting)


def test_the_configuration_for_birds_takes_a_step():
    model, losses = loss_step("cutmix_lite0_birds50")
    assert [type(each).__name__ for each in model.batch_transforms] == ["CutMix"]
    assert model.batch_transforms[0].num_classes == 3
    assert float(losses["loss_cross_entropy"].detach()) > 0


def test_a_configuration_of_cub_builds_its_transform():
    transforms = load_config("cutmix_vgg16_cub").model.batch_transforms
    assert transforms == load_config("cutmix_resnet50_ilsvrc").model.batch_transforms
    head, trunk = {"type": "LinearHead", "num_classes": 200}, {"type": "TimmBackbone", "name": "test_resnet"}
    told = [{**each, "num_classes": 200} for each in transforms]
    built = MODELS.build({"type": "Localizer", "backbone": trunk, "head": head, "batch_transforms": told})
    assert (built.batch_transforms[0].prob, built.batch_transforms[0].beta) == (1.0, 1.0)
