"""DANet: the hierarchy by hand, losses and fused maps against loops over classes and pairs, and a training step."""

import math

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import Activation, Batch, ConfigError, ShapeError
from wsolkit.config.load import load_config
from wsolkit.registry import HEADS
from wsolkit_danet import (
    DiscrepantMaps,
    DivergentHead,
    FusedMaps,
    GroupCrossEntropy,
    group_labels,
    groups_by_last_word,
    hierarchy,
)

BIRDS = ["002.Laysan_Albatross", "House Wren", "003.Sooty_Albatross", "Marsh-wren", "004.Groove_billed_Ani"]


def test_classes_of_one_last_word_are_a_group():
    assert groups_by_last_word(BIRDS) == [0, 1, 0, 1, 2]
    assert hierarchy(5, BIRDS) == [[0, 1, 0, 1, 2]]


def test_the_groups_of_the_data_come_before_those_of_names_and_levels_that_say_nothing_go():
    assert hierarchy(3, ["a x", "b x", "c y"], [[7, 7, 2], [7, 3, 3], [0, 1, 2], [4, 4, 4]]) == [[0, 0, 1], [0, 1, 1]]
    assert hierarchy(3, ["a", "b", "c"]) == hierarchy(3) == []
    with pytest.raises(
        ConfigError, match=r"a group for each of the 3 classes, but one has 2\. Take them from the data"
    ):
        hierarchy(3, class_groups=[[0, 1]])


def head(**settings):
    torch.manual_seed(0)
    return DivergentHead({"a": 6}, 5, hidden=(4,), maps_per_class=3, class_names=BIRDS, **settings)


def seen():
    features = torch.randn(2, 6, 3, 4, generator=torch.Generator().manual_seed(1))
    return head()({"a": features})


def test_maps_are_means_of_the_maps_of_a_class_and_logits_means_over_cells():
    found = seen()
    several = found.extras["maps_per_class"]
    assert several.shape == (2, 5, 3, 3, 4)
    for k in range(5):
        mean = (several[:, k, 0] + several[:, k, 1] + several[:, k, 2]) / 3
        torch.testing.assert_close(found.maps[:, k], mean)
        torch.testing.assert_close(found.logits[:, k], mean.mean((1, 2)))
    assert found.extras["group_maps_0"].shape == (2, 3, 3, 4)
    torch.testing.assert_close(found.extras["group_logits_0"], found.extras["group_maps_0"].mean((2, 3)))
    assert found.extras["groups"].tolist() == [[0, 1, 0, 1, 2]]
    assert "groups" not in head().state_dict(), "the configuration knows them"


def test_a_head_without_a_hierarchy_warns_and_is_trained_on_the_classes_alone():
    with pytest.warns(UserWarning, match="DivergentHead finds no hierarchy: no two classes have a last word"):
        alone = DivergentHead({"a": 6}, 2, hidden=(), class_names=["owl", "wren"])
    found = alone({"a": torch.randn(1, 6, 2, 2)})
    assert found.extras["groups"].shape == (0, 2)
    with pytest.raises(
        ConfigError, match="GroupCrossEntropy needs the extra 'groups', of which the head gives too little"
    ):
        GroupCrossEntropy()(found, Batch(torch.zeros(1, 3, 4, 4), torch.tensor([1])))


def test_the_cross_entropy_of_groups_by_a_loop():
    found = seen()
    labels, groups = [3, 4], [0, 1, 0, 1, 2]
    value = GroupCrossEntropy()(found, Batch(torch.zeros(2, 3, 4, 4), torch.tensor(labels)))
    assert list(value) == ["level_0"]
    expected = 0.0
    for image, label in enumerate(labels):
        scores = found.extras["group_logits_0"][image].tolist()
        expected -= math.log(math.exp(scores[groups[label]]) / sum(map(math.exp, scores))) / 2
    assert float(value["level_0"].detach()) == pytest.approx(expected, abs=1e-6)


def test_mixed_labels_are_mixed_on_each_level():
    rows = torch.tensor([[0.5, 0, 0.25, 0.25, 0]])
    assert group_labels(rows, torch.tensor([0, 1, 0, 1, 2])).tolist() == [[0.75, 0.25, 0.0]]
    with pytest.raises(ShapeError, match="GroupCrossEntropy takes images of one class"):
        GroupCrossEntropy()(seen(), Batch(torch.zeros(2, 3, 4, 4), torch.ones(2, 5)))


def cosine(first, second):
    dot = sum(a * b for a, b in zip(first, second, strict=True))
    return dot / math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))


def test_the_discrepancy_of_the_labelled_class_by_a_loop_over_pairs():
    found, labels = seen(), [1, 4]
    expected = 0.0
    for image, label in enumerate(labels):
        maps = found.extras["maps_per_class"][image, label].flatten(1).tolist()
        expected += sum(cosine(maps[i], maps[j]) for i in range(3) for j in range(i)) / 2
    batch = Batch(torch.zeros(2, 3, 4, 4), torch.tensor(labels))
    assert float(DiscrepantMaps()(found, batch).detach()) == pytest.approx(expected, abs=1e-6)
    rows = Batch(torch.zeros(2, 3, 4, 4), torch.eye(5)[labels])
    assert float(DiscrepantMaps()(found, rows).detach()) == pytest.approx(expected, abs=1e-6)


def test_a_head_with_one_map_of_each_class_is_refused():
    plain = Activation(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3))
    with pytest.raises(ConfigError, match="DiscrepantMaps needs the extra 'maps_per_class', "):
        DiscrepantMaps()(plain, Batch(torch.zeros(1, 3, 4, 4), torch.tensor([0])))


def scaled(score_map):
    return (score_map - score_map.min()) / (score_map.max() - score_map.min())


def test_the_map_of_a_class_is_the_larger_of_its_own_and_its_group_s_at_each_cell():
    found, groups = seen(), [0, 1, 0, 1, 2]
    classes = torch.tensor([[3, 0], [4, 2]])
    raw = FusedMaps().raw_maps(None, torch.zeros(2, 3, 4, 4), classes, found)
    for image in range(2):
        for place in range(2):
            k = int(classes[image, place])
            own, group = found.maps[image, k], found.extras["group_maps_0"][image, groups[k]]
            torch.testing.assert_close(raw[image, place], torch.maximum(scaled(own), scaled(group)))
    alone = FusedMaps(groups=False).raw_maps(None, torch.zeros(2, 3, 4, 4), classes[:, 0], found)
    torch.testing.assert_close(alone[0], scaled(found.maps[0, 3]))


def test_the_configuration_for_birds_takes_a_step_and_is_told_the_names():
    names = ["001.Black_Owl", "002.House_Wren", "003.Marsh_Wren"]
    model, losses = loss_step("danet_lite0_birds50", options={"classes": names, "model.head.hidden": [8]})
    assert model.head.groups.tolist() == [[0, 1, 1]]
    assert {"loss_cross_entropy", "loss_group_cross_entropy_level_0", "loss_discrepant_maps"} <= set(losses)
    assert model.loss_weights["discrepant_maps"] == 0.01


def test_the_configurations_of_cub_and_ilsvrc_build_their_heads():
    config = load_config("danet_vgg16_cub").model.head
    assert (config.maps_per_class, list(config.hidden)) == (8, [1024, 1024])
    built = HEADS.build({**config, "channels": {"a": 4}, "num_classes": 3, "hidden": [4], "class_groups": [[0, 0, 1]]})
    assert len(built.coarser) == 1
    assert load_config("danet_resnet50_ilsvrc").train_dataloader.dataset.class_groups == "class_groups.csv"
