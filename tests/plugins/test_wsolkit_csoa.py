"""CSoA: both losses by loops over images and pairs, the head, the union of its maps, and every configuration."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import tests.support.config_steps as config_steps
from wsolkit import Activation, Backbone, Batch, CheckpointError, ConfigError, HeadError, ShapeError, load_plugins
from wsolkit.components.boxes import largest_box
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.model.localizer import Localizer
from wsolkit_csoa import (
    BranchUnion,
    CoAug,
    ConfSeg,
    TwoBranchHead,
    confidence_mask,
    inner_distance,
    masked_images,
    pair_distances,
    pair_terms,
    soft_mask,
)

RANDOM_EMBEDDING = "ignore:The embedding network"


class TinyEmbedding(Backbone):
    """One convolution with a ReLU: enough to tell images apart."""

    def __init__(self, width=4):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.norm = torch.nn.BatchNorm2d(width)
        self.channels, self.strides = {"last": width}, {"last": 4}

    def forward(self, images):
        return {"last": self.norm(self.conv(images)).relu()}


def drawn(batch=4, classes=3, side=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(batch, classes, 4, 5, generator=generator)
    early = torch.randn(batch, classes, 4, 5, generator=generator)
    images = torch.randn(batch, 3, side, side, generator=generator)
    activation = Activation(maps.requires_grad_(), maps.mean((2, 3)), None, {"early_maps": early.requires_grad_()})
    activation.extras["early_logits"] = early.mean((2, 3))
    return activation, images


def mask_by_loop(cells):
    mean = sum(cells) / len(cells)
    distance = [abs(cell - mean) for cell in cells]
    return [1.0 if value > sum(distance) / len(distance) else 0.0 for value in distance]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("progress", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("form", ["indices", "vectors"])
def test_conf_seg_by_a_loop_over_images(reduction, progress, form):
    activation, images = drawn()
    labels = torch.tensor([2, 0, 1, 2])
    given = labels if form == "indices" else torch.eye(3)[labels]
    found = ConfSeg(max_alpha=0.7, ramp=0.5, reduction=reduction)(activation, Batch(images, given, progress=progress))
    inner, early = 0.0, 0.0
    for image, label in enumerate(labels.tolist()):
        late_cells = activation.maps[image, label].flatten().tolist()
        early_cells = activation.extras["early_maps"][image, label].flatten().tolist()
        mask = mask_by_loop(late_cells)
        assert confidence_mask(activation.maps[image, label][None]).flatten().tolist() == mask
        total = sum(abs(e - c) * sure for e, c, sure in zip(early_cells, late_cells, mask, strict=True))
        inner += total / (sum(mask) if reduction == "mean" else 1) / 4
        logits = activation.extras["early_logits"][image].tolist()
        early += (math.log(sum(math.exp(x) for x in logits)) - logits[label]) / 4
    assert float(found["inner"]) == pytest.approx(0.7 * min(1, progress / 0.5) * inner, rel=1e-5)
    assert float(found["early"]) == pytest.approx(early, rel=1e-5)


def test_every_present_class_counts_where_an_image_has_several():
    activation, images = drawn(batch=2)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    loss = ConfSeg(ramp=0, classification="sigmoid")
    found = loss(activation, Batch(images, labels))
    pairs = [(0, 0), (0, 2), (1, 1)]
    alone = [
        float(inner_distance(activation.maps[i, c][None], activation.extras["early_maps"][i, c][None]))
        for i, c in pairs
    ]
    assert float(found["inner"]) == pytest.approx(sum(alone) / 3)
    scores = torch.sigmoid(activation.extras["early_logits"])
    expected = -(labels * scores.log() + (1 - labels) * (1 - scores).log()).mean()
    assert float(found["early"]) == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(ShapeError, match=r"do not add up to 1.*classification='sigmoid'"):
        ConfSeg()(activation, Batch(images, labels))
    nobody = loss(activation, Batch(images, torch.zeros(2, 3)))
    assert float(nobody["inner"]) == 0
    assert torch.isfinite(nobody["early"])


def test_the_late_map_is_a_constant_unless_asked_otherwise():
    activation, images = drawn()
    batch = Batch(images, torch.tensor([2, 0, 1, 2]), progress=1.0)
    ConfSeg()(activation, batch)["inner"].backward()
    late, early = activation.maps.grad, activation.extras["early_maps"].grad
    assert late is None
    reached = early.abs().sum((2, 3)) > 0
    assert reached.tolist() == (F.one_hot(batch.labels, 3) == 1).tolist()
    mask = confidence_mask(activation.maps[0, 2][None].detach())[0]
    assert ((early[0, 2] != 0) == (mask == 1)).all()
    ConfSeg(detach=False)(activation, batch)["inner"].backward()
    torch.testing.assert_close(activation.maps.grad, -activation.extras["early_maps"].grad / 2)


def test_alpha_grows_until_half_of_the_training():
    assert [ConfSeg().alpha(progress) for progress in (0, 0.25, 0.5, 0.75, 1)] == [0, 0.5, 1, 1, 1]
    assert ConfSeg(max_alpha=0.4, ramp=0).alpha(0) == 0.4
    assert ConfSeg(ramp=1).alpha(0.25) == 0.25


def test_early_maps_of_another_size_are_resized():
    late, early = torch.randn(2, 3, 4), torch.randn(2, 6, 8)
    resized = F.interpolate(early[:, None], size=(3, 4), mode="bilinear", align_corners=False)[:, 0]
    assert float(inner_distance(late, early)) == pytest.approx(float(inner_distance(late, resized)))


def test_mistakes_with_conf_seg_are_explained():
    activation, images = drawn()
    plain = Activation(activation.maps, activation.logits)
    with pytest.raises(
        HeadError, match=r"ConfSeg needs the extra 'early_maps'.* Use head=dict\(type='TwoBranchHead'\)"
    ):
        ConfSeg()(plain, Batch(images, torch.tensor([0, 1, 2, 0])))
    with pytest.raises(ShapeError, match="the label 3, but the head has 3 classes"):
        ConfSeg()(activation, Batch(images, torch.tensor([0, 1, 2, 3])))
    with pytest.raises(ShapeError, match="labels of 4 classes and a head with 3"):
        ConfSeg()(activation, Batch(images, torch.eye(4)))
    with pytest.raises(ShapeError, match="ConfSeg needs labels, but the batch has none"):
        ConfSeg()(activation, Batch(images))
    with pytest.raises(ConfigError, match=r"ramp of ConfSeg should be a number in \[0, 1\], but got 2"):
        ConfSeg(ramp=2)
    with pytest.raises(ConfigError, match="reduction of ConfSeg should be one of 'mean', 'sum', but got 'max'"):
        ConfSeg(reduction="max")
    with pytest.raises(
        ConfigError, match="classification of ConfSeg should be one of 'softmax', 'sigmoid', but got 'bce'"
    ):
        ConfSeg(classification="bce")
    with pytest.raises(ConfigError, match="max_alpha of ConfSeg should be a number of at least 0, but got -1"):
        ConfSeg(max_alpha=-1)
    with pytest.raises(ConfigError, match="max_alpha of ConfSeg should be a number of at least 0, but got nan"):
        ConfSeg(max_alpha=float("nan"))


def length(left, right, eps):
    return math.sqrt(max(sum((x - y) ** 2 for x, y in zip(left, right, strict=True)), eps))


def terms_by_loop(f, b, k, labels, gamma, delta, eps, cap):
    sums, counts = {True: 0.0, False: 0.0}, {True: 0, False: 0}
    for m in range(len(f)):
        for n in range(m + 1, len(f)):
            back = gamma * (length(b[m], k[m], eps) + length(b[n], k[n], eps))
            cam = (length(f[m], b[m], eps) + length(f[n], b[n], eps)) / 2
            same = labels[m] == labels[n]
            between = length(f[m], f[n], eps)
            term = (back + between) / (cam + eps) if same else back / (delta * between + cam + eps)
            sums[same] += min(term, cap or math.inf)
            counts[same] += 1
    return [sums[same] / counts[same] if counts[same] else 0.0 for same in (False, True)]


@pytest.mark.parametrize(("gamma", "delta", "cap"), [(1.0, 1.0, None), (0.3, 2.0, None), (1.0, 0.5, 1.2)])
@pytest.mark.parametrize("labels", [[0, 1, 0, 2, 1, 1, 0], [0] * 7, list(range(7))], ids=["mixed", "same", "all"])
def test_the_terms_by_two_loops_over_pairs(gamma, delta, cap, labels):
    f, b, k = torch.randn(3, 7, 12, generator=torch.Generator().manual_seed(1)) + 5
    f[3] = f[1]
    found = pair_terms(f, b, k, torch.tensor(labels), gamma, delta, 1e-6, cap)
    expected = terms_by_loop(f.tolist(), b.tolist(), k.tolist(), labels, gamma, delta, 1e-6, cap)
    assert [float(term) for term in found] == pytest.approx(expected, rel=2e-4, abs=1e-6)


def test_distances_far_from_the_origin_lose_nothing():
    rows = torch.randn(6, 50, dtype=torch.float64) * 0.1
    found = pair_distances((rows + 1000).float())
    expected = torch.cdist(rows, rows)
    off = ~torch.eye(6, dtype=bool)
    torch.testing.assert_close(found[off].double(), expected[off], rtol=2e-3, atol=0)


def test_equal_embeddings_and_a_single_image_are_harmless():
    rows = torch.ones(3, 5, requires_grad=True)
    diff, same = pair_terms(rows, rows, rows, torch.tensor([0, 0, 1]))
    (diff + same).backward()
    assert torch.isfinite(diff)
    assert torch.isfinite(same)
    assert torch.isfinite(rows.grad).all()
    alone = pair_terms(torch.ones(1, 5), torch.zeros(1, 5), torch.zeros(1, 5), torch.tensor([0]))
    assert [float(term) for term in alone] == [0, 0]


def test_the_terms_pull_as_the_paper_says():
    f = torch.tensor([[0.0, 1.0], [0.0, 3.0]], requires_grad=True)
    b, k = torch.tensor([[4.0, 0.0], [4.0, 0.0]]), torch.tensor([[4.0, 1.0], [4.0, 1.0]])
    diff, same = pair_terms(f, b, k, torch.tensor([0, 1]))
    (apart,) = torch.autograd.grad(diff, f)
    assert float(same) == 0
    assert apart[0, 1] > 0 > apart[1, 1]  # descent lowers the first and lifts the second
    diff, same = pair_terms(f, b, k, torch.tensor([1, 1]))
    (together,) = torch.autograd.grad(same, f)
    assert float(diff) == 0
    assert together[0, 1] < 0 < together[1, 1]


def co_aug(**options):
    torch.manual_seed(3)
    return CoAug(embedding=TinyEmbedding(), warm_up=0, precision="fp32", **options)


def test_co_aug_by_hand_from_masked_images():
    activation, images = drawn(side=20)
    labels = torch.tensor([2, 0, 2, 1])
    loss = co_aug(gamma=0.5, delta=2.0)
    found = loss(activation, Batch(images, labels, progress=1.0))
    network = loss.network(images.device)
    vectors = {"f": [], "b": [], "k": []}
    for image, label in zip(range(4), labels.tolist(), strict=True):
        cells = activation.maps[image, label].detach()
        soft = (cells - cells.min()) / (cells.max() - cells.min())
        sure = torch.tensor(mask_by_loop(cells.flatten().tolist())).view(1, 1, 4, 5)
        shown = F.interpolate(soft[None, None], size=(20, 20), mode="bilinear", align_corners=False)[0]
        sure = sure.repeat_interleave(5, 2).repeat_interleave(4, 3)[0]
        for name, mask in (("f", shown), ("b", 1 - shown), ("k", (1 - shown) * sure)):
            vectors[name].append(network((mask * images[image])[None])["last"].flatten().tolist())
    expected = terms_by_loop(*vectors.values(), labels.tolist(), 0.5, 2.0, 1e-6, None)
    assert [float(found["diff_pairs"]), float(found["same_pairs"])] == pytest.approx(expected, rel=1e-4)


def test_gradients_reach_the_map_of_the_labelled_class_and_not_the_embedding():
    activation, images = drawn()
    loss = co_aug()
    sum(loss(activation, Batch(images, torch.tensor([2, 0, 2, 1]))).values()).backward()
    reached = activation.maps.grad.abs().sum((2, 3)) > 0
    assert reached.tolist() == [[False, False, True], [True, False, False], [False, False, True], [False, True, False]]
    assert torch.isfinite(activation.maps.grad).all()
    assert all(not each.requires_grad for each in loss.network(images.device).parameters())
    constant = torch.zeros(4, 3, 4, 5, requires_grad=True)
    sum(loss(Activation(constant + 0.1), Batch(images, torch.tensor([2, 0, 2, 1]))).values()).backward()
    assert torch.isfinite(constant.grad).all()


def test_the_soft_masks():
    maps = torch.tensor([[[1.0, 3.0], [5.0, 9.0]]])
    assert soft_mask(maps).tolist() == [[[0.0, 0.25], [0.5, 1.0]]]
    assert soft_mask(torch.full((1, 2, 2), 7.3)).tolist() == [[[0.0, 0.0], [0.0, 0.0]]]
    torch.testing.assert_close(soft_mask(maps, "sigmoid"), torch.sigmoid(maps))
    assert soft_mask(maps, "none") is maps
    hidden = masked_images(torch.ones(1, 3, 2, 2), soft_mask(maps), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))
    assert hidden[:, 0].tolist() == [[[0, 0.25], [0.5, 1]], [[1, 0.75], [0.5, 0]], [[1, 0], [0, 0]]]


def test_the_loss_grows_with_the_training():
    activation, images = drawn()
    loss = co_aug()
    batch = Batch(images, torch.tensor([2, 0, 2, 1]), progress=0.05)
    full = loss(activation, batch)
    loss.warm_up = 0.2
    for name, value in loss(activation, batch).items():
        assert float(value) == pytest.approx(float(full[name]) / 4)


def test_images_are_resized_and_converted_for_the_embedding():
    half, quarter = ((0.5,) * 3, (0.5,) * 3), ((0.25,) * 3, (0.125,) * 3)
    loss = co_aug(embedding_size=8, input_norm=half, embedding_norm=quarter)
    pixels = torch.rand(2, 3, 16, 16)
    expected = (F.interpolate(pixels, size=(8, 8), mode="bilinear", antialias=True) - 0.25) / 0.125
    torch.testing.assert_close(loss.seen((pixels - 0.5) / 0.5), expected, rtol=1e-4, atol=1e-5)
    same = co_aug(input_norm=half, embedding_norm=half).seen(pixels)
    assert torch.equal(same, pixels)


def test_one_branch_and_class_agnostic_heads_will_do():
    images, labels = torch.randn(2, 3, 16, 16), torch.tensor([0, 4])
    found = co_aug()(Activation(torch.rand(2, 1, 4, 4)), Batch(images, labels))
    assert all(torch.isfinite(value) for value in found.values())


def test_mistakes_with_co_aug_are_explained():
    activation, images = drawn()
    with pytest.raises(ShapeError, match="every image needs exactly one, but image 1 of the batch has 2"):
        co_aug()(activation, Batch(images, torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0]])))
    with pytest.raises(ShapeError, match="CoAug needs labels"):
        co_aug()(activation, Batch(images))
    with pytest.raises(
        ConfigError, match="mask_norm of CoAug should be one of 'minmax', 'sigmoid', 'none', but got 'max'"
    ):
        CoAug(mask_norm="max")
    with pytest.raises(ConfigError, match=r"embedding_size of CoAug is a side .* but got \(1, 2, 3\)"):
        CoAug(embedding_size=(1, 2, 3))
    with pytest.raises(ConfigError, match="cap of CoAug should be a number above 0 or None, but got 0"):
        CoAug(cap=0)
    for name in ("gamma", "delta", "eps", "cap"):
        with pytest.raises(ConfigError, match=f"{name} of CoAug should be a number .* but got nan"):
            CoAug(**{name: float("nan")})
    with pytest.raises(ConfigError, match="There is no backbone named 'AlexNett'"):
        CoAug(embedding={"type": "AlexNett"})
    with pytest.raises(ConfigError, match="embedding of CoAug is a backbone"):
        CoAug(embedding="AlexNet")
    with pytest.raises(ConfigError, match="input_norm of CoAug is"):
        CoAug(input_norm=(0.5, 0.5))
    with pytest.raises(ConfigError, match="precision of CoAug should be one of"):
        CoAug(precision="fp8")


def model(*losses, **options):
    torch.manual_seed(0)
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer3", "layer4"]},
        head={"type": "TwoBranchHead", "num_classes": 3, "hidden": 16},
        losses=[{"type": "CrossEntropy"}, *losses],
        cam_method={"type": "BranchUnion"},
        precision="fp32",
        **options,
    )


def resnet(**options):
    return {"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"], **options}


def test_the_embedding_is_no_part_of_the_model(tmp_path):
    torch.manual_seed(1)
    weights = tmp_path / "embedding.pth"
    torch.save(model().backbone.state_dict(), weights)
    net = model({"type": "CoAug", "embedding": resnet(weights=str(weights)), "warm_up": 0})
    names = set(net.state_dict())
    assert names == set(model().state_dict())
    batch = Batch(torch.randn(4, 3, 64, 64), torch.tensor([0, 0, 1, 2]), progress=0.5)
    losses = net.train().loss(batch)
    assert {"loss_co_aug_diff_pairs", "loss_co_aug_same_pairs"} < set(losses)
    sum(losses.values()).backward()
    assert all(each.grad is not None for each in net.head.late.parameters())
    assert set(net.state_dict()) == names
    assert len(list(net.parameters())) == len(list(model().parameters()))
    embedding = net.losses["co_aug"].network(batch.images.device)
    assert not embedding.training
    saved = torch.load(weights, weights_only=True)
    assert torch.equal(embedding.state_dict()["model.layer4.0.conv1.weight"], saved["model.layer4.0.conv1.weight"])
    weights.unlink()  # as on another machine
    other = model({"type": "CoAug", "embedding": resnet(weights=str(weights))})
    other.load_state_dict(net.state_dict())
    assert len(other.eval().predict(torch.randn(2, 3, 64, 64))) == 2


def test_a_random_embedding_is_announced_and_the_same_everywhere():
    batch = Batch(torch.randn(4, 3, 64, 64), torch.tensor([0, 0, 1, 2]), progress=0.5)
    found = []
    for seed in (1, 2):
        net = model({"type": "CoAug", "embedding": resnet(weights="none"), "warm_up": 0}).eval()
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        with pytest.warns(UserWarning, match="The embedding network TimmBackbone of CoAug has no pretrained weights"):
            found.append(float(net.loss(batch)["loss_co_aug_same_pairs"]))
        assert torch.equal(torch.get_rng_state(), state)
    assert found[0] == found[1]


def test_an_embedding_that_is_trained_belongs_to_the_model(tmp_path):
    torch.manual_seed(1)
    weights = tmp_path / "embedding.pth"
    torch.save(model().backbone.state_dict(), weights)
    options = {"type": "CoAug", "embedding": resnet(weights=str(weights)), "train_embedding": True, "warm_up": 0}
    net = model(options).train()
    batch = Batch(torch.randn(4, 3, 64, 64), torch.tensor([0, 0, 1, 2]), progress=0.5)
    sum(net.loss(batch).values()).backward()
    name = "losses.co_aug.embedding.model.conv1.0.weight"
    start = torch.load(weights, weights_only=True)["model.conv1.0.weight"]
    assert torch.equal(net.state_dict()[name], start)
    assert dict(net.named_parameters())[name].grad.abs().sum() > 0
    with torch.no_grad():
        dict(net.named_parameters())[name].add_(1)
    weights.unlink()
    resumed = model(options).train()
    resumed.load_state_dict(net.state_dict())
    resumed.loss(batch)  # does not go back to the file
    assert torch.equal(resumed.state_dict()[name], start + 1)


@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_the_head_reads_two_levels_and_pools_each():
    torch.manual_seed(0)
    levels = {"a": torch.randn(2, 4, 8, 8), "b": torch.randn(2, 5, 4, 4), "c": torch.randn(2, 6, 4, 4)}
    channels = {"a": 4, "b": 5, "c": 6}
    head = TwoBranchHead(channels, 3, hidden=7, pooling={"type": "MaxPooling"})
    found = head(levels)
    assert (head.early_level, head.level) == ("b", "c")
    assert found.features is levels["c"]
    for maps, logits, branch, level in (
        (found.maps, found.logits, head.late, "c"),
        (found.extras["early_maps"], found.extras["early_logits"], head.early, "b"),
    ):
        first, second, last = branch[0], branch[2], branch[4]
        expected = F.conv2d(levels[level], first.weight, first.bias, padding=1).clamp_min(0)
        expected = F.conv2d(expected, second.weight, second.bias, padding=1).clamp_min(0)
        torch.testing.assert_close(maps, F.conv2d(expected, last.weight, last.bias))
        torch.testing.assert_close(logits, maps.amax((2, 3)))
    swapped = TwoBranchHead(channels, 3, levels=["c", "a"], hidden=7)(levels)
    assert swapped.maps.shape[-1] == 8
    assert swapped.extras["early_maps"].shape[-1] == 4


def test_the_head_without_an_early_branch_and_with_one_level():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head = TwoBranchHead({"a": 4}, 3, hidden=7, early=False)
        TwoBranchHead({"a": 4}, 3, levels=["a", "a"], hidden=7)
    found = head({"a": torch.randn(2, 4, 8, 8)})
    assert found.extras == {}
    assert all(name.startswith("late") for name, _ in head.named_parameters())
    with pytest.warns(UserWarning, match="Both branches of TwoBranchHead read the level 'a'.*levels=.*early=False"):
        TwoBranchHead({"a": 4}, 3, hidden=7)
    with pytest.raises(ConfigError, match="levels of TwoBranchHead should be two names.* but got 'a'"):
        TwoBranchHead({"a": 4, "b": 4}, 3, levels="a")
    with pytest.raises(ConfigError, match="The backbone gives no level 'layer9' to the head"):
        TwoBranchHead({"a": 4, "b": 4}, 3, levels=["a", "layer9"])
    with pytest.raises(ConfigError, match="hidden of TwoBranchHead should be a whole number of at least 1, but got 0"):
        TwoBranchHead({"a": 4, "b": 4}, 3, hidden=0)


def test_modifiers_see_the_maps_of_both_branches():
    head = TwoBranchHead({"a": 4, "b": 5}, 3, hidden=7).train()
    head.map_modifiers.append(torch.nn.Threshold(1e9, 2.5))
    found = head({"a": torch.randn(2, 4, 8, 8), "b": torch.randn(2, 5, 4, 4)})
    assert (found.extras["early_maps"] == 2.5).all()
    assert (found.maps == 2.5).all()
    assert (found.logits == 2.5).all()


@pytest.mark.parametrize("theta", [0.05, 0.2, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("resize", ["bicubic", "bilinear"])
def test_the_union_is_that_of_the_binary_maps_at_every_threshold(theta, resize):
    torch.manual_seed(0)
    late, early = torch.randn(3, 4, 5, 6), torch.randn(3, 4, 10, 12)
    early[1] = -early[1].abs()  # a branch that sees nothing
    images, classes = torch.zeros(3, 3, 40, 48), torch.tensor([1, 0, 3])
    activation = Activation(late, late.mean((2, 3)), None, {"early_maps": early})
    found = BranchUnion(resize)(None, images, classes, activation).numpy()
    for image, label in enumerate(classes.tolist()):
        union = np.zeros((40, 48), bool)
        for maps in (late, early):
            size = {"size": (40, 48), "mode": resize, "align_corners": False}
            pixels = F.interpolate(maps[image, label][None, None].double(), **size)[0, 0].numpy()
            if pixels.max() > 0:
                union |= pixels > theta * pixels.max()
        assert ((found[image] > theta * found[image].max()) == union).all()
        assert list(largest_box(found[image], theta)) == list(largest_box(union.astype(np.float32), 0.5))
    several = BranchUnion(resize)(None, images, torch.tensor([[1, 2], [0, 0], [3, 1]]), activation).numpy()
    assert (several[:, 0] == found).all()


def test_both_branches_and_their_union_are_shown():
    torch.manual_seed(0)
    late, early = torch.randn(1, 4, 5, 6), torch.randn(1, 4, 10, 12)
    activation, images = Activation(late, late.mean((2, 3)), None, {"early_maps": early}), torch.zeros(1, 3, 40, 48)
    found = {panel.name: panel.picture for panel in BranchUnion().panels(None, images, 2, activation)}
    for name, maps in (("S_L", late), ("S_F", early)):
        pixels = F.interpolate(maps[:, 2:3].double(), size=(40, 48), mode="bicubic", align_corners=False)[0, 0].numpy()
        np.testing.assert_allclose(found[name], pixels.clip(min=0) / pixels.max(), atol=1e-5)
    assert np.array_equal(found["union"], np.maximum(found["S_L"], found["S_F"]))
    assert (found["union"] == BranchUnion()(None, images, torch.tensor([2]), activation)[0].numpy()).all()
    assert list(found) == ["S_L", "S_F", "union"]


def test_the_union_needs_two_branches_of_a_size():
    net = Localizer(
        backbone=resnet(), head={"type": "ConvHead", "num_classes": 3}, cam_method={"type": "BranchUnion"}
    ).eval()
    with pytest.raises(
        ConfigError,
        match=r"needs the extra 'early_maps', which ConvHead does not give. Use head=dict\(type='TwoBranchHead'\)",
    ):
        net.predict(torch.randn(1, 3, 64, 64))
    activation = Activation(torch.rand(1, 2, 4, 4), extras={"early_maps": torch.rand(1, 2, 8, 8)})
    with pytest.raises(ShapeError, match=r"gives maps of \(8, 8\) and \(4, 4\) cells. Use resize='bicubic'"):
        BranchUnion("none")(None, torch.zeros(1, 3, 16, 16), torch.tensor([0]), activation)


@torch.no_grad()
def test_images_do_not_influence_each_other_at_prediction():
    net = model({"type": "ConfSeg"}).eval()
    images = torch.randn(3, 3, 64, 64)
    together, alone = net.predict(images), net.predict(images[1:2])
    torch.testing.assert_close(together[1].maps, alone[0].maps, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together[1].logits, alone[0].logits, atol=1e-4, rtol=1e-4)


def test_the_method_is_found_and_its_card_has_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "CSoA"]
    assert source.plugin == "csoa"
    assert set(found.configs) == {name for name in config_files() if name.startswith("csoa_")}
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.2f}" in card


def small_batches(config):
    """Write batches of 2 classes x 2 images, and small networks, into a configuration."""
    loader = config["train_dataloader"]
    if loader["batch_sampler"]["classes"] > 2:
        loader["batch_sampler"].update(classes=2, images=2)
        loader["batch_size"] = 4
        config["model"]["head"]["hidden"] = 16
    return config


@pytest.mark.parametrize(
    "name",
    [
        "csoa_vgg16_cub",
        "csoa_inceptionv3_cub",
        "csoa_mobilenetv2_birds50",
        "csoa_confseg_mobilenetv2_birds50",
        "csoa_coaug_mobilenetv2_birds50",
        "csoa_baseline_mobilenetv2_birds50",
        "csoa_vit_birds50",
    ],
)
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights", RANDOM_EMBEDDING)
def test_a_step_of_every_network(name, tmp_path, monkeypatch):
    load = config_steps.load_config
    sampler = load(name)["train_dataloader"]["batch_sampler"]
    assert sampler["classes"] * sampler["images"] == load(name)["train_dataloader"]["batch_size"]
    monkeypatch.setattr(config_steps, "load_config", lambda source: small_batches(load(source)))
    side = 224 if "vit" in name else 64
    net, predictions = config_steps.one_step(name, tmp_path / "run", side=side)
    assert isinstance(net.head, TwoBranchHead)
    alone = {"confseg": {"conf_seg"}, "coaug": {"co_aug"}, "baseline": set()}
    wanted = alone.get(name.split("_")[1], {"conf_seg", "co_aug"})
    assert set(net.losses) == {"cross_entropy", *wanted}
    assert predictions[0].maps.shape == (1, side, side)
    assert net.boxes(predictions[0].maps[0]).boxes.shape[1] == 4


@pytest.mark.parametrize(
    ("name", "losses", "levels", "cam"),
    [
        ("baseline", ["CrossEntropy"], ("block5", "block5"), "HeadMaps"),
        ("confseg", ["CrossEntropy", "ConfSeg"], ("block4", "block5"), "BranchUnion"),
        ("coaug", ["CrossEntropy", "CoAug"], ("block5", "block5"), "HeadMaps"),
        ("block3", ["CrossEntropy", "ConfSeg", "CoAug"], ("block3", "block5"), "BranchUnion"),
        ("block5", ["CrossEntropy", "ConfSeg", "CoAug"], ("block5", "block5"), "BranchUnion"),
    ],
)
def test_the_rows_of_the_ablation_differ_from_the_method_in_their_part_alone(name, losses, levels, cam, recwarn):
    whole, row = (load_config(each).to_dict() for each in ("csoa_vgg16_cub", f"csoa_{name}_vgg16_cub"))
    model = row["model"]
    assert [loss["type"] for loss in model["losses"]] == losses
    assert model["cam_method"]["type"] == cam
    options = {key: value for key, value in model["head"].items() if key not in ("type", "num_classes", "hidden")}
    head = TwoBranchHead({"block3": 256, "block4": 512, "block5": 512}, 2, hidden=4, **options)
    assert (head.early_level, head.level) == levels
    assert (head.early is None) == ("ConfSeg" not in losses)
    assert not recwarn.list
    for part in ("head", "losses", "cam_method"):
        del whole["model"][part], model[part]
    assert row == whole


def test_a_missing_file_of_the_embedding_is_told_before_a_training_begins(tmp_path):
    loss = CoAug(embedding={"type": "AlexNet", "weights": str(tmp_path / "alexnet.pth")})
    with pytest.raises(CheckpointError, match=r"alexnet\.pth"):
        loss.prepare_training()


def test_the_early_branch_may_have_a_cross_entropy_of_its_own():
    """ACoL's way (Zhang et al., CVPR 2018): two classifiers, each with the same loss."""
    torch.manual_seed(0)
    model = Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer3", "layer4"]},
        head={"type": "TwoBranchHead", "num_classes": 3, "hidden": 8},
        losses=[
            {"type": "CrossEntropy"},
            {"type": "CrossEntropy", "name": "early", "logits": "early_logits", "weight": 0.5},
        ],
        precision="fp32",
    ).eval()
    images, labels = torch.randn(2, 3, 64, 64), torch.tensor([0, 2])
    values = model(images, labels, mode="loss")
    early = model.activate(images).extras["early_logits"]
    assert set(values) == {"loss_cross_entropy", "loss_early"}
    torch.testing.assert_close(values["loss_early"], 0.5 * torch.nn.functional.cross_entropy(early, labels))


def test_a_model_without_confseg_says_that_its_early_branch_learns_nothing():
    from tests.model.test_localizer import TwoStages

    model = Localizer(
        backbone=TwoStages(),
        head={"type": "TwoBranchHead", "num_classes": 3, "hidden": 4},
        losses=[{"type": "CrossEntropy"}],
        cam_method={"type": "BranchUnion"},
        precision="fp32",
    ).train()
    with pytest.warns(UserWarning, match="No loss reaches head.early: .* prediction uses them"):
        model.parse_losses(model.loss(Batch(torch.randn(2, 3, 16, 12), torch.tensor([0, 1]))))


def test_coaug_says_where_hardly_any_image_has_a_partner():
    activation, images = drawn(batch=4, classes=4)
    for labels, warned in (([0, 1, 2, 3], 0), ([0, 1, 1, 2], None), ([0, 0, 1, 2], None)):
        loss = CoAug(TinyEmbedding(), embedding_size=8)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss(activation, Batch(images, torch.tensor(labels)))
            loss(activation, Batch(images, torch.tensor(labels)))
        said = [str(each.message) for each in caught if "CoAug draws" in str(each.message)]
        assert len(said) == (warned is not None)
        if said:
            assert "only 0 of the 4 images of the first batch have another one of their class" in said[0]
            assert "ClassBalancedBatchSampler" in said[0]
