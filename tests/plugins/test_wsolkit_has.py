"""Hide-and-Seek: masks by a loop over pixels, how often cells are hidden, sizes drawn, and a training step."""

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import ConfigError
from wsolkit.config.load import load_config
from wsolkit.registry import MODIFIERS
from wsolkit_has import HideAndSeek, grid_mask


@pytest.mark.parametrize(("cell", "size"), [(4, (8, 12)), (5, (12, 11)), (16, (9, 9))])
def test_the_mask_by_a_loop_over_pixels(cell, size):
    rows, columns = -(-size[0] // cell), -(-size[1] // cell)
    hidden = torch.rand(rows, columns, generator=torch.Generator().manual_seed(0)) < 0.5
    found = grid_mask(hidden, cell, size)
    assert found.shape == size
    for row in range(size[0]):
        for column in range(size[1]):
            assert found[row, column] == hidden[row // cell, column // cell]


def test_cells_are_hidden_whole_in_all_channels_and_half_of_them():
    torch.manual_seed(0)
    modifier = HideAndSeek(sizes=(4,)).train()
    images = torch.ones(16, 3, 32, 32)
    found = modifier(images)
    cells = found.view(16, 3, 8, 4, 8, 4).transpose(3, 4).flatten(4)  # (B, 3, 8, 8, 16)
    assert (cells == cells[..., :1]).all()
    assert (found == found[:, :1]).all()
    assert float(found.mean()) == pytest.approx(0.5, abs=0.05)
    assert modifier.scalars()["hidden"] == pytest.approx(1 - float(found.mean()), abs=1e-6)
    assert not torch.equal(found[0], found[1])
    assert images.min() == 1


def test_a_size_is_drawn_for_each_image():
    torch.manual_seed(0)
    found = HideAndSeek(sizes=(0, 16), hide_prob=1.0).train()(torch.ones(40, 3, 32, 32))
    share = found.flatten(1).mean(1)
    assert set(share.tolist()) == {0.0, 1.0}
    assert 10 <= int(share.sum()) <= 30


def test_evaluation_sees_whole_images():
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(HideAndSeek().eval()(images), images)


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"sizes": ()}, "pixels of at least 0"), ({"sizes": (-4,)}, "Try"), ({"hide_prob": 2}, "hide_prob")],
)
def test_settings_out_of_range_are_refused(setting, words):
    with pytest.raises(ConfigError, match=words):
        HideAndSeek(**setting)


def test_the_configuration_for_birds_takes_a_step():
    model, losses = loss_step("has_lite0_birds50", options={"model.modifiers.0.sizes": [16]})
    assert [type(each).__name__ for each in model.image_modifiers] == ["HideAndSeek"]
    cells = 2 * 16 * float(losses["image.0/hidden"])  # of two images of 64 x 64 pixels
    assert cells == int(cells)
    assert 0 < cells < 32


def test_the_configurations_have_the_papers_sizes():
    (given,) = load_config("has_vgg16_cub").model.modifiers
    assert given == load_config("has_resnet50_ilsvrc").model.modifiers[0]
    built = MODIFIERS.build({key: value for key, value in given.items() if key != "at"})
    assert (built.sizes, built.hide_prob) == ((0, 16, 32, 44, 56), 0.5)
