"""F-CAM: seeds, affinities, energy and barrier against loops and hand-worked numbers, the decoder, a training step."""

import math
from pathlib import Path

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import Activation, Batch, ConfigError
from wsolkit.cli.main import main
from wsolkit.config.load import load_config
from wsolkit.registry import HEADS
from wsolkit_fcam import (
    BothPresent,
    ColourAffinity,
    PixelDecoder,
    PixelSeeds,
    affinities,
    draw_seeds,
    log_barrier,
    pairwise_energy,
)


def pixels(logits, images=None, maps=None):
    """Return an activation with these logits (B, 2, h, w), and its batch."""
    activation = Activation(logits.softmax(1)[:, 1:], None, None, {"pixel_logits": logits})
    images = torch.zeros(len(logits), 3, *logits.shape[-2:]) if images is None else images
    return activation, Batch(images, extras={} if maps is None else {"pseudo_maps": maps})


def test_seeds_come_from_the_strongest_and_the_weakest_pixels():
    torch.manual_seed(0)
    maps = torch.arange(20.0).view(1, 4, 5) / 20
    for _ in range(30):
        seeds = draw_seeds(maps, count=2, strong=0.25, weak=0.5).flatten()
        foreground, background = (seeds == 1).nonzero().flatten(), (seeds == 0).nonzero().flatten()
        assert len(foreground) == len(background) == 2
        assert foreground.min() >= 15
        assert background.max() <= 9


def test_stronger_pixels_are_drawn_more_often():
    torch.manual_seed(0)
    maps = torch.tensor([0.9, 0.3, 0.0, 0.0]).view(1, 1, 4).expand(400, 1, 4)
    seeds = draw_seeds(maps, count=1, strong=0.5, weak=0.5)[:, 0]
    assert float((seeds[:, 0] == 1).float().mean()) == pytest.approx(0.75, abs=0.08)
    assert float((seeds[:, 2] == 0).float().mean()) == pytest.approx(0.5, abs=0.08)


def test_a_map_of_one_value_gives_no_seeds():
    maps = torch.stack([torch.zeros(3, 3), torch.ones(3, 3), torch.eye(3)])
    assert [(seeds >= 0).any().item() for seeds in draw_seeds(maps, 1, 0.3, 0.3)] == [False, False, True]


def test_the_loss_of_the_seeds_by_hand():
    logits = torch.tensor([[0.0, 1.0, 3.0, -1.0], [2.0, 0.0, 0.0, 1.0]]).view(1, 2, 1, 4)
    maps = torch.tensor([1.0, 0.6, 0.5, 0.0]).view(1, 1, 1, 4)  # one pixel is strongest, one is weakest
    found = PixelSeeds(strong=0.25, weak=0.25)(*pixels(logits, maps=maps))
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 2
    assert float(found) == pytest.approx(expected, abs=1e-6)
    assert float(PixelSeeds()(*pixels(logits, maps=torch.zeros(1, 1, 1, 4)))) == 0


def test_a_data_set_without_pseudo_maps_and_a_head_without_pixels_are_refused():
    with pytest.raises(ConfigError, match=r"the data set gives none. Name their folder in train_dataloader\.dataset"):
        PixelSeeds()(*pixels(torch.zeros(1, 2, 4, 4)))
    plain = Activation(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3))
    for loss in (PixelSeeds(), ColourAffinity(), BothPresent()):
        with pytest.raises(ConfigError, match=f"{type(loss).__name__} needs the extra 'pixel_logits'"):
            loss(plain, Batch(torch.zeros(1, 3, 4, 4)))


def test_affinities_and_energy_by_loops_over_pairs():
    generator = torch.Generator().manual_seed(0)
    image, kinds = torch.rand(3, 3, 4, generator=generator), torch.rand(2, 12, generator=generator)
    kernel = affinities(image, reach=2.0, colour=0.3)
    energy = total = 0.0
    for i in range(12):
        for j in range(12):
            far = (i // 4 - j // 4) ** 2 + (i % 4 - j % 4) ** 2
            other = float((image[:, i // 4, i % 4] - image[:, j // 4, j % 4]).square().sum())
            weight = math.exp(-far / (2 * 2.0**2) - other / (2 * 0.3**2)) if i != j else 0.0
            assert float(kernel[i, j]) == pytest.approx(weight, abs=1e-5)
            total += weight
            energy += sum(float(kind[i]) * weight * (1 - float(kind[j])) for kind in kinds)
    assert float(pairwise_energy(kinds, kernel)) == pytest.approx(energy / total, abs=1e-5)


def test_the_energy_is_lower_where_edges_of_map_and_image_agree():
    images = torch.zeros(1, 3, 28, 28)
    images[..., 14:] = 2.0
    along, across = torch.full((2, 1, 2, 28, 28), -6.0)
    along[:, 0, :, :14], along[:, 1, :, 14:] = 6.0, 6.0
    across[:, 0, :14], across[:, 1, 14:] = 6.0, 6.0
    loss = ColourAffinity()
    same, other = (float(loss(*pixels(each, images))) for each in (along, across))
    assert same < 0.02 < 0.2 < other


def test_the_barrier_by_hand_and_its_tangent():
    values = torch.tensor([-0.5, -0.25, 0.0, 1.0])
    edge = -math.log(0.25) / 2  # at -1 / 4 for t = 2
    expected = [-math.log(0.5) / 2, edge, edge + 2 * 0.25, edge + 2 * 1.25]
    assert log_barrier(values, 2.0).tolist() == pytest.approx(expected, abs=1e-6)


def test_a_kind_that_vanishes_costs_more_than_one_that_does_not():
    balanced, gone = torch.zeros(1, 2, 4, 4), torch.tensor([8.0, -8.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    activation, batch = pixels(balanced)
    assert float(BothPresent()(activation, batch)) < float(BothPresent()(*pixels(gone)))
    begin, end = (float(BothPresent()(pixels(gone)[0], Batch(batch.images, progress=at))) for at in (0.0, 1.0))
    assert begin == pytest.approx(math.log(9) / 3 + 1 / 3, abs=0.01)  # for the area that is gone; 0 for the other
    assert end == pytest.approx(math.log(100) / 10 + 0.1, abs=0.01)


def test_the_map_of_the_decoder_has_the_size_of_the_shallowest_level_and_levels_can_be_chosen():
    channels = {"a": 3, "b": 4, "c": 6}
    levels = {"a": torch.rand(2, 3, 9, 7), "b": torch.rand(2, 4, 5, 4), "c": torch.rand(2, 6, 5, 4)}
    found = PixelDecoder(channels, 3, width=5)(levels)
    assert found.maps.shape == (2, 1, 9, 7)
    torch.testing.assert_close(found.maps[:, 0], found.extras["pixel_logits"].softmax(1)[:, 1])
    assert PixelDecoder(channels, 3, levels=["b", "c"], width=5)(levels).maps.shape == (2, 1, 5, 4)
    with pytest.raises(ConfigError, match="levels of PixelDecoder should be a list of names"):
        PixelDecoder(channels, 3, levels="a")


def test_the_decoder_for_birds_takes_a_step_and_its_losses_fall():
    extras = {"pseudo_maps": torch.linspace(0, 1, 64).expand(2, 1, 64, 64)}
    options = {"model.head.width": 8}
    model, losses = loss_step("fcam_decoder_lite0_birds50", extras=extras, options=options)
    names = {"loss_cross_entropy", "loss_pixel_seeds", "loss_colour_affinity", "loss_both_present"}
    assert names <= set(losses)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(model.head.parameters(), lr=0.02)
    seen = []
    for _ in range(12):
        optimizer.zero_grad()
        value = model.loss(Batch(images, torch.tensor([0, 1]), extras=extras))["loss_pixel_seeds"]
        value.backward()
        optimizer.step()
        seen.append(float(value.detach()))
    assert sum(seen[-3:]) < 0.7 * sum(seen[:3])


def test_the_pipelines_name_stages_and_configurations_that_exist(tmp_path, capsys):
    assert main(["pipeline", "fcam_lite0_birds50", "--list", "--work-dir", str(tmp_path / "work")]) == 0
    listed = capsys.readouterr().out
    assert [name in listed for name in ("cam", "maps", "decoder", "test")] == [True] * 4
    assert not Path(tmp_path / "work").exists()


def test_the_configuration_of_cub_builds_its_head():
    config = load_config("fcam_decoder_resnet50_cub").model
    channels = dict.fromkeys(config.backbone.levels, 4)
    assert HEADS.build({**config.head, "channels": channels, "num_classes": 200}).levels == list(channels)
