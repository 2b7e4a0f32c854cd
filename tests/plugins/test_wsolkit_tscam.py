"""TS-CAM: the attention and the maps by loops, and what its logits are."""

import pytest
import torch

from tests.support.config_steps import drawn
from wsolkit import ConfigError, ShapeError, load_config
from wsolkit.model.localizer import Localizer
from wsolkit.registry import MODELS
from wsolkit_tscam import TSCAMHead, attention_to_cells

LEVELS = ["blocks.0.attention", "blocks.1.attention", "final"]
CHANNELS = {"blocks.0.attention": 3, "blocks.1.attention": 3, "final": 5}


def levels(prefix=1, height=2, width=3):
    drawing = torch.Generator().manual_seed(0)
    tokens = prefix + height * width
    looks = [torch.rand(2, 3, tokens, tokens, generator=drawing).softmax(-1) for _ in range(2)]
    final = torch.randn(2, 5, height, width, generator=drawing)
    return dict(zip(LEVELS, (*looks, final), strict=True))


@pytest.mark.parametrize("prefix", [1, 2, 5])
def test_the_attention_by_a_loop(prefix):
    given = levels(prefix)
    found = attention_to_cells([given[name] for name in LEVELS[:2]], (2, 3))
    for image in range(2):
        for row in range(2):
            for column in range(3):
                looks = [
                    float(given[f"blocks.{block}.attention"][image, head, 0, prefix + 3 * row + column])
                    for block in range(2)
                    for head in range(3)
                ]
                assert float(found[image, 0, row, column]) == pytest.approx(sum(looks) / 6, rel=1e-5)


def test_maps_are_what_the_patches_say_where_the_class_token_looks():
    torch.manual_seed(0)
    head, given = TSCAMHead(CHANNELS, 4), levels()
    found = head(given)
    weight, bias = head.classifier.weight.detach(), head.classifier.bias.detach()
    padded = torch.nn.functional.pad(given["final"], (1, 1, 1, 1))
    attention = attention_to_cells([given[name] for name in LEVELS[:2]], (2, 3))
    for row in range(2):
        for column in range(3):
            window = padded[:, :, row : row + 3, column : column + 3]
            semantic = torch.einsum("bcij,kcij->bk", window, weight) + bias
            torch.testing.assert_close(found.extras["semantic"][:, :, row, column], semantic)
            torch.testing.assert_close(found.maps[:, :, row, column], semantic * attention[:, :, row, column])
    torch.testing.assert_close(found.logits, found.extras["semantic"].flatten(2).mean(2))
    assert found.features is given["final"]


def test_a_class_token_that_is_not_there_and_a_network_without_attention_are_refused():
    with pytest.raises(ShapeError, match=r"6 tokens are too few for a class token and a map of 2 x 3 cells"):
        attention_to_cells([torch.zeros(1, 1, 6, 6)], (2, 3))
    with pytest.raises(
        ConfigError,
        match=r"TSCAMHead needs to know where a class token looks, but the backbone gives layer4 alone.*"
        r"\(The backbone is TimmBackbone\.\)$",
    ):
        Localizer(
            {"type": "TimmBackbone", "name": "test_resnet", "levels": ["layer4"]},
            {"type": "TSCAMHead", "num_classes": 2},
        )


def test_a_training_step_moves_the_patches_and_not_the_attention_of_the_last_block():
    torch.manual_seed(0)
    config = load_config("tscam_deittiny_birds50")
    config = drawn(config, 4, 3, False, 64)
    config.model.backbone.update(embed_dim=12, num_heads=3, depth=2, levels=LEVELS)
    model = MODELS.build({**config.model, "precision": "fp32", "head": {**config.model.head, "num_classes": 3}})
    images, labels = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 2, 0])
    losses = []
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(6):
        total, _ = model.parse_losses(model(images, labels, mode="loss"))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(float(total.detach()))
    assert losses[-1] < losses[0]
    for prediction in model.eval().predict(images):
        assert torch.isfinite(prediction.maps).all()
        assert float(prediction.maps.std()) > 0.01


@pytest.mark.parametrize("name", ["tscam_deits_cub", "tscam_deits_ilsvrc"])
def test_the_papers_configurations_read_every_block(name):
    config = load_config(name)
    with torch.device("meta"):
        model = MODELS.build(
            {
                **config.model,
                "backbone": {**config.model.backbone, "weights": None},
                "head": {**config.model.head, "num_classes": 4},
            }
        )
    assert len(model.head.attention) == len(model.backbone.model.blocks) == 12
    assert model.head.classifier.weight.shape == (4, 384, 3, 3)
