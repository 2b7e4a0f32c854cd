"""NL-CCAM: ranks, weights and combined maps by loops; the non-local block by a loop over pairs of cells."""

import math

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import Activation, ConfigError
from wsolkit.components import LinearHead, attend
from wsolkit.config.load import load_config
from wsolkit.registry import MODIFIERS
from wsolkit_nlccam import CombinedMaps, NonLocal, rank_weights, ranks


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Model:
    def __init__(self):
        self.head = LinearHead({"deep": 6}, 5)
        with torch.no_grad():
            self.head.classifier.weight.copy_(drawn(5, 6))
            self.head.classifier.bias.copy_(drawn(5, seed=1))

    def activate(self, images, batch=None):
        return self.head({"deep": images}, batch)


def weight_by_hand(rank, classes, curve):
    t = rank / (classes - 1)
    return {"quadratic": 2 * (1 - t) ** 2 - 1, "linear": 1 - 2 * t, "late": 1 - 2 * t * t}[curve]


@torch.no_grad()
@pytest.mark.parametrize("curve", ["quadratic", "linear", "late"])
def test_combined_maps_by_a_loop(curve):
    model, features = Model(), drawn(3, 6, 4, 3, seed=2)
    classes = torch.tensor([[0, 4], [1, 1], [2, 3]])
    found = CombinedMaps(curve).raw_maps(model, features, classes)
    activation = model.activate(features)
    for image in range(3):
        scores = activation.logits[image].tolist()
        for place, asked in enumerate(classes[image].tolist()):
            others = sorted((k for k in range(5) if k != asked), key=lambda k: -scores[k])
            total = sum(
                weight_by_hand(rank, 5, curve) * activation.maps[image, k] for rank, k in enumerate([asked, *others])
            )
            torch.testing.assert_close(found[image, place], total, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(CombinedMaps(curve).raw_maps(model, features, classes[:, 1], activation), found[:, 1])
    every = CombinedMaps(curve).all_maps(model, features, activation)
    torch.testing.assert_close(every[2, [2, 3]], found[2])


def test_ranks_are_permutations_with_the_asked_class_first():
    found = ranks(drawn(4, 6), torch.arange(6).expand(4, 6))
    assert found.sort(2).values.unique(dim=0).shape[0] == 1
    assert bool((found.diagonal(dim1=1, dim2=2) == 0).all())
    weights = rank_weights(200)
    assert (float(weights[0]), float(weights[-1])) == (1, -1)
    assert bool((weights.diff() < 0).all())


def test_heads_without_a_map_of_each_class_or_scores_are_refused():
    maps, logits, model = torch.zeros(2, 1, 3, 3), torch.zeros(2, 4), Model()
    with pytest.raises(ConfigError, match="CombinedMaps combines .* LinearHead gives one map for all of them. Use"):
        CombinedMaps().raw_maps(model, maps, torch.tensor([0, 1]), Activation(maps, logits))
    with pytest.raises(ConfigError, match="CombinedMaps needs logits, but the head gives none"):
        CombinedMaps().raw_maps(model, maps, torch.tensor([0, 0]), Activation(maps))


@torch.no_grad()
@pytest.mark.parametrize("pool", [1, 2])
def test_the_non_local_block_by_a_loop(pool):
    torch.manual_seed(0)
    block, maps = NonLocal(channels=4, inner=3, pool=pool).eval(), drawn(2, 4, 4, 6)
    torch.testing.assert_close(block(maps), maps)  # it begins as the identity
    block.norm.weight.fill_(2.0)
    block.norm.bias.copy_(drawn(4, seed=3))
    found = block(maps)
    weight = {name: module.weight[:, :, 0, 0] for name, module in block.named_children() if name != "norm"}
    for image in range(2):
        cells = [maps[image, :, y, x] for y in range(4) for x in range(6)]
        answers = cells
        if pool == 2:
            answers = [
                torch.stack([maps[image, :, y + dy, x + dx] for dy in (0, 1) for dx in (0, 1)]).amax(0)
                for y in (0, 2)
                for x in (0, 2, 4)
            ]
        for place, cell in enumerate(cells):
            query = weight["theta"] @ cell + block.theta.bias
            likeness = [math.exp(float(query @ (weight["phi"] @ other + block.phi.bias))) for other in answers]
            y = sum(
                each / sum(likeness) * (weight["g"] @ other + block.g.bias)
                for each, other in zip(likeness, answers, strict=True)
            )
            out = weight["out"] @ y + block.out.bias
            expected = cell + 2 * out / math.sqrt(1 + 1e-5) + block.norm.bias
            torch.testing.assert_close(found[image, :, place // 6, place % 6], expected, atol=1e-5, rtol=1e-4)


def test_a_cell_reaches_all_others_and_single_cells_do():
    maps = drawn(1, 2, 3, 3).requires_grad_()
    attend(maps, maps, maps)[0, :, 0, 0].sum().backward()
    assert bool((maps.grad.abs().sum(1) > 0).all())
    block = NonLocal(channels=2).train()
    assert block(drawn(2, 2, 1, 1)).shape == (2, 2, 1, 1)  # smaller than the pooling


@pytest.mark.parametrize("name", ["nl_ccam_vgg16_cub", "nl_ccam_resnet50_cub", "nl_ccam_vgg16_ilsvrc"])
def test_the_modifiers_of_a_configuration_for_large_data(name):
    model = load_config(name).model
    assert model.box_extractor.threshold == 0.12
    for given in model.modifiers:
        block = MODIFIERS.build({**{key: given[key] for key in given if key != "at"}, "channels": 8})
        assert block.theta.out_channels == 4


def test_a_step_of_the_configuration():
    model, _ = loss_step("nl_ccam_lite0_birds50")
    blocks = list(model.feature_modifiers.values())
    assert all(bool(block.norm.weight.any()) for block in blocks)  # both learn, behind frozen stages
    maps = model.eval().predict(torch.randn(2, 3, 64, 64), torch.tensor([0, 2]))[0].maps
    assert 0 <= float(maps.min()) < float(maps.max()) <= 1
