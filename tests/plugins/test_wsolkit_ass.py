"""ASS: masks, dispersion and rule image by image in loops, each answer on maps made by hand, and a model with it."""

import copy

import numpy as np
import pytest
import torch

from tests.support.config_steps import one_step
from wsolkit import MODIFIERS, ConfigError, MapModifier, ShapeError, load_plugins
from wsolkit.config.find import config_files
from wsolkit.model.localizer import Localizer
from wsolkit_ass import (
    CLUTTER,
    HIDE,
    PASS,
    AttentionSelection,
    SelectionRule,
    at_least,
    attention_maps,
    component_counts,
    coordinate_variance,
    uniform_variance,
)

NAMES = {CLUTTER: "clutter", PASS: "pass", HIDE: "hide"}


def peak(attention, alpha=0.8):
    """Return the cells of one map that reach alpha of its maximum, cell by cell."""
    highest = max(float(value) for value in attention.flatten())
    return np.array([[float(value) >= alpha * highest for value in row] for row in attention])


def dispersion_by_hand(chosen, mu1=1.0, mu2=0.0, normalize=False):
    places = [(y, x) for y in range(chosen.shape[0]) for x in range(chosen.shape[1]) if chosen[y, x]]
    variance = sum(np.var([place[axis] for place in places]) for axis in (0, 1))
    if normalize:
        everywhere = [(y, x) for y in range(chosen.shape[0]) for x in range(chosen.shape[1])]
        variance /= sum(np.var([place[axis] for place in everywhere]) for axis in (0, 1))
    return mu1 * variance + mu2 * pieces_by_hand(chosen)


def pieces_by_hand(chosen):
    left = {(y, x) for y in range(chosen.shape[0]) for x in range(chosen.shape[1]) if chosen[y, x]}
    pieces = 0
    while left:
        pieces += 1
        ends = [left.pop()]
        while ends:
            y, x = ends.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            ends += near
    return pieces


def mask_by_hand(attention, options):
    """Return the answer and the mask of one attention map (h, w), as algorithm 1 has it."""
    alpha_fg, alpha_bg = options.get("alpha_fg", 0.8), options.get("alpha_bg", 0.2)
    highest = float(attention.max())
    if highest <= 0:
        return PASS, np.ones(attention.shape)
    strong, known = peak(attention, alpha_fg), peak(attention, alpha_bg)
    normalize = options.get("normalize_dispersion", False)
    least = options.get("dispersion", 40 / 130.5 if normalize else 40)
    found = dispersion_by_hand(strong, options.get("variance_weight", 1), options.get("component_weight", 0), normalize)
    a, b, d = strong.sum(), attention.size, peak(attention, options.get("alpha_object", 0.3)).sum()
    if found >= least and a >= options.get("min_cells", 4):
        left = ~strong & known
        return (CLUTTER, left.astype(float)) if left.any() else (PASS, np.ones(attention.shape))
    if d / b < options.get("small_object", 0.2) or a / d > options.get("peak_share", 0.3):
        return PASS, np.ones(attention.shape)
    return HIDE, (~strong).astype(float)


def blobs(count=24, channels=5, side=14, seed=0):
    """Return features with blobs of various sizes and places, speckles and one image without anything positive."""
    random = np.random.default_rng(seed)
    maps = np.zeros((count, channels, side, side + 2), np.float32)
    rows, columns = np.mgrid[:side, : side + 2]
    for image in range(count):
        for _ in range(random.integers(1, 4)):
            y, x, size = random.random() * side, random.random() * (side + 2), 1 + 4 * random.random()
            maps[image] += np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * size**2))
        if image % 3 == 0:  # strong cells all over
            maps[image] += 3 * (random.random((side, side + 2)) > 0.9)
        if image % 4 == 0:  # a strong cell in each corner
            for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
                maps[image, :, corner[0], corner[1]] += 6
    maps *= 0.5 + random.random((count, channels, 1, 1), np.float32)
    maps[-1] = -maps[-1]
    return torch.from_numpy(maps)


OPTIONS = [
    {},
    {"normalize_dispersion": True},
    {"alpha_bg": 0.1, "dispersion": 10.0, "component_weight": 2.0, "variance_weight": 0.5},
    {"normalize_dispersion": True, "component_weight": 0.02, "dispersion": 0.4},
    {"alpha_fg": 0.9, "alpha_object": 0.5, "small_object": 0.1, "peak_share": 0.2, "dispersion": 20.0, "min_cells": 6},
]


def selection(alpha_bg=0.2, **rule):
    """Return the modifier with these numbers, most of which are the rule's."""
    return AttentionSelection(alpha_bg=alpha_bg, rule=rule).train()


def answer_of(maps, **options):
    """Return what is done with one image, and what it becomes."""
    modifier = selection(**options)
    found = modifier(maps)
    (name,) = (name for name, share in modifier.scalars().items() if share == 1)
    return {name: answer for answer, name in NAMES.items()}[name], found


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_masks_and_answers_image_by_image(options):
    maps = blobs()
    modifier = selection(**options)
    found = modifier(maps)
    answers = []
    for image, features in enumerate(maps.numpy()):
        answer, mask = mask_by_hand(features.mean(0), options)
        assert answer_of(maps[image : image + 1], **options)[0] == answer
        np.testing.assert_array_equal(found[image].numpy(), features * mask.astype(np.float32))
        answers.append(answer)
    assert set(answers) == {CLUTTER, PASS, HIDE}  # or the maps show too little
    shares = {name: answers.count(answer) / len(answers) for answer, name in NAMES.items()}
    assert modifier.scalars() == pytest.approx(shares)


def test_the_maximum_of_the_maps_that_the_rule_compares_is_their_own():
    attention = attention_maps(torch.tensor([[[[1.0, 4.0]], [[3.0, 6.0]]], [[[10.0, 0.0]], [[30.0, 20.0]]]]))
    assert attention.tolist() == [[[2.0, 5.0]], [[20.0, 10.0]]]
    assert at_least(attention, 0.5).tolist() == [[[False, True]], [[True, True]]]  # 10 is half of 20 exactly


def drawn(side=10, value=0.0):
    return torch.full((1, 1, side, side), value)


def test_an_object_with_a_small_peak_loses_the_peak():
    maps = drawn()
    maps[..., 2:8, 2:8] = 5.0  # 36 of 100 cells
    maps[..., 4:6, 4:6] = 10.0
    answer, found = answer_of(maps)
    assert answer == HIDE
    assert found[0, 0, 4:6, 4:6].sum() == 0
    assert found.sum() == 32 * 5


def test_a_small_object_is_passed_and_not_copied():
    maps = drawn()
    maps[..., 2:6, 2:6] = 5.0  # 16 of 100 cells
    maps[..., 3, 3] = 10.0
    answer, found = answer_of(maps)
    assert answer == PASS
    assert found is maps
    assert answer_of(maps, small_object=0.16)[0] == HIDE  # as many are not fewer


def test_a_peak_that_is_most_of_its_object_is_passed():
    maps = drawn()
    maps[..., 0:4, 0:5] = 5.0  # 20 cells, among them a peak of 7
    maps[..., 0, 0:5] = maps[..., 1, 0:2] = 10.0
    assert answer_of(maps)[0] == PASS
    maps[..., 1, 1] = 5.0  # 6 of 20 are not more than .3
    assert answer_of(maps)[0] == HIDE


def test_a_scattered_peak_is_clutter_and_loses_the_background():
    maps = drawn(16, 1.0)
    maps[..., 4:12, 4:12] = 5.0
    maps[..., [0, 0, 15, 15], [0, 15, 0, 15]] = 10.0  # Var(X) = Var(Y) = 7.5 squared
    answer, found = answer_of(maps)
    assert answer == CLUTTER
    expected = torch.zeros(16, 16)
    expected[4:12, 4:12] = 5.0
    assert torch.equal(found[0, 0], expected)
    assert answer_of(maps, alpha_bg=0.1)[1].sum() == 64 * 5 + (256 - 64 - 4)
    assert answer_of(maps, dispersion=112.5)[0] == CLUTTER  # at least
    assert answer_of(maps, dispersion=112.6)[0] == HIDE
    assert answer_of(maps, min_cells=5)[0] == HIDE  # the peak has 4 cells


def test_pieces_count_where_they_are_asked_for():
    maps = drawn(10, 5.0)
    maps[..., [2, 2, 4, 6], [2, 3, 5, 6]] = 10.0  # three pieces
    assert answer_of(maps, variance_weight=0, component_weight=1, dispersion=3)[0] == CLUTTER
    assert answer_of(maps, variance_weight=0, component_weight=1, dispersion=3.5)[0] == HIDE
    maps[..., 3, 4] = 10.0  # joins two of them by a corner each
    assert answer_of(maps, variance_weight=0, component_weight=1, dispersion=3)[0] == HIDE


@pytest.mark.parametrize("value", [0.0, -2.0, float("nan")])
def test_maps_without_a_positive_cell_are_passed(value):
    maps = drawn(value=value)
    answer, found = answer_of(maps, dispersion=0.0)
    assert answer == PASS
    assert torch.equal(found, maps) or np.isnan(value)


@pytest.mark.parametrize("hide", [None, {"type": "AreaHiding"}], ids=["peak", "AreaHiding"])
def test_maps_of_which_clutter_would_leave_nothing_are_passed(hide):
    """All 28 x 28 cells at 1 have a dispersion of 130.5; half of them beside zeros leave peak and background."""
    flat, half = torch.ones(28, 28), torch.ones(28, 28)
    half[:, ::2] = 0.0
    third = torch.where(half > 0, half, 0.3)  # neither peak nor background: it stays
    maps = torch.stack([flat, half, third])[:, None].expand(3, 4, 28, 28)
    modifier = AttentionSelection(hide=hide).train()
    found = modifier(maps)
    assert torch.equal(found[:2], maps[:2])
    noted = modifier.scalars()
    assert (noted["pass"], noted["clutter"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert 0 < (found[2] > 0).float().mean() < 1


def test_variances_and_pieces_by_hand():
    cells = torch.rand(6, 7, 9, generator=torch.Generator().manual_seed(0)) > 0.7
    cells[0] = False
    cells[1] = True
    found = coordinate_variance(cells)
    assert float(found[0]) == 0
    assert float(found[1]) == pytest.approx(uniform_variance(7, 9)) == pytest.approx((48 + 80) / 12)
    for image in range(2, 6):
        assert float(found[image]) == pytest.approx(dispersion_by_hand(cells[image].numpy()), rel=1e-5)
    pieces = [pieces_by_hand(each.numpy()) for each in cells]
    assert component_counts(cells).tolist() == pieces


def test_a_map_of_one_cell_has_no_dispersion_to_divide():
    assert float(SelectionRule(normalize_dispersion=True).dispersions(torch.ones(1, 1, 1, dtype=torch.bool))) == 0


def test_no_image_depends_on_another():
    maps = blobs()
    together = AttentionSelection().train()(maps)
    for image in range(len(maps)):
        alone = AttentionSelection().train()(maps[image : image + 1])
        assert torch.equal(alone[0], together[image])


@pytest.mark.parametrize("hide", [None, {"type": "AreaHiding"}], ids=["peak", "AreaHiding"])
def test_evaluation_is_the_identity_and_gradients_are_the_masks(hide):
    modifier = AttentionSelection(hide=hide)
    maps = blobs().requires_grad_()
    assert modifier.eval()(maps) is maps
    found = modifier.train()(maps)
    found.sum().backward()
    assert torch.equal(maps.grad, torch.where(maps.detach() == 0, maps.grad, (found != 0).float()))
    assert torch.isfinite(maps.grad).all()
    assert 0 < maps.grad.mean() < 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("hide", [None, {"type": "AreaHiding"}], ids=["peak", "AreaHiding"])
def test_kind_and_layout_of_the_maps_stay(dtype, hide):
    maps = blobs().to(dtype).to(memory_format=torch.channels_last)
    found = AttentionSelection(hide=hide).train()(maps)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_rescaling_makes_up_for_the_hidden_cells():
    maps = torch.cat([blobs(), torch.eye(16)[None, None, :14].expand(1, 5, 14, 16) * 3])
    plain, scaled = AttentionSelection().train()(maps), AttentionSelection(rescale=True).train()(maps)
    for image in range(len(maps)):
        kept = mask_by_hand(maps[image].mean(0).numpy(), {})[1].sum()
        torch.testing.assert_close(scaled[image], plain[image] * (14 * 16 / max(kept, 1)))


class Halve(MapModifier):
    """Halves what it is given and remembers it."""

    def __init__(self, channels: int, factor: float = 0.5) -> None:
        super().__init__()
        self.channels = channels
        self.factor = factor

    def modify(self, maps):
        self.given = maps
        self.note(images=len(maps))
        return maps * self.factor


class Shrink(MapModifier):
    def modify(self, maps):
        return maps[..., :-1]


def test_another_modifier_hides_in_the_chosen_images_alone():
    maps = blobs()
    answers = torch.tensor([answer_of(maps[image : image + 1])[0] for image in range(len(maps))])
    modifier = AttentionSelection(hide={"type": Halve}, channels=5).train()
    found = modifier(maps)
    assert modifier.hide.channels == 5
    assert torch.equal(modifier.hide.given, maps[answers != PASS])
    for image, features in enumerate(maps):
        expected = features
        if answers[image] == HIDE:
            expected = features * 0.5
        if answers[image] == CLUTTER:
            expected = features * 0.5 * torch.from_numpy(peak(features.mean(0).numpy(), 0.2)).float()
        assert torch.equal(found[image], expected)
    assert modifier.scalars()["hide_images"] == float((answers != PASS).sum())


def test_a_batch_that_is_hidden_or_passed_whole_takes_no_detour():
    maps = blobs()
    answers = AttentionSelection().rule(attention_maps(maps), at_least(attention_maps(maps), 0.8))
    modifier = AttentionSelection(hide=Halve(5)).train()
    assert torch.equal(modifier(maps[answers == HIDE]), maps[answers == HIDE] / 2)
    assert modifier.scalars()["hide_images"] == float((answers == HIDE).sum())
    passed = maps[answers == PASS]
    assert modifier(passed) is passed
    assert modifier.scalars() == {"clutter": 0.0, "pass": 1.0, "hide": 0.0}  # no stale number of the other


def test_the_modifier_that_hides_has_to_be_one_and_to_keep_the_shape():
    with pytest.raises(ShapeError, match="Shrink, which hides for AttentionSelection, was given .* and returned"):
        AttentionSelection(hide=Shrink()).train()(blobs())
    with pytest.raises(ConfigError, match="hide of AttentionSelection is a map modifier, .* but got ReLU"):
        AttentionSelection(hide=torch.nn.ReLU())
    with pytest.raises(ConfigError, match="There is no map modifier named 'AreaHidin'. Did you mean 'AreaHiding'"):
        AttentionSelection(hide={"type": "AreaHidin"})
    with pytest.raises(ConfigError, match="takes no argument 'sze'"):
        AttentionSelection(hide={"type": "AreaHiding", "sze": 3})
    with pytest.raises(ConfigError, match=r"rescale=True of AttentionSelection .* hide is Halve"):
        AttentionSelection(hide=Halve(5), rescale=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha_fg": 0}, r"alpha_fg of SelectionRule should be a number in \(0, 1\], but got 0"),
        ({"alpha_object": 1.2}, r"alpha_object of SelectionRule should be a number in \(0, 1\], but got 1\.2"),
        ({"alpha_bg": 0.8}, r"alpha_bg of AttentionSelection should be in \[0, alpha_fg\), .* 0.8, but got 0.8"),
        ({"alpha_bg": -0.1}, "alpha_bg of AttentionSelection .* but got -0.1"),
        ({"small_object": 20}, r"small_object of SelectionRule should be a number in \[0, 1\], but got 20"),
        ({"peak_share": -1}, r"peak_share of SelectionRule should be a number in \[0, 1\], but got -1"),
        ({"dispersion": -1}, "dispersion of SelectionRule should be a number of at least 0 or None, but got -1"),
        ({"min_cells": -2}, "min_cells of SelectionRule should be a whole number of at least 0, but got -2"),
        (
            {"component_weight": float("nan")},
            "component_weight of SelectionRule should be a number of at least 0, but got nan",
        ),
    ],
)
def test_wrong_numbers_are_explained(options, words):
    alpha_bg = {name: value for name, value in options.items() if name == "alpha_bg"}
    rule = {name: value for name, value in options.items() if name != "alpha_bg"}
    with pytest.raises(ConfigError, match=words):
        MODIFIERS.build({"type": "AttentionSelection", "rule": rule, **alpha_bg})


def test_an_unknown_number_of_the_rule_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"The rule of AttentionSelection has no 'alpha'. Did you mean 'alpha_fg'\?"):
        AttentionSelection(rule={"alpha": 0.9})


def test_a_rule_may_be_handed_over_as_it_is():
    rule = SelectionRule(alpha_fg=0.9)
    assert AttentionSelection(rule=rule).rule is rule
    assert AttentionSelection(rule={"alpha_fg": 0.9}).rule == rule


def test_a_model_trains_with_it_and_logs_its_shares():
    torch.manual_seed(0)
    net = Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet10t", "levels": ["layer4"], "output_stride": 16},
        head={"type": "LinearHead", "num_classes": 3},
        losses=[{"type": "CrossEntropy"}],
        modifiers=[
            {"type": "AttentionSelection", "at": "layer2", "hide": {"type": "SpatialDropout", "drop_prob": 0.5}}
        ],
        precision="fp32",
    )
    images, labels = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 2, 0])
    values = net.train()(images, labels, mode="loss")
    shares = [float(values[f"features.layer2/{name}"]) for name in ("clutter", "pass", "hide")]
    assert sum(shares) == pytest.approx(1)
    values["loss_cross_entropy"].backward()
    assert all(torch.isfinite(each.grad).all() for each in net.parameters() if each.grad is not None)
    twin = copy.deepcopy(net).eval()
    torch.testing.assert_close(twin(images).logits, net.eval()(images).logits)


@pytest.mark.parametrize("hide", [None, {"type": "AreaHiding", "locate": "argmax", "block_size": 3}])
def test_an_image_s_masks_and_answer_are_shown(hide):
    maps = torch.zeros(3, 2, 14, 14)
    maps[0, :, 3:11, 3:11] = 5.0  # an object with a peak: hidden
    maps[0, :, 6:8, 6:8] = 10.0
    maps[1, :, 2:4, 2:4] = 5.0  # a small one: passed
    maps[1, :, 2, 2] = 10.0
    maps[2] = 1.0  # strong corners: clutter
    maps[2, :, 4:10, 4:10] = 5.0
    maps[2, :, [0, 0, 13, 13], [0, 13, 0, 13]] = 10.0
    modifier = AttentionSelection(hide=hide)
    for image, answer in enumerate(("hidden", "passed", "clutter")):
        one = maps[image : image + 1]
        attention, fg, thing, bg, left = modifier.panels(one, 0)
        assert [each.name for each in (attention, fg, thing, bg, left)] == [
            "attention map", "peak, 0.8", "object, 0.3", "not background, 0.2", f"left: {answer}"
        ]  # fmt: skip
        mean = one[0].mean(0).numpy()
        np.testing.assert_allclose(attention.picture, (mean - mean.min()) / (mean.max() - mean.min()), atol=1e-6)
        for panel, alpha in ((fg, 0.8), (thing, 0.3), (bg, 0.2)):
            assert np.array_equal(panel.picture, peak(mean, alpha))
        kept = modifier.train()(one)[0]
        assert np.array_equal(left.picture, ((kept != 0) | (one[0] == 0)).all(0).numpy())
        assert left.picture.all() == (answer == "passed")


def test_the_method_is_found_and_its_card_has_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "ASS"]
    assert source.plugin == "ass"
    assert set(found.configs) == {name for name in config_files() if name.startswith("ass_")}
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.2f}" in card


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ass_vgg16_cub", "ass_mobilenetv2_birds50", "ass_wildcat_voc"])
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_network(name, tmp_path):
    net, predictions = one_step(name, tmp_path / "run", multi_label=name.endswith("voc"))
    assert len(net.feature_modifiers) == 3
    assert all(isinstance(each, AttentionSelection) for each in net.feature_modifiers.values())
    assert predictions[0].maps.shape == (1, 64, 64)


def test_an_image_of_which_hiding_would_leave_nothing_is_passed():
    rule = {"peak_share": 1.0, "small_object": 0.0}  # a map that is the same everywhere is to be hidden
    modifier = AttentionSelection(rule=rule).train()
    maps = torch.ones(1, 2, 4, 4)
    assert torch.equal(modifier(maps), maps)
    assert modifier.scalars()["pass"] == 1


def test_sequential_drop_inside_it_keeps_to_the_maps_of_a_head():
    backbone = {"type": "TimmBackbone", "name": "resnet10t"}
    modifier = {"type": "AttentionSelection", "hide": {"type": "SequentialDrop"}}
    with pytest.raises(
        ConfigError, match="SequentialDrop works at='maps' alone, but sits inside AttentionSelection at="
    ):
        Localizer(backbone, {"type": "ConvHead", "num_classes": 2}, modifiers=[{**modifier, "at": "layer3"}])
    head = {"type": "ConvHead", "num_classes": 2, "maps_per_class": 3}
    model = Localizer(backbone, head, modifiers=[{**modifier, "at": "maps"}])
    assert model.head.map_modifiers[0].hide.maps_per_class == 3
