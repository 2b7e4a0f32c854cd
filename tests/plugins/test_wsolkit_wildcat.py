"""WILDCAT: the pooling by sorting in a loop, the counts of cells by hand, and the gradient of the authors' code."""

import warnings

import pytest
import torch

from tests.support.config_steps import one_step
from wsolkit import ConfigError, load_plugins
from wsolkit.components.heads import ConvHead
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.registry import MODELS
from wsolkit_wildcat import ScaleGradient, WildcatPooling, region_count


def pooled_by_loop(cells, top, bottom, alpha, normalize):
    ordered = sorted(cells, reverse=True)
    score = sum(ordered[:top]) / top
    if bottom:
        score += alpha * sum(ordered[-bottom:]) / bottom
    return score / 2 if normalize and bottom else score


@pytest.mark.parametrize(
    ("kmax", "kmin", "top", "bottom"),
    [(0.2, None, 7, 7), (0.2, 0, 7, 0), (1, 1, 1, 1), (3, 0.5, 3, 18), (100, 2, 35, 2)],
)
@pytest.mark.parametrize("normalize", [True, False])
def test_the_pooling_by_a_loop(kmax, kmin, top, bottom, normalize):
    maps = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    found = WildcatPooling(kmax, kmin, alpha=0.7, normalize=normalize)(maps)
    for image in range(2):
        for c in range(3):
            expected = pooled_by_loop(maps[image, c].flatten().tolist(), top, bottom, 0.7, normalize)
            assert float(found[image, c]) == pytest.approx(expected, abs=1e-6)


def test_shares_are_rounded_to_the_even_number_and_counts_are_cut_off():
    assert [region_count(0.2, 49), region_count(0.2, 196), region_count(0.5, 3), region_count(0.5, 5)] == [10, 39, 2, 2]
    assert [region_count(1, 49), region_count(1.0, 49), region_count(60, 49), region_count(-1, 49)] == [1, 1, 49, 0]


def test_the_half_goes_with_the_lowest_cells_whatever_alpha_is():
    maps = torch.tensor([[[[8.0, 4.0], [2.0, 1.0]]]])
    assert float(WildcatPooling(1, 1, alpha=0.0)(maps)) == 4
    assert float(WildcatPooling(1, 0, alpha=0.7)(maps)) == 8
    assert float(WildcatPooling(1, 1, alpha=0.7, normalize=False)(maps)) == pytest.approx(8.7)


def test_one_cell_counts_at_least_and_gradients_reach_the_chosen_cells_only():
    assert float(WildcatPooling(0.1)(torch.tensor([[[[1.0, 3.0]]]]))) == 3  # a tenth of two cells is none
    maps = torch.tensor([[[[8.0, 4.0], [2.0, 1.0]]]], requires_grad=True)
    WildcatPooling(1, 1, alpha=0.5)(maps).sum().backward()
    assert maps.grad.flatten().tolist() == [0.5, 0.0, 0.0, 0.25]
    with pytest.raises(ConfigError, match=r"kmax of WildcatPooling should be a number above 0, but got 0"):
        WildcatPooling(kmax=0)


def test_maps_in_half_precision_are_pooled_in_float32():
    maps = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = WildcatPooling()(maps)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, WildcatPooling()(maps.float()))


def test_the_gradient_of_the_authors_code():
    torch.manual_seed(0)
    features = torch.rand(2, 5, 4, 4, requires_grad=True)
    head = ConvHead({"last": 5}, 3, pooling=WildcatPooling(), maps_per_class=4).train()
    plain = head({"last": features})
    (true,) = torch.autograd.grad(plain.logits.square().sum(), features)
    head.map_modifiers.append(ScaleGradient(maps_per_class=4))
    scaled = head({"last": features})
    torch.testing.assert_close(scaled.logits, plain.logits)
    (larger,) = torch.autograd.grad(scaled.logits.square().sum(), features)
    torch.testing.assert_close(larger, 4 * true)


def test_several_maps_of_a_class_are_averaged_class_by_class():
    head = ConvHead({"last": 1}, num_classes=2, pooling=WildcatPooling(1, 0), maps_per_class=2)
    with torch.no_grad():
        head.classifier.weight.copy_(torch.tensor([1.0, 3.0, -1.0, 5.0])[:, None, None, None])
    found = head({"last": torch.tensor([[[[1.0, 2.0]]]])})
    assert found.maps.tolist() == [[[[2.0, 4.0]], [[2.0, 4.0]]]]
    assert found.logits.tolist() == [[4.0, 4.0]]


def test_the_method_is_found_and_its_card_has_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "WILDCAT"]
    assert source.plugin == "wildcat"
    assert set(found.configs) == {name for name in config_files() if name.startswith("wildcat_")}
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.1f}" in card


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wildcat_resnet101_voc07", "wildcat_mobilenetv2_voc"])
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_network(name, tmp_path, monkeypatch):
    one_split = {"train_dataloader.dataset.split": "train"}  # drawn scenes have no split trainval
    monkeypatch.setattr("tests.support.config_steps.load_config", lambda config: load_config(config, one_split))
    net, predictions = one_step(name, tmp_path / "run", multi_label=True)
    assert net.head.maps_per_class == 8
    assert predictions[0].logits.shape == (3,)
    assert predictions[0].maps.shape == (1, 64, 64)
    (modifier,) = net.head.map_modifiers
    assert (type(modifier), modifier.factor) == (ScaleGradient, 8)


def test_a_number_of_lowest_cells_is_not_negative():
    with pytest.raises(
        ConfigError, match="kmin of WildcatPooling should be a number of at least 0 or None, but got -0.2"
    ):
        WildcatPooling(kmin=-0.2)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_factor_is_a_positive_number(factor):
    with pytest.raises(
        ConfigError, match=rf"factor of ScaleGradient should be a number in \(0, inf\) or None, but got {factor}"
    ):
        ScaleGradient(factor)


def test_the_factor_follows_the_maps_of_the_head():
    config = load_config("wildcat_mobilenetv2_voc", {"model.head.maps_per_class": 4, "weights": "none"})
    config.model.head.num_classes = 2
    config.model.pop("freeze", None)
    assert MODELS.build(config.model).head.map_modifiers[0].factor == 4


def test_a_gradient_that_is_not_scaled_is_said():
    with pytest.warns(UserWarning, match="multiplies gradients by 1, which changes nothing"):
        ScaleGradient(maps_per_class=1)
    modifier = ScaleGradient(factor=4.0).train()
    with pytest.warns(UserWarning, match="sits where no gradient comes back, on the image or behind"):
        modifier(torch.ones(1, 2, 3, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        modifier(torch.ones(1, 2, 3, 3))
        ScaleGradient(factor=4.0).train()(torch.ones(1, 2, 3, 3, requires_grad=True))
