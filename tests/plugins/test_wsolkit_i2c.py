"""I2C: pairs, seeds and centres by loops, where the drawing leaves no choice; and what learns from them."""

import pytest
import torch
from mmengine.dataset import DefaultSampler

from tests.support.config_steps import loss_step
from wsolkit import Activation, Batch, ConfigError, HeadError
from wsolkit.config.load import load_config
from wsolkit.datasets import ClassBalancedBatchSampler
from wsolkit.registry import DATA_SAMPLERS, LOSSES
from wsolkit.weights.checkpoint import load_weights
from wsolkit_i2c import ObjectConsistency, draw_partners, draw_seeds


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def given(labels, classes=4, seed=0):
    """Maps with one sure cell each, the one that is highest, so that drawing leaves no choice."""
    count = len(labels)
    maps = torch.rand(count, classes, 3, 4, generator=torch.Generator().manual_seed(seed)) * 0.5
    for image in range(count):
        for k in range(classes):
            maps[image, k].flatten()[(5 * image + 3 * k) % 12] = 2.0
    activation = Activation(maps, drawn(count, classes), drawn(count, 5, 3, 4, seed=seed + 1).requires_grad_())
    return activation, Batch(torch.zeros(count, 3, 8, 8), labels)


def seed_features(activation, labels):
    return [
        activation.features[image].flatten(1)[:, (5 * image + 3 * int(k)) % 12].detach()
        for image, k in enumerate(labels)
    ]


def test_both_terms_by_a_loop_over_two_batches():
    loss = ObjectConsistency(pairs=2.0, centres=3.0, momentum=0.25)
    labels = torch.tensor([1, 3, 1, 0])  # one pair, so that partners leave no choice
    activation, batch = given(labels)
    terms = loss(activation, batch)
    f = seed_features(activation, labels)
    assert float(terms["pairs"].detach()) == pytest.approx(2 * float(((f[0] - f[2]) ** 2).mean()), abs=1e-5)
    assert float(terms["centres"].detach()) == 0  # no centre is known yet
    centres = {1: (f[0] + f[2]) / 2, 3: f[1], 0: f[3]}
    again = torch.tensor([3, 2, 1, 2])
    activation, batch = given(again, seed=7)
    terms = loss(activation, batch)
    f = seed_features(activation, again)
    far = [((f[image] - centres[k]) ** 2).mean() for image, k in ((0, 3), (2, 1))]  # class 2 is new
    assert float(terms["pairs"].detach()) == pytest.approx(2 * float(((f[1] - f[3]) ** 2).mean()), abs=1e-5)
    assert float(terms["centres"].detach()) == pytest.approx(3 * float(sum(far)) / 2, rel=1e-4)
    torch.testing.assert_close(loss.centre[3], centres[3] + 0.25 * (f[0] - centres[3]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(loss.centre[2], (f[1] + f[3]) / 2, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(loss.centre[0], centres[0], atol=1e-5, rtol=1e-5)
    assert loss.seen.tolist() == [True] * 4
    kept = loss.eval().centre.clone()
    loss(activation, batch)
    assert torch.equal(loss.centre, kept)


def test_gradients_reach_the_surest_cells_of_pairs_alone():
    labels = torch.tensor([1, 3, 1, 0])
    activation, batch = given(labels)
    sum(ObjectConsistency()(activation, batch).values()).backward()
    reached = activation.features.grad.abs().sum(1).flatten(1) > 0
    for image in range(4):
        cell = (5 * image + 3 * int(labels[image])) % 12
        assert reached[image].nonzero().flatten().tolist() == ([cell] if image in (0, 2) else [])


def test_partners_are_others_of_the_same_class_and_seeds_lie_where_they_may():
    labels = torch.tensor([2, 0, 2, 2, 0, 1])
    seen = {image: set() for image in range(6)}
    for _ in range(40):
        for image, partner in zip(*draw_partners(labels), strict=True):
            seen[int(image)].add(int(partner))
    assert seen == {0: {2, 3}, 1: {4}, 2: {0, 3}, 3: {0, 2}, 4: {1}, 5: set()}
    cells = torch.arange(6.0).view(1, 1, 2, 3)
    found = draw_seeds(cells, torch.tensor([[[[0, 1, 0], [0, 0, 1]]]]), 200)
    assert found.shape == (1, 200, 1)
    assert set(found.flatten().tolist()) == {1.0, 5.0}


def test_flat_maps_no_pairs_and_soft_labels_of_one_class():
    activation, batch = given(torch.tensor([0, 1]))
    flat = Activation(torch.ones(2, 4, 3, 4), activation.logits, activation.features)
    loss = ObjectConsistency()
    assert [float(term.detach()) for term in loss(flat, batch).values()] == [0, 0]
    torch.testing.assert_close(loss.centre[0], activation.features[0].mean((1, 2)).detach(), atol=1e-5, rtol=1e-5)
    rows = Batch(batch.images, torch.eye(4)[:2])
    assert set(loss(activation, rows)) == {"pairs", "centres"}


def test_the_centres_are_kept_with_the_weights():
    loss = ObjectConsistency()
    loss(*given(torch.tensor([1, 3, 1, 0])))
    other = ObjectConsistency()
    load_weights(other, {"state_dict": loss.state_dict()}, "a file")
    assert torch.equal(other.centre, loss.centre)
    assert torch.equal(other.seen, loss.seen)


def test_what_is_missing_is_said():
    activation, batch = given(torch.tensor([0, 1]))
    with pytest.raises(HeadError, match="ObjectConsistency needs features, but the head gives none"):
        ObjectConsistency()(Activation(activation.maps, activation.logits), batch)
    with pytest.raises(HeadError, match="ObjectConsistency needs logits, but the head gives none"):
        ObjectConsistency()(Activation(activation.maps, None, activation.features), batch)
    with pytest.raises(ConfigError, match=r"threshold of ObjectConsistency should be a number in \(0, 1\], but got 0"):
        ObjectConsistency(threshold=0.0)


class Labels:
    """A data set of twenty classes, of which nobody opens an image."""

    def __len__(self):
        return 200

    def get_data_info(self, index):
        return {"labels": [index % 20]}


def batches_of(loader):
    sampler = DefaultSampler(Labels(), seed=0)
    return DATA_SAMPLERS.build(dict(loader.batch_sampler, sampler=sampler, batch_size=loader.batch_size))


@pytest.mark.parametrize("name", ["i2c_resnet50_cub", "i2c_inceptionv3_ilsvrc"])
def test_the_losses_of_a_configuration_for_large_data(name):
    config = load_config(name)
    assert isinstance(batches_of(config.train_dataloader), ClassBalancedBatchSampler)
    assert isinstance(LOSSES.build(dict(config.model.losses[1])), ObjectConsistency)


def test_a_step_of_the_configuration():
    model, losses = loss_step("i2c_lite0_birds50", labels=(2, 0, 2))
    assert float(losses["loss_object_consistency_pairs"]) > 0
    assert model.losses["object_consistency"].seen.tolist() == [True, False, True]
    maps = model.eval().predict(torch.randn(2, 3, 64, 64), torch.tensor([0, 2]))[0].maps
    assert 0 <= float(maps.min()) < float(maps.max()) <= 1
