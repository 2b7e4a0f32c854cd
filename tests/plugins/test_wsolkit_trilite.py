"""TriLite: shares and features of the regions by loops, the background's loss by hand, and what teaches what."""

import math

import pytest
import torch

from tests.support.config_steps import loss_step
from wsolkit import Activation, Batch, ConfigError, HeadError, ShapeError
from wsolkit.components import CrossEntropy
from wsolkit.config.load import load_config
from wsolkit.model.localizer import Localizer
from wsolkit.registry import HEADS, LOSSES
from wsolkit_trilite import TriLiteHead, WithoutTheClass, minus_log_of_others

CHANNELS = {"low": 2, "deep": 3, "token": 4}


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def levels(size=3):
    return {"low": drawn(2, 2, size, size), "deep": drawn(2, 3, size, size, seed=1), "token": drawn(2, 4, 1, 1, seed=2)}


def seeded(**settings):
    torch.manual_seed(0)
    return TriLiteHead(CHANNELS, 4, levels=["deep", "low"], **settings)


def background(logits):
    return Activation(torch.zeros(len(logits), 1, 1, 1), extras={"background_logits": logits})


def batch(labels):
    return Batch(torch.zeros(len(labels), 3, 8, 8), labels)


@torch.no_grad()
def test_shares_features_and_scores_by_loops():
    head, given = seeded().eval(), levels()
    with torch.no_grad():
        head.norm.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3]))
        head.norm.weight.copy_(torch.tensor([1.0, 2.0, 0.5]))
    found = head(given)
    features = torch.cat([given["deep"], given["low"]], 1)
    padded = torch.nn.functional.pad(features, (1, 1, 1, 1))
    for image in range(2):
        sums, weights = [torch.zeros(5), torch.zeros(5)], [0.0, 0.0]
        for y in range(3):
            for x in range(3):
                scores = [float((padded[image, :, y : y + 3, x : x + 3] * head.conv.weight[c]).sum()) for c in range(3)]
                scores = [
                    (score - mean) / math.sqrt(1 + 1e-5) * scale
                    for score, mean, scale in zip(scores, (0.1, -0.2, 0.3), (1.0, 2.0, 0.5), strict=True)
                ]
                total = sum(math.exp(score) for score in scores)
                shares = [math.exp(score) / total for score in scores]
                assert found.extras["shares"][image, :, y, x].tolist() == pytest.approx(shares, abs=1e-5)
                assert float(found.maps[image, 0, y, x]) == pytest.approx(shares[0], abs=1e-5)
                for region in range(2):
                    sums[region] += shares[region] * features[image, :, y, x]
                    weights[region] += shares[region]
        for region, name in enumerate(("object_logits", "background_logits")):
            seen = sums[region] / (weights[region] + 1e-6)
            expected = head.classifier.weight @ seen + head.classifier.bias
            torch.testing.assert_close(found.extras[name][image], expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.logits, found.extras["object_logits"])
    assert found.class_agnostic
    assert found.features.shape == (2, 5, 3, 3)


def test_the_class_token_classifies_where_there_is_one():
    head, given = seeded(token="token"), levels()
    found = head(given)
    torch.testing.assert_close(found.logits, head.token_classifier(given["token"].flatten(1)))
    assert not torch.allclose(found.logits, found.extras["object_logits"])
    with pytest.raises(ConfigError, match=r"should name a class token \(B, C, 1, 1\), but 'low' has 3 x 3 cells"):
        seeded(token="low")(given)


def test_maps_of_each_class_are_the_objects_times_the_cells_scores():
    head, given = seeded(maps="class", kernel=1).eval(), levels()
    found = head(given)
    features = torch.cat([given["deep"], given["low"]], 1)
    score = head.classifier.weight[2] @ features[1, :, 0, 2] + head.classifier.bias[2]
    assert found.maps.shape == (2, 4, 3, 3)
    expected = float(found.extras["shares"][1, 0, 0, 2]) / (1 + math.exp(-score.item()))
    assert float(found.maps[1, 2, 0, 2]) == pytest.approx(expected, abs=1e-6)


def test_standardized_channels_do_not_depend_on_their_scale():
    plain, given = seeded(standardize=True), levels()
    found = plain(given).maps
    torch.testing.assert_close(seeded(standardize=True)({**given, "low": given["low"] * 100 - 7}).maps, found)
    assert not torch.allclose(seeded()({**given, "low": given["low"] * 100 - 7}).maps, found)


@pytest.mark.parametrize("teaches", ["classifier", "maps"])
def test_what_the_background_teaches(teaches):
    head = seeded(background_teaches=teaches)
    WithoutTheClass()(head(levels()), batch(torch.tensor([0, 3]))).backward()
    assert bool(head.conv.weight.grad.any())
    assert (head.classifier.weight.grad is None) == (teaches == "maps")
    head = seeded(background_teaches=teaches)
    CrossEntropy(logits="object_logits")(head(levels()), batch(torch.tensor([0, 3]))).backward()
    assert bool(head.classifier.weight.grad.any())
    assert bool(head.conv.weight.grad.any())


def test_the_loss_of_the_background_by_hand():
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    exps = [[math.exp(each) for each in row] for row in logits.tolist()]
    soft = [-math.log(1 - row[k] / sum(row)) for row, k in zip(exps, (1, 2), strict=True)]
    activation, labels = background(logits), torch.tensor([1, 2])
    found = WithoutTheClass()(activation, batch(labels))
    assert float(found) == pytest.approx(sum(soft) / 2, abs=1e-6)
    mixed = torch.tensor([[0.0, 1.0, 0.0], [0.25, 0.0, 0.75]])
    other = -math.log(1 - exps[1][0] / sum(exps[1]))
    expected = (soft[0] + 0.25 * other + 0.75 * soft[1]) / 2
    assert float(WithoutTheClass()(activation, batch(mixed))) == pytest.approx(expected, abs=1e-6)
    shown = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    nothing = -math.log(1 - exps[0][1] / (sum(exps[0]) + 1)) / 2  # the second image shows nothing
    assert float(WithoutTheClass("nothing")(activation, batch(shown))) == pytest.approx(nothing, abs=1e-6)
    several = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    each = (math.log(1 + exps[0][0]) + math.log(1 + exps[0][1])) / 2
    assert float(WithoutTheClass("sigmoid")(activation, batch(several))) == pytest.approx(each / 2, abs=1e-6)


def test_a_certain_background_still_has_a_gradient():
    logits = torch.tensor([[60.0, 0.0, 1.0]], requires_grad=True)
    minus_log_of_others(logits, torch.tensor([0])).sum().backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[1.0, -0.26894143, -0.7310586]]))


def test_mistakes_are_explained():
    with pytest.raises(ShapeError, match=r"WithoutTheClass compares .* the head has 1 class. Take score='sigmoid'"):
        WithoutTheClass()(background(torch.zeros(1, 1)), batch(torch.tensor([0])))
    with pytest.raises(HeadError, match=r"WithoutTheClass needs the extra 'background_logits', which the head"):
        WithoutTheClass()(Activation(torch.zeros(1, 2, 1, 1), torch.zeros(1, 2)), batch(torch.tensor([0])))
    with pytest.raises(ConfigError, match="kernel of TriLiteHead should be odd, but got 2"):
        seeded(kernel=2)
    with pytest.raises(ConfigError, match=r"levels should be a list of level names .* but got 'deep'"):
        TriLiteHead(CHANNELS, 4, levels="deep")
    with pytest.raises(ConfigError, match="gives no level 'cls' to the head"):
        seeded(token="cls")


@pytest.mark.parametrize(("name", "classes"), [("trilite_vits14_cub", 200), ("trilite_vits14_ilsvrc", 1000)])
def test_the_parts_of_a_configuration_for_a_transformer(name, classes):
    model = load_config(name).model
    channels = {"blocks.11": 384, "blocks.11.cls": 384}
    head = HEADS.build({**model["head"], "channels": channels, "num_classes": classes})
    assert sum(weight.numel() for weight in head.parameters()) < 800_000  # the abstract's number
    losses = [{key: loss[key] for key in loss if key not in ("weight", "name")} for loss in model["losses"]]
    kinds = [type(LOSSES.build(loss)).__name__ for loss in losses]
    assert kinds == ["CrossEntropy", "CrossEntropy", "WithoutTheClass"]


def test_a_transformer_with_its_class_token_learns_by_all_three_losses():
    parts = load_config("trilite_vits14_cub").model
    head = {**parts["head"], "num_classes": 4, "levels": ["blocks.5"], "token": "blocks.5.cls"}
    backbone = {"type": "TimmBackbone", "name": "test_vit", "levels": ["blocks.5", "blocks.5.cls"]}
    model = Localizer(backbone, head, parts["losses"], freeze=["model"], precision="fp32")
    images, labels = drawn(3, 3, 32, 32), torch.tensor([0, 1, 3])
    total, log = model.parse_losses(model.train().loss(Batch(images, labels)))
    assert {"loss_cross_entropy", "loss_object", "loss_without_the_class"} <= set(log)
    total.backward()
    reached = {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert reached == {f"head.{name}" for name, _ in model.head.named_parameters()}


@pytest.mark.parametrize(
    ("name", "labels", "first"),
    [
        ("trilite_lite0_birds50", (0, 2), "loss_cross_entropy"),
        ("trilite_lite0_voc", ([1.0, 0, 1], [0, 1, 0]), "loss_binary_cross_entropy"),
        ("trilite_lite0_tiles", ([1.0, 0, 0], [0, 0, 0]), "loss_cross_entropy_or_nothing"),
    ],
)
def test_a_step_of_the_configuration(name, labels, first):
    model, losses = loss_step(name, labels=labels)
    assert set(losses) == {first, "loss_without_the_class"}
    maps = model.eval().predict(torch.randn(2, 3, 64, 64), torch.tensor([0, 2]))[0].maps
    assert 0 <= float(maps.min()) < float(maps.max()) <= 1
